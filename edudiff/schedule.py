"""Noise schedules: how much signal and how much noise an image holds at time t, x = alpha(t) * x0 + sigma(t) * noise.

t runs from 0 (the image) to 1 (noise). A schedule is two functions of t; all else follows from them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from edudiff.support import checks, rounding
from edudiff.support.types import Array

Curve = Callable[[Any], Any]


@dataclass(frozen=True)
class Schedule:
    """A noise schedule; `schedule(t)` is `(alpha, sigma)`.

    `name`: with its settings if they are not the usual ones, "cosine" or "cosine(2.0)". `alpha`, `sigma`: smooth
    functions of t, written with NumPy, for a number or an array of any shape; no lambdas, so that it can be pickled.
    """

    name: str
    alpha: Curve = field(repr=False)
    sigma: Curve = field(repr=False)

    @rounding.to_zero
    def __call__(self, t: Any) -> tuple[Any, Any]:
        """`(alpha, sigma)` at time `t`: two floats for a number, two float64 arrays for an array of times in [0, 1]."""
        times = checks.times(t)
        alpha, sigma = self.alpha(times), self.sigma(times)
        return (alpha, sigma) if times.ndim else (float(alpha), float(sigma))

    def log_snr(self, t: Any) -> Any:
        """log(alpha**2 / sigma**2), falling in t; infinite where sigma = 0, minus infinity where alpha = 0."""
        alpha, sigma = self(t)
        with np.errstate(divide="ignore"):
            ratio = 2 * (np.log(alpha) - np.log(sigma))
        return ratio if np.ndim(t) else float(ratio)

    def times(self, steps: int) -> Array:
        """The grid 1 = t_0 > t_1 > ... > t_steps = 0, equally spaced: float64, (steps + 1,). `steps`: at least 1."""
        return np.linspace(1.0, 0.0, checks.integer(steps, "steps") + 1)  # (steps + 1,)


def cosine(stretch: float = 1.008) -> Schedule:
    """alpha = cos(a), sigma = sin(a) with a = (pi / 2) t / stretch: variance preserving.

    The schedule of Kamb & Ganguli's code (after Nichol & Dhariwal 2021, without their offset). Terminal signal:
    alpha(1) = 0.01247, alpha(1)**2 = 1.554e-4; `stretch=1` leaves none. Raises ValueError if stretch < 1.
    """
    if not (stretch >= 1 and math.isfinite(stretch)):
        raise ValueError(f"stretch is {stretch}, expected a finite number >= 1")
    name, rate = "cosine" if stretch == 1.008 else f"cosine({stretch})", math.pi / 2 / stretch
    return Schedule(name, alpha=partial(_sine, -rate, stretch), sigma=partial(_sine, rate, 0.0))


def _sine(rate, zero, t):
    return np.sin(rate * (t - zero))  # of alpha: cos(rate * t), and exactly 0 at t = stretch = zero


def ddpm_linear(rate_min: float = 0.1, rate_max: float = 20.0) -> Schedule:
    """The noise rate grows linearly in t, log(alpha) = -(rate_min t + (rate_max - rate_min) t**2 / 2) / 2.

    Variance preserving. The continuous form (Song et al. 2021, eq. 32-33) of the 1,000 steps of Ho et al. 2020, whose
    per-step rates grow from 1e-4 to 0.02. Terminal signal: alpha(1)**2 = exp(-10.05) = 4.32e-5. Raises ValueError
    unless 0 < rate_min <= rate_max.
    """
    if not 0 < rate_min <= rate_max < math.inf:
        raise ValueError(f"rate_min, rate_max are {rate_min}, {rate_max}, expected 0 < rate_min <= rate_max")
    name = "ddpm_linear" if (rate_min, rate_max) == (0.1, 20.0) else f"ddpm_linear({rate_min}, {rate_max})"
    return Schedule(name, *(partial(curve, rate_min, rate_max) for curve in (_ddpm_alpha, _ddpm_sigma)))


def _ddpm_alpha(rate_min, rate_max, t):
    return np.exp(-(rate_min * t + (rate_max - rate_min) * t**2 / 2) / 2)


def _ddpm_sigma(rate_min, rate_max, t):
    return np.sqrt(-np.expm1(-(rate_min * t + (rate_max - rate_min) * t**2 / 2)))  # (1 - alpha**2)**0.5


def log_linear(sigma_min: float = 0.002, sigma_max: float = 80.0) -> Schedule:
    """alpha = 1 and log(sigma) linear in t from sigma_min to sigma_max: variance exploding (Karras et al. 2022 range).

    The image is never scaled down, so it is never gone: terminal signal-to-noise ratio alpha / sigma = 1 / sigma_max.
    Times end at t = 0 with noise sigma_min left. Raises ValueError unless 0 < sigma_min < sigma_max.
    """
    if not 0 < sigma_min < sigma_max < math.inf:
        raise ValueError(f"sigma_min, sigma_max are {sigma_min}, {sigma_max}, expected 0 < sigma_min < sigma_max")
    growth = math.log(sigma_max / sigma_min)
    name = "log_linear" if (sigma_min, sigma_max) == (0.002, 80.0) else f"log_linear({sigma_min}, {sigma_max})"
    return Schedule(name, alpha=np.ones_like, sigma=partial(_exponential, sigma_min, growth))


def _exponential(start, growth, t):
    return start * np.exp(growth * t)


def flow() -> Schedule:
    """alpha = 1 - t, sigma = t: the straight line of flow matching (Lipman et al. 2023; rectified flow).

    Terminal signal: none, alpha(1) = 0.
    """
    return Schedule("flow", alpha=partial(np.subtract, 1.0), sigma=np.positive)
