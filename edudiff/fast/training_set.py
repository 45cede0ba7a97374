"""What the kernels of `Patch` keep of a training set, and which of the two kernels a query is for."""

import math

import numpy as np

from edudiff.fast import patch, pruned
from edudiff.fast.clusters import Clusters

LEAST_PAIRS = 1 << 30  # of windows, for one picture: with fewer, comparing all is quicker than sorting them
QUERIES, WINDOWS = 64, 256  # windows of the noisy batch and of the training set that are compared for a guess
MATTER = 100.0  # of the share that matters, times values in a window and its area: more than this never paid


class TrainingSet:
    """The pictures `images` (N, H, W, C), in `classes`: a list of arrays of places in `images`.

    The windows that are sorted when that pays are shared by the training sets that `of` returns.
    """

    def __init__(self, images, classes):
        self.images, self.classes, self.used = np.ascontiguousarray(images), classes, range(len(classes))
        self._kept: dict = {}

    def of(self, k):
        """Class number k alone."""
        other = object.__new__(TrainingSet)
        other.images, other.classes, other.used, other._kept = self.images, self.classes, range(k, k + 1), self._kept
        return other

    def __len__(self):
        return sum(len(self.classes[k]) for k in self.used)

    def blocks(self):
        """The pictures in blocks of one class: see `patch.blocks_of`."""
        return patch.blocks_of([self.classes[k] for k in self.used])

    def clusters(self, size, circular):
        """The windows of one size, sorted. Only those asked for last are kept: they take 6 bytes a window."""
        if (size, circular) not in self._kept:
            self._kept.clear()
            self._kept[size, circular] = Clusters(self.images, self.classes, size, circular)
        return self._kept[size, circular].of(self.used)


def evaluate(x, training_set, alpha, sigma, sizes, shifts, padding, typical, offsets, tolerance):
    """As `windows.evaluate`: a list of (top, num, den), one for each size; and the share of all pairs that was skipped.

    `offsets`: what the tops lack, (B, H, W) for each size. `tolerance`: the share of the weights that may be left out
    unseen; 0: none. Each picture is for the kernel that it would be for alone, so that it does not depend on the batch.
    """
    count, rest, skipped = len(training_set), [], 0.0
    found = {}
    for b in range(len(x)):
        inside = None
        if tolerance and shifts and len(sizes) == 1:
            inside = _sorted_windows(
                x[b : b + 1], training_set, alpha, sigma, sizes[0], padding == "circular", tolerance
            )
        if inside is None:
            rest.append(b)
        else:
            found[b], share = inside
            skipped += share / len(x)
    query = training_set.images, training_set.blocks(), count, alpha, sigma, sizes, shifts, padding
    if not found:
        return patch.evaluate(x, *query, typical), 0.0
    others, r = list(found), 0 if padding == "circular" else sizes[0] // 2
    parts = np.empty(x.shape[:3]), np.empty(x.shape), np.empty(x.shape[:3])  # (B, H, W), (B, H, W, C), (B, H, W)
    if r:  # windows that stick out of the picture are few: they are compared with all that stick out alike
        _put(parts, others, patch.evaluate(x[others], *query, typical[others], edges_only=True)[0])
    if rest:
        _put(parts, rest, patch.evaluate(x[rest], *query, typical[rest])[0])
    middle = slice(r, x.shape[1] - r), slice(r, x.shape[2] - r)
    for b, (top, num, den) in found.items():
        _put([array[(slice(None), *middle)] for array in parts], [b], (top - offsets[0][b][middle], num, den))
    return [parts], skipped


def _put(parts, places, some):
    """Write (top, num, den) of some pictures to their places among all."""
    for array, part in zip(parts, some, strict=True):
        array[places] = part


def _sorted_windows(x, training_set, alpha, sigma, size, circular, tolerance):
    """`pruned.evaluate` of one picture, and the share of pairs it skipped; None if comparing all pairs is quicker."""
    if not may_pay(x, training_set, alpha, sigma, size, circular, tolerance):
        return None
    clusters = training_set.clusters(size, circular)
    found = pruned.evaluate(x, clusters, alpha, sigma, tolerance)
    if found is None:
        return None
    parts, compared = found
    return parts, 1 - compared / (math.prod(clusters.shape(x)) * clusters.count)


def may_pay(x, training_set, alpha, sigma, size, circular, tolerance):
    """Is it worth sorting the windows of this size? False where too many of them matter at this noise level.

    A window that shows one value only does not count: such windows are not compared one by one.
    """
    _, height, width, channels = x.shape
    lost = 0 if circular else size - 1
    places = max(height - lost, 0) * max(width - lost, 0)
    if alpha == 0 or size == 1 or places == 0 or places * places * len(training_set) < LEAST_PAIRS:
        return False
    chosen = np.concatenate([training_set.classes[k] for k in training_set.used])
    few = training_set.images[chosen[np.linspace(0, len(chosen) - 1, WINDOWS).astype(int)]]  # (WINDOWS, H, W, C)
    queries, windows = some_windows(x, size, QUERIES), some_windows(few, size, WINDOWS)  # (QUERIES, D), (WINDOWS, D)
    logits = ((queries[:, None] - alpha * windows) ** 2).sum(-1) / (-2 * sigma**2)  # (QUERIES, WINDOWS)
    weights = np.exp(logits - logits.max(1, keepdims=True))  # (QUERIES, WINDOWS)
    matter = weights > tolerance * weights.mean(1, keepdims=True)  # (QUERIES, WINDOWS)
    matter &= np.ptp(windows, axis=1) > 0
    return float(matter.mean()) * size**4 * channels < MATTER


def some_windows(x, size, count):
    """`count` windows from all over a batch, (count, size * size * C), float64."""
    batch, height, width, _ = x.shape
    rows, columns = height - size + 1, width - size + 1
    places = (np.arange(count) * (batch * rows * columns // count) + np.arange(count) * 7) % (batch * rows * columns)
    picked = [(p // (rows * columns), p // columns % rows, p % columns) for p in places]
    return np.stack([x[b, i : i + size, j : j + size].ravel() for b, i, j in picked]).astype(np.float64)
