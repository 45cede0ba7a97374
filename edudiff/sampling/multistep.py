"""A step of second order that asks the denoiser once: it remembers the answer before (DPM-Solver++ 2M)."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from edudiff.reverse import Level, Step, ddim
from edudiff.schedule import Schedule
from edudiff.support import checks
from edudiff.support.types import Array, Denoiser


def extrapolated(x0_hat: Array, before: Array, last: Level, now: Level, then: Level) -> Array:
    """What the denoiser will answer halfway from `now` to `then`, by the line through its last two answers: (B, ...).

    In the variable log(alpha / sigma): `before` is its answer at `last`, `x0_hat` at `now` (Lu et al. 2022, alg. 2).
    """
    been, to_go = (_log(b) - _log(a) for a, b in ((last, now), (now, then)))
    return x0_hat + to_go / (2 * been) * (x0_hat - before)  # (B, ...)


def multistep_steps(denoise: Denoiser, schedule: Schedule, x: Array, times: Array) -> Iterator[Step]:
    """DDIM steps with the extrapolated answer instead of the last one: of order 2 at the price of order 1.

    As `edudiff.reverse.steps`, which see. The first step has no answer before it, the step to sigma = 0 leads
    infinitely far in log(alpha / sigma), and where alpha = 0 that is minus infinity: these are DDIM steps.
    """
    levels = [Level(*level) for level in checks.grid(x, schedule, times)]
    return _walk(denoise, levels, x)


def _walk(denoise, levels, x):
    last: Any = None
    before: Any = None
    for i, (now, then) in enumerate(pairwise(levels)):
        x0_hat = denoise(x, now.alpha, now.sigma)  # (B, ...)
        checks.answer(x0_hat, x, i, now)
        plain = last is None or last.alpha == 0 or then.sigma == 0
        ahead = x0_hat if plain else extrapolated(x0_hat, before, last, now, then)  # (B, ...)
        x_next = ddim(x, ahead, now, then)  # (B, ...)
        yield Step(i, now.t, then.t, now.alpha, now.sigma, x, x0_hat, x_next)
        x, last, before = x_next, now, x0_hat


def _log(level):
    return math.log(level.alpha) - math.log(level.sigma)
