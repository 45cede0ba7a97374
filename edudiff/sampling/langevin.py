"""Langevin dynamics: a walk at one noise level that climbs the score and draws noise, and the same down a grid."""

import math
from collections.abc import Iterator
from itertools import pairwise

from edudiff.forward import score_from_x0
from edudiff.reverse import Level, Step
from edudiff.schedule import Schedule
from edudiff.support import checks
from edudiff.support.random import as_streams, standard_normal
from edudiff.support.types import Array, Denoiser, Rng


def langevin_steps(
    denoise: Denoiser, x: Array, alpha: float, sigma: float, steps: int, rng: Rng, size: float = 0.1
) -> Iterator[Array]:
    """Walk `x` (B, ...) at one noise level: x' = x + step * score + (2 step)^0.5 noise, with step = `size` * sigma^2.

    Yields the batch after each of `steps`. For small steps it draws from the density whose slope the score is, if there
    is one; on a normal law of variance V, from one of variance V / (1 - step / 2V), exactly: V is at least sigma^2, so
    that `size` is the most by which a step can matter. There is no accept and reject. Raises ValueError unless 0 <
    `size` <= 1, and as soon as the walk leaves the finite numbers.
    """
    checks.batch(x)
    alpha, sigma = checks.levels(alpha, sigma)
    checks.integer(steps, "steps")
    level, size = Level(alpha, sigma, math.nan), _checked(size)
    return _walk(denoise, x, level, steps, as_streams(rng, len(x)), size)


def _walk(denoise, x, level, steps, streams, size):
    step = size * level.sigma**2
    for i in range(steps):
        x0_hat = denoise(x, level.alpha, level.sigma)  # (B, ...)
        checks.answer(x0_hat, x, i, level)
        score = score_from_x0(x, x0_hat, level.alpha, level.sigma)  # (B, ...)
        x = x + step * score + math.sqrt(2 * step) * standard_normal(streams, x.shape, like=x)  # (B, ...)
        yield x


def annealed_steps(
    denoise: Denoiser, schedule: Schedule, x: Array, times: Array, rng: Rng, steps: int = 10, size: float = 0.1
) -> Iterator[Step]:
    """Annealed Langevin dynamics: `steps` of `langevin_steps` at each of the falling `times`.

    Song & Ermon 2019, algorithm 1. From one level to the next x only changes its scale, by the ratio of the alphas: the
    noise has to leave by the walk alone. Yields a `Step` for each level but the last, with x after the walk there; at a
    last level without noise x is the answer of the denoiser. Errors as for
    `langevin_steps`; ValueError where alpha = 0.
    """
    levels = [Level(*level) for level in checks.grid(x, schedule, times)]
    checks.signal(levels[0].alpha, levels[0].t, schedule.name)
    checks.integer(steps, "steps")
    size = _checked(size)
    return _anneal(denoise, x, levels, steps, as_streams(rng, len(x)), size)


def _anneal(denoise, x, levels, steps, streams, size):
    for i, (now, then) in enumerate(pairwise(levels)):
        for walked in _walk(denoise, x, now, steps, streams, size):
            x = walked  # (B, ...)
        x0_hat = denoise(x, now.alpha, now.sigma)  # (B, ...)
        checks.answer(x0_hat, x, i, now)
        x_next = then.alpha * x0_hat if then.sigma == 0 else then.alpha / now.alpha * x  # (B, ...)
        yield Step(i, now.t, then.t, now.alpha, now.sigma, x, x0_hat, x_next)
        x = x_next


def _checked(size):
    if not 0 < size <= 1:
        raise ValueError(f"size is {size}, expected 0 < size <= 1: a step in units of sigma^2")
    return float(size)
