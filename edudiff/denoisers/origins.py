"""Where each pixel of an image comes from: the training windows that weigh most in a local or ELS score's answer."""

from dataclasses import dataclass
from itertools import product
from types import ModuleType
from typing import Any

import numpy as np

from edudiff.denoisers import windows
from edudiff.denoisers.patch import Patch
from edudiff.support import checks, rounding
from edudiff.support.types import Array

BLOCK = 1 << 20  # values in one array of squared distances


@dataclass(frozen=True)
class Provenance:
    """The leading training windows of each pixel, the heaviest first: four arrays (B, H, W, K) and their pixels.

    `image`: which training image. `row`, `column`: of the window's center in it. `weight`: its share of the answer,
    float64. `value`: the training pixel at the center, (B, H, W, K, C), float64; the answer is the sum of weight times
    value over all windows. Where a pixel has fewer than K candidates, the three places are -1, weight and value 0.
    """

    image: Array
    row: Array
    column: Array
    weight: Array
    value: Array

    def __repr__(self) -> str:
        return f"Provenance(image={self.image.shape}, value={self.value.shape})"


@rounding.to_zero
def provenance(patch: Patch, x: Array, alpha: float, sigma: float, leading: int = 4) -> Provenance:
    """The `leading` training windows with the largest weights in the answer of `patch` for `x` (B, H, W, C).

    The answer is the mean of the centers of all windows that the noisy window may be compared with, weighted by the
    softmax of -|window - alpha * training window|^2 / 2 sigma^2 (Kamb & Ganguli 2024, eq. 8, 10 and 41). `patch`: an
    `edudiff.denoisers.Patch`, with any padding, with shifts or without. Of equally heavy windows the one that lies
    nearest to the pixel's own place leads, then the one of the earlier image. Distances are direct differences in
    float64, whatever x is. Returns a `Provenance`, on the device of x. The training set is copied once; the rest of the
    memory does not grow with it. Raises ValueError for fewer than one leading window, and what `patch` itself raises.
    """
    checks.integer(leading, "leading")
    xp = checks.batch(x, patch.images)
    alpha, sigma = checks.levels(alpha, sigma)
    x, (_, height, width, _) = x.astype("float64"), x.shape
    window = patch.window_at(alpha, sigma)
    top, _, den = patch.partial(x, alpha, sigma)  # (B, H, W), float64
    best = _Best(xp, x.shape[:3], leading)
    used = xp.asarray(np.sort(patch.used))  # (N,)
    images = windows.lay_out(patch.images[used])  # (H, W, C, N)
    places = xp.arange(height)[:, None], xp.arange(width)[None]  # (H, 1), (1, W)
    step = max(1, BLOCK // x.size)
    for down, right in nearest_first(height, width, window, patch.shifts, patch.padding):
        for first in range(0, images.shape[-1], step):
            chunk = images[..., first : first + step].astype("float64")  # (H, W, C, n)
            pairs = windows.compared(x, chunk, alpha, (down, right), [window], patch.padding)
            for _, here, distances, _ in pairs:
                rows, columns = (places[0][here[0]] + down) % height, (places[1][:, here[1]] + right) % width
                best.add(distances * (-1 / (2 * sigma**2)), first, rows, columns, (slice(None), *here))
    found = best.image >= 0  # (B, H, W, K)
    image = xp.where(found, used[best.image], -1)  # (B, H, W, K)
    weight = xp.exp(best.logits - top[..., None]) / den[..., None]  # (B, H, W, K)
    value = found[..., None] * patch.images[image, best.row, best.column].astype("float64")  # (B, H, W, K, C)
    return Provenance(image, best.row, best.column, weight, value)


def nearest_first(height: int, width: int, window: int, shifts: bool, padding: str) -> list[tuple[int, int]]:
    """All displacements (down, right) of an image, the shortest first; on a torus the short way round counts.

    >>> nearest_first(3, 4, 3, True, "circular")[:5]
    [(0, 0), (0, 1), (0, 3), (1, 0), (2, 0)]
    """
    down, right = (windows.displacements(length, window, shifts, padding) for length in (height, width))

    def square(shift, length):
        return min(shift % length, -shift % length) ** 2 if padding == "circular" else shift**2

    return sorted(product(down, right), key=lambda s: square(s[0], height) + square(s[1], width))


class _Best:
    """The candidates with the largest logits so far, K for each pixel, sorted: `logits` and what they belong to."""

    def __init__(self, xp: ModuleType, shape: tuple[int, ...], count: int) -> None:
        self.xp: Any = xp
        self.count = count
        self.logits = xp.full((*shape, count), -xp.inf)  # (B, H, W, K)
        self.image, self.row, self.column = (xp.full((*shape, count), -1) for _ in range(3))

    def add(self, logits, first, rows, columns, where):
        """`logits` (B, h, w, n) of images from number `first` on, whose centers are at `rows`, `columns` (h, w)."""
        xp = self.xp
        better = logits.max(-1) > self.logits[where][..., -1]  # (B, h, w), the M pixels that have a new leader
        both = xp.concatenate([self.logits[where][better], logits[better]], axis=-1)  # (M, K + n)
        order = self._leaders(both)  # (M, K)
        self.logits[where][better] = xp.take_along_axis(both, order, axis=-1)
        stay, new = xp.minimum(order, self.count - 1), order - self.count  # (M, K), places among the old, the new
        centers = [xp.broadcast_to(place, better.shape)[better][:, None] for place in (rows, columns)]  # (M, 1) each
        for kept, value in zip((self.image, self.row, self.column), (new + first, *centers), strict=True):
            old = xp.take_along_axis(kept[where][better], stay, axis=-1)  # (M, K)
            kept[where][better] = xp.where(new < 0, old, value)

    def _leaders(self, logits):
        """Where the K largest are, in falling order; of equal ones, those that came first lead."""
        if self.count == 1:
            return logits.argmax(-1)[:, None]  # (M, 1)
        return self.xp.argsort(-logits, axis=-1, kind="stable")[:, : self.count]  # (M, K)
