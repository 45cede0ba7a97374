"""What the kernels of `Patch` keep of a training set, and which of the two kernels a query is for."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from edudiff.fast import patch, pruned
from edudiff.fast.clusters import Clusters
from edudiff.support.describe import described
from edudiff.support.softmax import Part
from edudiff.support.types import Array

LEAST_PAIRS = 1 << 30  # of windows, for one image: with fewer, comparing all is quicker than sorting them
QUERIES, WINDOWS = 64, 256  # windows of the noisy batch and of the training set that are compared for a guess
MATTER = 100.0  # of the share that matters, times values in a window and its area: more than this never paid


class TrainingSet:
    """The engine of `Patch` in compiled code: the images (N, H, W, C), in `classes`, arrays of places in `images`.

    `shifts`, `padding`: as for `Patch`. `tolerance`: the share of the weights that may be left out unseen; 0: none.
    Windows are sorted where that pays, and all classes share them. `skipped`: the share of all pairs of windows that
    the last answer did without.
    """

    fused = True  # x - alpha y is rounded once

    def __init__(self, images: Array, classes: list[Array], shifts: bool, padding: str, tolerance: float) -> None:
        self.images, self.classes = np.ascontiguousarray(images), classes
        self.shifts, self.padding, self.tolerance, self.skipped = shifts, padding, tolerance, 0.0
        self._kept: dict = {}

    def __repr__(self) -> str:
        settings: dict[str, Any] = {"shifts": self.shifts, "padding": self.padding, "tolerance": self.tolerance}
        return described(self, images=self.images, classes=len(self.classes), **settings)

    def clusters(self, window: int, used: Sequence[int]) -> Clusters:
        """The windows of one side, sorted, of the classes with the numbers `used`.

        Only those asked for last are kept: they take 6 bytes a window.
        """
        if window not in self._kept:
            self._kept.clear()
            self._kept[window] = Clusters(self.images, self.classes, window, self.padding == "circular")
        return self._kept[window].of(used)

    def __call__(
        self,
        x: Array,
        alpha: float,
        sigma: float,
        windows: Sequence[int],
        number: int | None = None,
        typical: Array | None = None,
        offsets: Sequence[Array] | None = None,
        moments: bool = False,
    ) -> list[Part]:
        """As `edudiff.denoisers.windows.Arrays`: a list of (top, num, den), one for each of `windows`.

        Each image is for the kernel that it would be for alone, so that it does not depend on the batch.
        """
        used = range(len(self.classes)) if number is None else range(number, number + 1)
        if typical is None or offsets is None:
            typical, offsets = np.zeros(x.shape[:3], x.dtype), [np.zeros(x.shape[:3])] * len(windows)  # (B, H, W) each
        found, self.skipped = {}, 0.0
        if self.tolerance and self.shifts and len(windows) == 1:
            for b in range(len(x)):
                inside = self._sorted(x[b : b + 1], used, alpha, sigma, windows[0], moments)
                if inside is not None:
                    found[b], share = inside
                    self.skipped += share / len(x)
        chosen = [self.classes[k] for k in used]
        blocks, count = patch.blocks_of(chosen), sum(map(len, chosen))
        query = self.images, blocks, count, alpha, sigma, windows, self.shifts, self.padding
        if not found:
            parts = patch.evaluate(x, *query, typical, moments=moments)
            return [(part[0] + offset, *part[1:]) for part, offset in zip(parts, offsets, strict=True)]
        others, rest = list(found), [b for b in range(len(x)) if b not in found]
        r = 0 if self.padding == "circular" else windows[0] // 2
        shapes = x.shape[:3], x.shape, *[x.shape[:3]] * (3 if moments else 1)
        whole = tuple(np.empty(shape) for shape in shapes)  # (B, H, W), (B, H, W, C), (B, H, W), ...
        if r:  # windows that stick out of the image are few: they are compared with all that stick out alike
            _put(whole, others, patch.evaluate(x[others], *query, typical[others], True, moments)[0])
        if rest:
            _put(whole, rest, patch.evaluate(x[rest], *query, typical[rest], moments=moments)[0])
        whole[0][:] += offsets[0]
        middle = slice(r, x.shape[1] - r), slice(r, x.shape[2] - r)
        for b, part in found.items():
            _put([array[(slice(None), *middle)] for array in whole], [b], part)
        return [whole]

    def _sorted(self, x, used, alpha, sigma, window, moments):
        """`pruned.evaluate` of one image, and the share of pairs it skipped; None if comparing all pairs is quicker."""
        if not self.may_pay(x, used, alpha, sigma, window):
            return None
        clusters = self.clusters(window, used)
        found = pruned.evaluate(x, clusters, alpha, sigma, self.tolerance, moments)
        if found is None:
            return None
        parts, compared = found
        return parts, 1 - compared / (math.prod(clusters.shape(x)) * clusters.count)

    def may_pay(self, x: Array, used: Sequence[int], alpha: float, sigma: float, window: int) -> bool:
        """Is it worth sorting the windows of this side? False where too many of them matter at this noise level.

        A window that shows one value only does not count: such windows are not compared one by one.
        """
        _, height, width, channels = x.shape
        lost = 0 if self.padding == "circular" else window - 1
        places, chosen = max(height - lost, 0) * max(width - lost, 0), [self.classes[k] for k in used]
        if alpha == 0 or window == 1 or places == 0 or places * places * sum(map(len, chosen)) < LEAST_PAIRS:
            return False
        every = np.concatenate(chosen)  # (n,)
        few = self.images[every[np.linspace(0, len(every) - 1, WINDOWS).astype(int)]]  # (WINDOWS, H, W, C)
        queries, windows = some_windows(x, window, QUERIES), some_windows(few, window, WINDOWS)  # (QUERIES, D), ...
        logits = ((queries[:, None] - alpha * windows) ** 2).sum(-1) / (-2 * sigma**2)  # (QUERIES, WINDOWS)
        weights = np.exp(logits - logits.max(1, keepdims=True))  # (QUERIES, WINDOWS)
        matter = weights > self.tolerance * weights.mean(1, keepdims=True)  # (QUERIES, WINDOWS)
        matter &= np.ptp(windows, axis=1) > 0
        return float(matter.mean()) * window**4 * channels < MATTER


def _put(parts, places, some):
    """Write the parts of some images to their places among all."""
    for array, part in zip(parts, some, strict=True):
        array[places] = part


def some_windows(x: Array, size: int, count: int) -> Array:
    """`count` windows from all over a batch, (count, size * size * C), float64."""
    batch, height, width, _ = x.shape
    rows, columns = height - size + 1, width - size + 1
    places = (np.arange(count) * (batch * rows * columns // count) + np.arange(count) * 7) % (batch * rows * columns)
    picked = [(p // (rows * columns), p // columns % rows, p % columns) for p in places]
    return np.stack([x[b, i : i + size, j : j + size].ravel() for b, i, j in picked]).astype(np.float64)
