"""Where the reverse process stops on its way: time grids that are spaced by noise level."""

import math
from typing import Any

import numpy as np

from edudiff.schedule import Schedule
from edudiff.support import checks
from edudiff.support.types import Array

HALVINGS = 60  # of [0, 1]: to the last bit of a time


def times(schedule: Schedule, steps: int, rho: float = 7.0, sigma_min: float = 0.002, sigma_max: float = 80.0) -> Array:
    """Times at which (sigma / alpha)^(1 / rho) is equally spaced: (steps + 1,), falling (Karras et al. 2022, eq. 5).

    From `sigma_max`, or the schedule's largest sigma / alpha, if that is less, to `sigma_min`, and then to t = 0. So
    most of the steps are where there is little noise, the more the larger `rho`; 1 spaces sigma / alpha equally. Where
    a schedule has noise left at t = 0, as `log_linear` has, the grid ends there. Raises ValueError for levels or a
    `rho` out of range.
    """
    checks.integer(steps, "steps")
    checks.positive(rho, "rho")
    if not 0 < sigma_min < sigma_max < math.inf:
        raise ValueError(f"sigma_min, sigma_max are {sigma_min}, {sigma_max}, expected 0 < sigma_min < sigma_max")
    (alpha, sigma), (alpha_end, sigma_end) = schedule(1.0), schedule(0.0)
    most = min(sigma_max, sigma / alpha) if alpha > 0 else sigma_max
    least, free = max(sigma_min, sigma_end / alpha_end), sigma_end == 0
    if least >= most:
        raise ValueError(f"sigma_min is {sigma_min}, expected less than the schedule's largest sigma / alpha, {most:g}")
    ratios = np.linspace(most ** (1 / rho), least ** (1 / rho), steps + (not free)) ** rho  # (steps,) or (steps + 1,)
    grid = time_of(schedule, ratios)  # the same shape
    return np.append(grid, 0.0) if free else np.append(grid[:-1], 0.0)  # (steps + 1,)


def time_of(schedule: Schedule, ratio: Any) -> Any:
    """The time at which sigma / alpha is `ratio`, for a number or an array of them: float64, by halving [0, 1].

    A ratio that the schedule does not reach has the time of its nearest end.
    """
    ratio = np.asarray(ratio, dtype="float64")
    low, high = np.zeros_like(ratio), np.ones_like(ratio)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        alpha, sigma = schedule(middle)
        below = sigma < ratio * alpha
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.where(high == 1, high, low) if ratio.ndim else float(high if high == 1 else low)
