"""Random streams: each image has its own, so that it is the same in every batch, dtype and place."""

from collections.abc import Sequence

import numpy as np

from edudiff.support.arrays import move
from edudiff.support.types import Array, Rng


def streams(seed: int, count: int | Sequence[int]) -> list[np.random.Generator]:
    """One independent random stream for each image: a list of `numpy.random.Generator`.

    `seed`: an integer >= 0. `count`: a count, or the images' numbers (a range, a list). Image 7 of seed 3 has
    the same stream in every batch that it is part of.

    >>> [one] = streams(3, [7])
    >>> one.standard_normal() == streams(3, 10)[7].standard_normal()
    True
    """
    numbers = range(count) if hasattr(count, "__index__") else count
    return [np.random.default_rng((seed, number)) for number in numbers]


def as_streams(rng: Rng, count: int) -> list[np.random.Generator]:
    """`rng` as a list of `count` generators: a list is checked, a single generator draws a seed for `streams`.

    One draw however many images there are (`rng.spawn` would count them), so that later draws do not depend on it.
    """
    if isinstance(rng, np.random.Generator):
        return streams(int(rng.integers(2**63)), count)
    if not isinstance(rng, list | tuple) or not all(isinstance(r, np.random.Generator) for r in rng):
        raise TypeError(
            f"rng is {type(rng).__name__}, expected a numpy.random.Generator, or a list with one for each image"
            " (edudiff.support.random.streams)"
        )
    if len(rng) != count:
        raise ValueError(f"rng has {len(rng)} streams for a batch of {count}; expected one for each image")
    return list(rng)


def standard_normal(rng: Rng, shape: Sequence[int], like: Array | None = None) -> Array:
    """Standard normal noise of `shape` (B, ...), image b drawn from its own stream.

    Drawn on the host in float64, then cast to the dtype and moved to the device of `like`, so that a seed is the same
    image everywhere. `rng`: a Generator or a list of B of them. Raises ValueError if the counts differ, TypeError
    for a `like` of integers.
    """
    if like is not None and like.dtype.kind != "f":
        raise TypeError(f"like has dtype {like.dtype}, expected floats: noise is no whole number")
    count, *item = shape
    noise = np.stack([r.standard_normal(item) for r in as_streams(rng, count)])  # (B, ...)
    return noise if like is None else move(noise.astype(like.dtype), like)
