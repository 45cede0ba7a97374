"""How far what is drawn is from the data, as laws: sliced Wasserstein and energy distance, Frechet distance."""

import math

import numpy as np

from edudiff.compare.bootstrap import Interval, bootstrap
from edudiff.denoisers.law import frechet, moments
from edudiff.support.arrays import to_numpy
from edudiff.support.distances import squared_distances
from edudiff.support.types import Array

DIRECTIONS = 64
CELLS = 4  # the feature space looks at 4 x 4 parts of a picture


def distances(x: Array, data: Array, rng: np.random.Generator, draws: int = 200) -> dict[str, Interval]:
    """All distances of two sets of items, (B, ...) and (N, ...), each an `Interval`: a dict.

    `sliced_wasserstein` and `energy` on the items as they are, `frechet` on the `features` of pictures, on points as
    they are. Finite samples of one and the same law are apart too: compare with the distance of two halves of the data.
    """
    a, b = (to_numpy(s).reshape(len(s), -1).astype("float64") for s in (x, data))  # (B, D), (N, D)
    pairs = _pairs(a, b)
    seen = [features(to_numpy(s)) if s.ndim == 4 else f for s, f in ((x, a), (data, b))]  # (B, F), (N, F)
    slices = [s @ directions(a.shape[1]).T for s in (a, b)]  # (B, K), (N, K)
    statistics = {
        "sliced_wasserstein": lambda i, j: _transport(slices[0][i], slices[1][j]),
        "energy": lambda i, j: _energy(pairs, i, j),
        "frechet": lambda i, j: frechet(*moments(seen[0][i]), *moments(seen[1][j])),
    }
    return {
        name: bootstrap(statistic, len(a), len(b), rng=rng, draws=draws, reflect=True)
        for name, statistic in statistics.items()
    }


def sliced_wasserstein(x: Array, y: Array, count: int = DIRECTIONS) -> float:
    """The root of the mean squared 2-Wasserstein distance of the projections on `count` directions (Rabin et al. 2011).

    `x`: (B, D), `y`: (N, D). On a line the optimal transport pairs quantiles. See `directions`, which are fixed.
    """
    lines = directions(x.shape[1], count).T  # (D, K)
    return _transport(x @ lines, y @ lines)


def energy_distance(x: Array, y: Array) -> float:
    """sqrt(2 E|X - Y| - E|X - X'| - E|Y - Y'|), 0 only for equal laws (Szekely & Rizzo 2013). (B, D), (N, D)."""
    return _energy(_pairs(x, y), np.arange(len(x)), np.arange(len(y)))


def directions(width: int, count: int = DIRECTIONS) -> Array:
    """`count` unit vectors, (count, width): equally spaced on the half circle in the plane, else drawn from seed 0."""
    if width == 1:
        return np.ones((1, 1))
    if width == 2:
        angle = math.pi * (np.arange(count) + 0.5) / count  # (K,)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)  # (K, 2)
    normal = np.random.default_rng(0).standard_normal((count, width))  # (K, D)
    return normal / np.sqrt((normal**2).sum(1, keepdims=True))


def features(images: Array) -> Array:
    """What the Frechet distance of pictures looks at, (B, H, W, C) to (B, 16 C + 32), nothing in it learned:

    1. the mean of each channel in 4 x 4 equal parts of the picture, 16 C numbers: what is where, coarsely;
    2. the mean absolute difference of the gray picture between neighbors, across and down, in the same parts, 32
       numbers: how much detail there is, and where.
    """
    gray = images.mean(3)  # (B, H, W)
    down, across = (np.abs(np.diff(gray, axis=axis)) for axis in (1, 2))  # (B, H - 1, W), (B, H, W - 1)
    return np.concatenate([_parts(a) for a in (images, down, across)], axis=1)  # (B, 16 C + 32)


def _parts(a):
    """Means over 4 x 4 parts, which differ by one row or column at most: (B, H, W, C) or (B, H, W) to (B, 16 C)."""
    for axis in (1, 2):
        parts = np.array_split(a, CELLS, axis=axis)
        if min(part.shape[axis] for part in parts) == 0:
            raise ValueError(f"a picture of shape {a.shape[1:]} is too small for {CELLS} x {CELLS} parts")
        a = np.concatenate([part.mean(axis, keepdims=True, dtype="float64") for part in parts], axis=axis)
    return a.reshape(len(a), -1)


def _transport(a, b):
    """The root mean squared distance of the quantiles of each column: (B, K), (N, K)."""
    a, b = np.sort(a, axis=0), np.sort(b, axis=0)  # (B, K), (N, K)
    at = np.unique(np.concatenate([np.arange(1, len(s) + 1) / len(s) for s in (a, b)]).round(12))  # (Q,)
    middle = at - np.diff(at, prepend=0) / 2  # (Q,) of each piece on which both quantile functions are constant
    pieces = [s[(middle * len(s)).astype(int)] for s in (a, b)]  # (Q, K) each
    return math.sqrt(float(np.diff(at, prepend=0) @ ((pieces[0] - pieces[1]) ** 2).mean(1)))


def _pairs(x, y):
    """The distances of all pairs in x (B, D), between x and y (N, D), and in y: (B, B), (B, N), (N, N)."""
    return [np.sqrt(squared_distances(a, b)) for a, b in ((x, x), (x, y), (y, y))]


def _energy(pairs, i, j):
    """The energy distance of the chosen items `i` (B,) and `j` (N,) of two sets, each as often as it is in there."""
    p, q = (np.bincount(index, minlength=len(index)) / len(index) for index in (i, j))  # (B,), (N,) weights
    xx, xy, yy = pairs
    return math.sqrt(max(0.0, float(2 * p @ xy @ q - p @ xx @ p - q @ yy @ q)))
