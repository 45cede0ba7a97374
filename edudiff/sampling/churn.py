"""Stochastic churn: before each step, go back up a little with fresh noise, which forgets the errors made so far."""

import math
from collections.abc import Iterator
from itertools import pairwise

from edudiff.reverse import Level, Step, heun
from edudiff.sampling.spacing import time_of
from edudiff.schedule import Schedule
from edudiff.support import checks
from edudiff.support.random import as_streams, standard_normal
from edudiff.support.types import Array, Denoiser, Rng

MOST = math.sqrt(2) - 1  # the largest share by which sigma / alpha is raised in one step


def churn_steps(
    denoise: Denoiser,
    schedule: Schedule,
    x: Array,
    times: Array,
    rng: Rng,
    churn: float = 10.0,
    low: float = 0.05,
    high: float = 50.0,
    noise: float = 1.0,
) -> Iterator[Step]:
    """Heun's steps, each from a level that is first raised with fresh noise (Karras et al. 2022, algorithm 2).

    `churn`: their S_churn, shared by all steps: each raises sigma / alpha by the factor 1 + min(churn / steps, 2^0.5 -
    1), where it lies between `low` and `high`; 0 is Heun's method. `noise`: the standard deviation of the fresh noise,
    1 for exact denoisers. The rest as for `edudiff.reverse.steps`; a `Step` is at the raised level. Raises ValueError
    for numbers out of range.
    """
    if not (churn >= 0 and 0 <= low < high and noise > 0):
        raise ValueError(
            f"churn, low, high, noise are {churn}, {low}, {high}, {noise}, expected churn >= 0, 0 <= low < high, noise"
            " > 0"
        )
    levels = [Level(*level) for level in checks.grid(x, schedule, times)]
    factor = 1 + min(churn / (len(levels) - 1), MOST)
    streams = as_streams(rng, len(x))
    return _walk(denoise, schedule, levels, x, factor, (low, high), float(noise), streams)


def _walk(denoise, schedule, levels, x, factor, reach, noise, streams):
    for i, (now, then) in enumerate(pairwise(levels)):
        if factor > 1 and reach[0] * now.alpha <= now.sigma <= reach[1] * now.alpha:
            x, now = raised(x, now, factor, schedule, noise * standard_normal(streams, x.shape, like=x))
        x0_hat = denoise(x, now.alpha, now.sigma)  # (B, ...)
        checks.answer(x0_hat, x, i, now)
        x_next = heun(x, x0_hat, now, then, denoise)  # (B, ...)
        yield Step(i, now.t, then.t, now.alpha, now.sigma, x, x0_hat, x_next)
        x = x_next


def raised(x: Array, now: Level, factor: float, schedule: Schedule, noise: Array) -> tuple[Array, Level]:
    """`x` (B, ...) with so much more `noise` that sigma / alpha is `factor` times as large, and the level there.

    Not beyond the level of the schedule's t = 1. What is added to x / alpha has the variance of the difference.
    """
    if now.alpha == 0:
        return x, now
    t = time_of(schedule, factor * now.sigma / now.alpha)
    up = Level(*schedule(t), t)
    if up.alpha == 0 or up.sigma / up.alpha <= now.sigma / now.alpha:
        return x, now
    extra = math.sqrt((up.sigma / up.alpha) ** 2 - (now.sigma / now.alpha) ** 2)
    return up.alpha * (x / now.alpha + extra * noise), up  # (B, ...)
