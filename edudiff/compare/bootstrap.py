"""How sure a measured number is: measure again on samples drawn from the sample (Efron 1979)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator

from edudiff.support.types import Array

Statistic = Callable[..., Any]  # a number, from the numbers of the chosen items of each sample


class Interval(NamedTuple):
    """A measured `value` and the ends of its bootstrap interval."""

    value: float
    low: float
    high: float


def bootstrap(
    statistic: Statistic, *counts: int, rng: Generator, draws: int = 200, level: float = 0.95, reflect: bool = False
) -> Interval:
    """An `Interval` for `statistic(index, ...)`, a number that is measured on the chosen items of each sample.

    `counts`: the size of each sample; `statistic` gets one array of item numbers for each, first all items, then
    `draws` times as many drawn with replacement. The ends are quantiles of what comes out; with `reflect` they are
    mirrored at the value, 2 value - quantile, but not below 0. That is for distances of two sets, which are too large
    in every finite sample and again in every resample: the interval is for the distance of the laws, and may lie
    below the value. `rng`: a numpy.random.Generator.

    A share that is 0 or 1 in the sample is so in every resample: its interval has no width, and says nothing.
    Raises ValueError for an empty sample, fewer than 20 draws, or a level outside (0, 1).
    """
    if not counts or min(counts) < 1:
        raise ValueError(f"samples of {counts} items, expected at least one sample, and one item in each")
    if draws < 20 or not 0 < level < 1:
        raise ValueError(f"draws, level are {draws}, {level}, expected at least 20 draws and 0 < level < 1")
    value = float(statistic(*map(np.arange, counts)))
    again = [float(statistic(*(rng.integers(n, size=n) for n in counts))) for _ in range(draws)]
    low, high = np.quantile(again, [(1 - level) / 2, (1 + level) / 2]).tolist()
    if reflect:
        low, high = max(0.0, 2 * value - high), max(0.0, 2 * value - low)
    return Interval(value, low, high)


def interval(statistic: Statistic, values: Array) -> list[float]:
    """[value, low, high]: a `statistic` of the `values` (B,), such as np.median, and its 95 % interval, for JSON."""
    return list(bootstrap(lambda i: statistic(values[i]), len(values), rng=np.random.default_rng(0), draws=1000))
