"""All windows of a training set with similar ones side by side: a clustering, built once for each window size.

Each window is projected on a few smooth patterns (cosines, of unit length). Windows are sorted along a curve through
the space of these projections that visits near points together (Morton 1966), and cut into groups of LANES. Of each
group a box is kept that holds its projections: a query is at least as far from a window as its projection is from the
box. Windows that show nothing but the most frequent pixel value are only counted.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edudiff.fast.jit import compiled, share_out
from edudiff.fast.lanes import LANES
from edudiff.support.describe import described
from edudiff.support.softmax import Part
from edudiff.support.types import Array

PATTERNS = ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1))  # frequencies down and across
LEVELS = 256  # to which projections are rounded
SHARES, IMAGES = 16, 1024  # so many shares are clustered apart, or more if they had more images than this: sorting
# needs memory, and the answers must not depend on the number of threads
SAMPLE = 1 << 16  # pixels that are looked at for the most frequent value


@dataclass(repr=False)
class Share:
    """Some images of one class, and their windows, sorted.

    `order`: (groups * LANES,), places of the windows, (image * h + row) * w + column of the upper left corner; the
    last group is filled up with copies. `boxes`: (2, P, groups), the least and the largest rounded projection of each.
    `codes`: (groups,), where its first window lies on the curve. `count`: of windows in `order`, without copies.
    `plain`: of windows that are only counted.
    """

    class_number: int
    order: np.ndarray
    boxes: np.ndarray
    codes: np.ndarray
    count: int
    plain: int

    def __repr__(self) -> str:
        return described(self, class_number=self.class_number, count=self.count, plain=self.plain)


class Clusters:
    """The sorted windows of `size` x `size` pixels that lie inside the images `images` (N, H, W, C).

    `classes`: a list of arrays of places in `images`. With `circular` they go on at the other side. `common`: (C,), the
    most frequent pixel.
    """

    def __init__(self, images: Array, classes: list[Array], size: int, circular: bool) -> None:
        self.images, self.size, self.circular = images, size, circular
        self.wave, self.patterns = waves(size)
        largest = size * math.sqrt(images.shape[3]) * float(max(images.max(), -images.min()))
        self.least, self.step = -largest, max(2 * largest / (LEVELS - 2), 1e-12)
        pixels = images.reshape(-1, images.shape[3])
        values, counts = np.unique(pixels[:: -(-len(pixels) // SAMPLE)], axis=0, return_counts=True)
        self.common = values[counts.argmax()]  # (C,)
        pieces = -(-max(SHARES, len(images) // IMAGES) // len(classes))
        tasks = [(k, some) for k, chosen in enumerate(classes) for some in np.array_split(chosen, pieces) if len(some)]
        self.shares = share_out(lambda task: self._sort(*task), tasks)

    def __repr__(self) -> str:
        return described(self, images=self.images, size=self.size, circular=self.circular, shares=len(self.shares))

    def of(self, used: Sequence[int]) -> "Clusters":
        """The windows of the classes with the numbers `used` alone."""
        other = copy.copy(self)
        other.shares = [share for share in self.shares if share.class_number in used]
        return other

    @property
    def plain(self) -> int:
        """How many windows are only counted."""
        return sum(share.plain for share in self.shares)

    @property
    def count(self) -> int:
        """How many windows there are in all."""
        return self.plain + sum(share.count for share in self.shares)

    def _sort(self, class_number, chosen):
        _, rows, columns = self.shape(self.images)
        rounded = np.empty((len(self.patterns), len(chosen) * rows * columns), np.uint8)  # (P, windows)
        plain = np.empty(rounded.shape[1], np.bool_)  # (windows,)
        scale = self.common, self.least, self.step
        project_all(self.images, chosen, self.wave, self.patterns, self.circular, *scale, rounded, plain)
        (kept,) = (~plain).nonzero()  # (kept,)
        rounded = rounded[:, kept]  # (P, kept)
        codes = curve(rounded)  # (kept,)
        order = codes.argsort()  # (kept,)
        groups = -(-len(order) // LANES)
        order = order[np.minimum(np.arange(groups * LANES), len(order) - 1)]  # (groups * LANES,)
        boxes = rounded[:, order].reshape(len(rounded), groups, LANES)  # (P, groups, LANES)
        boxes = np.stack([boxes.min(2), boxes.max(2)])  # (2, P, groups)
        places = chosen[kept // (rows * columns)] * (rows * columns) + kept % (rows * columns)  # (kept,)
        order, codes = places[order].astype(np.uint32), codes[order[::LANES]]  # (groups * LANES,), (groups,)
        return Share(class_number, order, boxes, codes, len(kept), int(plain.sum()))

    def queries(self, x: Array) -> tuple[Array, Array]:
        """Windows of a noisy batch (B, H, W, C): (M, size * size * C); and their projections, (P, M). M = B * h * w."""
        channels = x.shape[3]
        if self.circular:
            r = self.size // 2
            x = np.pad(x, ((0, 0), (r, r), (r, r), (0, 0)), mode="wrap")
        windows = np.lib.stride_tricks.sliding_window_view(x, (self.size, self.size), (1, 2))  # (B, h, w, C, k, k)
        flat = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, self.size * self.size * channels)  # (M, k * k * C)
        down, across = self.wave[self.patterns[:, 0]], self.wave[self.patterns[:, 1]]  # (P, k) each
        patterns = (down[:, :, None] * across[:, None, :]).reshape(len(down), -1)  # (P, k * k)
        patterns = np.repeat(patterns / math.sqrt(channels), channels, axis=1)  # (P, k * k * C)
        return flat, (patterns @ flat.T).astype(x.dtype)

    def codes(self, projections: Array) -> Array:
        """Where projections (P, M) lie on the curve: (M,)."""
        return curve(np.clip((projections - self.least) / self.step, 0, LEVELS - 1).astype(np.uint8))

    def weigh_plain(self, windows: Array, alpha: float, sigma: float, moments: bool = False) -> Part:
        """(top, num, den) of the windows that show nothing but the most frequent pixel, all at once."""
        common = self.common.astype(np.float64)  # (C,)
        difference = windows.reshape(len(windows), -1, len(common)) - alpha * common  # (M, k * k, C)
        top = (difference**2).sum((1, 2)) / (-2 * sigma**2)  # (M,)
        den = np.full(len(windows), float(self.plain))  # (M,)
        part = (top if self.plain else np.full_like(top, -np.inf)), den[:, None] * common, den
        return (*part, den * (common**2).sum(), np.zeros_like(den)) if moments else part

    def shape(self, x: Array) -> tuple[int, int, int]:
        """(B, h, w): one for each window inside the images of a batch."""
        batch, height, width, _ = x.shape
        lost = 0 if self.circular else self.size - 1
        return batch, height - lost, width - lost


def waves(size: int) -> tuple[Array, Array]:
    """Cosines of unit length, (3, size), and the pairs of them, down and across, that make the patterns: (P, 2)."""
    wave = np.cos(np.pi * np.outer(np.arange(min(3, size)), np.arange(size) + 0.5) / size)  # (3, size)
    wave /= np.linalg.norm(wave, axis=1, keepdims=True)  # (3, size)
    return wave, np.array([pair for pair in PATTERNS if max(pair) < size])


@compiled
def project_all(images, chosen, wave, patterns, circular, common, least, step, rounded, plain):
    """Fill `rounded` (P, windows) with the projections of the windows of `images[chosen]`, and `plain` (windows,) with
    whether one shows nothing but `common`.

    A pattern is a wave down times a wave across, so rows are projected first.
    """
    _, height, width, channels = images.shape
    size, radius = wave.shape[1], wave.shape[1] // 2 if circular else 0
    rows, columns = (height, width) if circular else (height - size + 1, width - size + 1)
    gray = np.empty((rows + size - 1, columns + size - 1))
    other = np.empty(gray.shape, np.uint8)
    across = np.empty((len(wave), rows + size - 1, columns))
    other_across = np.empty((rows + size - 1, columns), np.uint8)
    value, seen = np.empty(columns), np.empty(columns, np.uint8)
    for n in range(len(chosen)):
        image = images[chosen[n]]
        for i in range(len(gray)):
            for j in range(gray.shape[1]):
                p, q = (i - radius) % height, (j - radius) % width
                gray[i, j], other[i, j] = 0, 0
                for c in range(channels):
                    gray[i, j] += image[p, q, c] / math.sqrt(channels)
                    other[i, j] |= image[p, q, c] != common[c]
            for k in range(len(wave)):
                across[k, i] = 0
                for b in range(size):
                    for j in range(columns):
                        across[k, i, j] += wave[k, b] * gray[i, j + b]
            other_across[i] = 0
            for b in range(size):
                for j in range(columns):
                    other_across[i, j] |= other[i, j + b]
        for i in range(rows):
            first = (n * rows + i) * columns
            seen[:] = 0
            for a in range(size):
                for j in range(columns):
                    seen[j] |= other_across[i + a, j]
            for j in range(columns):
                plain[first + j] = seen[j] == 0
            for k in range(len(patterns)):
                value[:] = 0
                for a in range(size):
                    for j in range(columns):
                        value[j] += wave[patterns[k, 0], a] * across[patterns[k, 1], i + a, j]
                for j in range(columns):
                    rounded[k, first + j] = int((value[j] - least) / step)


@compiled
def curve(rounded):
    """Places on the Morton curve: the bits of all projections (P, n) in turn, highest first. Returns (n,) integers."""
    projections, count = rounded.shape
    codes = np.empty(count, np.uint64)
    for n in range(count):
        code = np.uint64(0)
        for bit in range(7, -1, -1):
            for k in range(projections):
                code = (code << np.uint64(1)) | np.uint64((rounded[k, n] >> bit) & 1)
        codes[n] = code
    return codes
