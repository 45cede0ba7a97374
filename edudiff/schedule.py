"""Noise schedules: how much signal and how much noise a picture holds at time t, x = alpha(t) * x0 + sigma(t) * noise.

t runs from 0 (the picture) to 1 (noise). Each schedule is two functions of t and their derivatives; everything else
(signal-to-noise ratio, the SDE, the time grid) follows from them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Curve = Callable[[Any], Any]


@dataclass(frozen=True)
class Schedule:
    """A noise schedule; `schedule(t)` is `(alpha, sigma)`.

    `name`: with its settings if they are not the usual ones, "cosine" or "cosine(2.0)".
    `alpha`, `sigma`: functions of t, written with NumPy, for a float or an array of any shape.
    `alpha_slope`, `variance_slope`: the derivatives of alpha and of sigma**2 in t (sigma itself may have none at 0).
    """

    name: str
    alpha: Curve
    sigma: Curve
    alpha_slope: Curve
    variance_slope: Curve

    def __call__(self, t):
        """`(alpha, sigma)` at time `t`: two Python floats for a number, two float64 arrays for an array.

        Raises ValueError if a time lies outside [0, 1].
        """
        return self._at(t, self.alpha, self.sigma)

    def log_snr(self, t):
        """log(alpha**2 / sigma**2), falling in t; infinite where sigma = 0, minus infinity where alpha = 0."""
        alpha, sigma = self(t)
        with np.errstate(divide="ignore"):
            ratio = 2 * (np.log(alpha) - np.log(sigma))
        return ratio if np.ndim(t) else float(ratio)

    def sde(self, t):
        """Drift f and squared diffusion g2 of the forward SDE dx = f x dt + sqrt(g2) dw with these marginals.

        f = alpha' / alpha and g2 = (sigma**2)' - 2 f sigma**2 (Song et al. 2021, appendix D; Karras et al. 2022,
        appendix B). Raises ValueError where alpha = 0: the drift has no limit there.
        """
        alpha, sigma = self(t)
        if np.min(alpha) <= 0:
            raise ValueError(f"schedule {self.name!r} has alpha = 0 at t = {t}: no drift there; start below")
        alpha_slope, variance_slope = self._at(t, self.alpha_slope, self.variance_slope)
        f = alpha_slope / alpha
        return f, variance_slope - 2 * f * sigma**2

    def times(self, steps):
        """The grid 1 = t_0 > t_1 > ... > t_steps = 0, equally spaced: float64, (steps + 1,).

        Network and formula are drawn on the same one. Raises ValueError for fewer than one step.
        """
        if isinstance(steps, bool) or not hasattr(steps, "__index__"):
            raise TypeError(f"steps is {steps!r}, expected an integer such as 20")
        if steps < 1:
            raise ValueError(f"steps is {steps}, expected at least 1: a grid needs a first and a last time")
        return np.linspace(1.0, 0.0, int(steps) + 1)  # (steps + 1,)

    def _at(self, t, *curves):
        times = np.asarray(t, dtype=np.float64)
        if not np.all((times >= 0) & (times <= 1)):  # also catches NaN
            raise ValueError(f"t is {t}, expected times in [0, 1]: 0 is the picture, 1 is noise")
        values = [curve(times) for curve in curves]
        return tuple(values if times.ndim else (float(v) for v in values))


def cosine(stretch=1.008):
    """alpha = cos(a), sigma = sin(a) with a = (pi / 2) t / stretch: variance preserving.

    The schedule of Kamb & Ganguli's code (after Nichol & Dhariwal 2021, without their offset). Terminal signal:
    alpha(1) = 0.01247, alpha(1)**2 = 1.554e-4; `stretch=1` leaves none. Raises ValueError if stretch < 1.

    >>> alpha, sigma = cosine()(1.0)
    >>> round(alpha**2, 7)
    0.0001554
    """
    if not (stretch >= 1 and math.isfinite(stretch)):
        raise ValueError(f"stretch is {stretch}, expected a finite number >= 1")
    rate = math.pi / 2 / stretch
    return Schedule(
        _named("cosine", (stretch,), cosine),
        alpha=lambda t: np.sin(rate * (stretch - t)),  # cos(rate * t), and exactly 0 at t = stretch
        sigma=lambda t: np.sin(rate * t),
        alpha_slope=lambda t: -rate * np.sin(rate * t),
        variance_slope=lambda t: rate * np.sin(2 * rate * t),
    )


def ddpm_linear(rate_min=0.1, rate_max=20.0):
    """The noise rate grows linearly in t, log(alpha) = -(rate_min t + (rate_max - rate_min) t**2 / 2) / 2.

    Variance preserving. The continuous form (Song et al. 2021, eq. 32-33) of the 1,000 steps of Ho et al. 2020, whose
    per-step rates grow from 1e-4 to 0.02. Terminal signal: alpha(1)**2 = exp(-10.05) = 4.32e-5. Raises ValueError
    unless 0 < rate_min <= rate_max.
    """
    if not 0 < rate_min <= rate_max < math.inf:
        raise ValueError(f"rate_min, rate_max are {rate_min}, {rate_max}, expected 0 < rate_min <= rate_max")

    def log_alpha(t):
        return -(rate_min * t + (rate_max - rate_min) * t**2 / 2) / 2

    def rate(t):
        return rate_min + (rate_max - rate_min) * t

    return Schedule(
        _named("ddpm_linear", (rate_min, rate_max), ddpm_linear),
        alpha=lambda t: np.exp(log_alpha(t)),
        sigma=lambda t: np.sqrt(-np.expm1(2 * log_alpha(t))),
        alpha_slope=lambda t: -rate(t) / 2 * np.exp(log_alpha(t)),
        variance_slope=lambda t: rate(t) * np.exp(2 * log_alpha(t)),
    )


def log_linear(sigma_min=0.002, sigma_max=80.0):
    """alpha = 1 and log(sigma) linear in t from sigma_min to sigma_max: variance exploding (Karras et al. 2022 range).

    The picture is never scaled down, so it is never gone: terminal signal-to-noise ratio alpha / sigma = 1 / sigma_max.
    Times end at t = 0 with noise sigma_min left. Raises ValueError unless 0 < sigma_min < sigma_max.
    """
    if not 0 < sigma_min < sigma_max < math.inf:
        raise ValueError(f"sigma_min, sigma_max are {sigma_min}, {sigma_max}, expected 0 < sigma_min < sigma_max")
    growth = math.log(sigma_max / sigma_min)
    return Schedule(
        _named("log_linear", (sigma_min, sigma_max), log_linear),
        alpha=np.ones_like,
        sigma=lambda t: sigma_min * np.exp(growth * t),
        alpha_slope=np.zeros_like,
        variance_slope=lambda t: 2 * growth * (sigma_min * np.exp(growth * t)) ** 2,
    )


def flow():
    """alpha = 1 - t, sigma = t: the straight line of flow matching (Lipman et al. 2023; rectified flow).

    Terminal signal: none, alpha(1) = 0, so its SDE has no drift at t = 1.
    """
    return Schedule(
        "flow",
        alpha=lambda t: 1.0 - t,
        sigma=lambda t: 1.0 * t,  # a new array
        alpha_slope=lambda t: -np.ones_like(t),
        variance_slope=lambda t: 2.0 * t,
    )


def _named(name, settings, make):
    """`name`, followed by the settings unless they are the defaults of the function `make`."""
    return name if settings == make.__defaults__ else f"{name}({', '.join(map(str, settings))})"
