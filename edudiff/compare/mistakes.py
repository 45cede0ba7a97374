"""One-line mistakes that people make, to see what they look like, and for `diagnose` to be held to.

Each table is {name of the mistake: what makes it}; the names are those of `diagnose`. `DENOISERS` turn a right denoiser
into one with the mistake, `SCHEDULES` are noise schedules, `SAMPLERS` are loops from noise to images.
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from edudiff import forward, reverse, schedule
from edudiff.schedule import Schedule
from edudiff.support.arrays import array_namespace
from edudiff.support.types import Array, Denoiser

SIGMA_DATA = 0.5  # what the wrong c_in takes for the images' standard deviation


def _c_in(alpha: float, sigma: float) -> float:
    return 1 / ((alpha * SIGMA_DATA) ** 2 + sigma**2) ** 0.5


def _drawn_again(denoise: Denoiser) -> Denoiser:
    rng = np.random.default_rng(0)

    def wrong(x, alpha, sigma):
        return denoise(x, alpha, sigma) + (0.1 * rng.standard_normal(x.shape)).astype(x.dtype)  # (B, ...)

    return wrong


def _batch_broadcast(denoise: Denoiser) -> Denoiser:
    def wrong(x, alpha, sigma):
        x0_hat = denoise(x, alpha, sigma)  # (B, ...)
        return 0.5 * x0_hat + 0.5 * x0_hat.mean(axis=0, keepdims=True)  # (B, ...)

    return wrong


def _clipped(denoise: Denoiser) -> Denoiser:
    return lambda x, alpha, sigma: array_namespace(x).clip(denoise(x, alpha, sigma), 0, 1)  # (B, ...)


DENOISERS: dict[str, Callable[[Denoiser], Any]] = {
    "noise instead of x0": lambda denoise: lambda x, a, s: forward.noise_from_x0(x, denoise(x, a, s), a, s),
    "score instead of x0": lambda denoise: lambda x, a, s: forward.score_from_x0(x, denoise(x, a, s), a, s),
    "velocity instead of x0": lambda denoise: lambda x, a, s: forward.velocity_from_x0(x, denoise(x, a, s), a, s),
    "wrong sign": lambda denoise: lambda x, a, s: -denoise(x, a, s),
    "signal not divided out": lambda denoise: lambda x, a, s: a * denoise(x, a, s),
    "missing square root of sigma": lambda denoise: lambda x, a, s: denoise(x, a, s**2),
    "time reversed": lambda denoise: lambda x, a, s: denoise(x, s, a),
    "noise level ignored": lambda denoise: lambda x, a, s: denoise(x, 0.5**0.5, 0.5**0.5),
    "images in [0, 1]": lambda denoise: lambda x, a, s: (denoise(2 * x - a, a, 2 * s) + 1) / 2,
    "input scaled twice": lambda denoise: lambda x, a, s: denoise(x * _c_in(a, s), a, s),
    "axes swapped": lambda denoise: lambda x, a, s: denoise(x, a, s).swapaxes(1, 2),
    "batch mixed": _batch_broadcast,
    "answers clipped": _clipped,
    "random answers": _drawn_again,
    "wrong dtype": lambda denoise: lambda x, a, s: denoise(x, a, s).astype("float64"),
    "wrong shape": lambda denoise: lambda x, a, s: denoise(x, a, s)[..., 0],
}


def _alpha_bar(t):
    return schedule.ddpm_linear().alpha(t) ** 2


def _one_minus(t):
    return 1 - _alpha_bar(t)


def _beta(t):
    return (0.1 + 19.9 * t) / 1000  # of one of a thousand steps


SCHEDULES: dict[str, Schedule] = {
    "missing square root of sigma": Schedule("sigma = 1 - alpha_bar", schedule.ddpm_linear().alpha, _one_minus),
    "missing square root of alpha": Schedule("alpha = alpha_bar", _alpha_bar, schedule.ddpm_linear().sigma),
    "beta for 1 - alpha_bar": Schedule("sigma = sqrt(beta)", schedule.ddpm_linear().alpha, lambda t: _beta(t) ** 0.5),
    "time reversed": Schedule("1 - t for t", schedule.cosine().sigma, schedule.cosine().alpha),
}


def _loop(
    denoise: Denoiser, schedule: Schedule, x: Array, times: Array, noise: float = 0.0, late: int = 0, short: int = 0
) -> Array:
    """The DDIM loop, with fresh `noise` in each step, levels that come `late` by steps, or that many steps too few."""
    levels = [reverse.Level(*schedule(t), t) for t in times.tolist()]
    rng = np.random.default_rng()
    for i, (now, then) in enumerate(list(pairwise(levels))[: len(levels) - 1 - short]):
        told = levels[min(i + late, len(levels) - 2)]
        x0_hat = denoise(x, told.alpha, told.sigma)  # (B, ...)
        x = reverse.ddim(x, x0_hat, now, then)  # (B, ...)
        x = x + (noise * rng.standard_normal(x.shape)).astype(x.dtype)  # (B, ...)
    return x


def _upwards(denoise: Denoiser, schedule: Schedule, x: Array, times: Array) -> Array:
    return _loop(denoise, schedule, x, times[::-1][1:])  # (B, ...)


SAMPLERS: dict[str, Callable[[Denoiser, Schedule, Array, Array], Array]] = {
    "noise in the last step": partial(_loop, noise=0.1),
    "level of another step": partial(_loop, late=1),
    "loop ends too early": partial(_loop, short=1),
    "steps in the wrong order": _upwards,
}
