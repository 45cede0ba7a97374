"""Where each pixel of a picture comes from: the training windows that weigh most in a local or ELS score's answer."""

from dataclasses import dataclass
from itertools import product
from typing import Any

from edudiff import check
from edudiff.denoisers import windows

BLOCK = 1 << 20  # values in one array of squared distances


@dataclass(frozen=True)
class Provenance:
    """The leading training windows of each pixel, the heaviest first: four arrays (B, H, W, K).

    `picture`: which training picture. `row`, `column`: of the window's centre in it. `weight`: its share of the answer,
    float64. Where a pixel has fewer than K candidates, `picture` is -1 and `weight` 0.
    """

    picture: Any
    row: Any
    column: Any
    weight: Any


def provenance(patch, x, alpha, sigma, leading=1):
    """The `leading` training windows with the largest weights in the answer of `patch` for `x` (B, H, W, C).

    The answer is the mean of the centres of all windows that the noisy window may be compared with, weighted by the
    softmax of -|window - alpha * training window|^2 / 2 sigma^2 (Kamb & Ganguli 2024, eq. 8, 10 and 41); at the end of
    the way back one weight is nearly 1, and the picture is a mosaic of training pixels. `patch`: an
    `edudiff.denoisers.Patch`; of equally heavy windows, any may lead. Returns a `Provenance`, where x is. Raises
    ValueError for fewer than one leading window.
    """
    if isinstance(leading, bool) or not hasattr(leading, "__index__") or leading < 1:
        raise ValueError(f"leading is {leading!r}, expected an integer >= 1")
    xp = check.batch(x, patch.images)
    x, (_, height, width, _) = x.astype("float64"), x.shape
    size = patch.window(alpha, sigma)
    top, _, den = patch.partial(x, alpha, sigma)  # (B, H, W), float64
    best = _Best(xp, x.shape[:3], leading)
    used = xp.asarray(patch.used)  # (N,)
    images = windows.lay_out(patch.images[used])  # (H, W, C, N)
    places = xp.arange(height)[:, None], xp.arange(width)[None]  # (H, 1), (1, W)
    shifts = [windows.displacements(n, size // 2, patch.shifts, patch.border) for n in (height, width)]
    step = max(1, BLOCK // x.size)
    for first in range(0, images.shape[-1], step):
        chunk = images[..., first : first + step].astype("float64")  # (H, W, C, n)
        for down, right in product(*shifts):
            pairs = windows.compared(x, chunk, alpha, (down, right), [size], patch.border, xp.zeros_like(x[..., 0]))
            for _, here, distances, _ in pairs:
                rows, columns = (places[0][here[0]] + down) % height, (places[1][:, here[1]] + right) % width
                best.add(distances * (-1 / (2 * sigma**2)), first, rows, columns, (slice(None), *here))
    weight = xp.exp(best.logits - top[..., None]) / den[..., None]  # (B, H, W, K)
    picture = xp.where(best.picture < 0, -1, used[best.picture])  # (B, H, W, K)
    return Provenance(picture, best.row, best.column, weight)


class _Best:
    """The candidates with the largest logits so far, K for each pixel, sorted: `logits` and what they belong to."""

    def __init__(self, xp, shape, count):
        self.xp, self.count = xp, count
        self.logits = xp.full((*shape, count), -xp.inf)  # (B, H, W, K)
        self.picture, self.row, self.column = (xp.full((*shape, count), -1) for _ in range(3))

    def add(self, logits, first, rows, columns, where):
        """`logits` (B, h, w, n) of pictures from number `first` on, whose centres are at `rows`, `columns` (h, w)."""
        xp, few = self.xp, min(self.count, logits.shape[-1])
        chosen = xp.argsort(-logits, axis=-1)[..., :few] if few > 1 else logits.argmax(-1)[..., None]  # (B, h, w, few)
        new = xp.take_along_axis(logits, chosen, axis=-1)  # (B, h, w, few)
        both = xp.concatenate([self.logits[where], new], axis=-1)  # (B, h, w, K + few)
        order = xp.argsort(-both, axis=-1)[..., : self.count]  # (B, h, w, K)
        self.logits[where] = xp.take_along_axis(both, order, axis=-1)
        values = chosen + first, rows[..., None], columns[..., None]
        for kept, value in zip((self.picture, self.row, self.column), values, strict=True):
            several = xp.concatenate([kept[where], xp.broadcast_to(value, new.shape)], axis=-1)  # (B, h, w, K + few)
            kept[where] = xp.take_along_axis(several, order, axis=-1)
