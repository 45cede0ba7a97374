"""How new drawn items are, and how different from each other, measured against the training set's own distances."""

import numpy as np

from edudiff.compare.bootstrap import Interval, bootstrap
from edudiff.compare.metrics import nearest
from edudiff.support.arrays import to_numpy
from edudiff.support.distances import squared_distances
from edudiff.support.types import Array

COPY = 0.05  # a drawn item is new if it is further from the training set than this share of its items are


def novelty(x: Array, images: Array, rng: np.random.Generator, draws: int = 200) -> dict[str, Interval]:
    """How new the items of `x` (B, ...) are, given the training set `images` (N, ...): a dict of bootstrap `Interval`s.

    `ratio`: the median distance to the nearest training item, over the median distance of a training item to its
    nearest other: 0 is a copy, 1 is as new as a further item of the data. `new`: the share of items that are further
    from the training set than all but the closest 5 % of the training items are from each other. The ratio is NaN where
    half of the training items are there twice: then they are no distance to compare with.
    """
    own = to_numpy(nearest(images, images, leave_out=True)[1])  # (N,)
    distance = to_numpy(nearest(x, images)[1])  # (B,)
    unit = float(np.median(own)) or np.nan
    return {
        "ratio": bootstrap(lambda i: np.median(distance[i]) / unit, len(distance), rng=rng, draws=draws),
        "new": bootstrap(lambda i: (distance[i] > np.quantile(own, COPY)).mean(), len(distance), rng=rng, draws=draws),
    }


def diversity(x: Array, images: Array, rng: np.random.Generator, draws: int = 200) -> Interval:
    """The mean distance between two items of `x` (B, ...), over that between two of `images` (N, ...): an `Interval`.

    0 if all are the same, 1 if they differ as the training items do; NaN if those are all the same. Pairs are of
    different items.
    """
    own, among = _pairs(images), _pairs(x)  # (N, N), (B, B)
    whole = float(own.sum()) / (len(own) * (len(own) - 1)) or np.nan

    def statistic(i):
        chosen = among[np.ix_(i, i)]  # (B, B)
        different = i[:, None] != i  # (B, B), an item drawn twice is no pair
        return chosen.sum() / max(1, different.sum()) / whole

    return bootstrap(statistic, len(among), rng=rng, draws=draws)


def _pairs(x):
    """Root-mean-square distances of all pairs, (B, B) on the host, 0 on the diagonal."""
    if len(x) < 2:
        raise ValueError(f"a set of shape {x.shape} has no pairs, expected at least two items")
    rows = to_numpy(x).reshape(len(x), -1)  # (B, D)
    return np.sqrt(squared_distances(rows, rows) / rows.shape[1])
