"""The forward process: adding noise, and the four ways to say what a noisy image holds.

x = alpha * x0 + sigma * noise. Given x, each of x0, noise, score and velocity determines the others; every conversion
goes through x0, the currency of the package. It takes two arrays of one shape (B, ...) and two numbers, returns a third
array of that shape, and raises ValueError for other shapes or levels (`edudiff.support.checks.levels`).
"""

from typing import Any

import numpy as np

from edudiff.schedule import Schedule
from edudiff.support import checks
from edudiff.support.types import Array

NUDGE = 1e-20


def add_noise(x0: Array, alpha: float | Array, sigma: float | Array, noise: Array) -> Array:
    """x = alpha * x0 + sigma * noise. `x0`, `noise`: (B, ...). `alpha`, `sigma`: numbers, or one per image, (B,).

    Returns the dtype of `x0`. Raises TypeError for integers, ValueError for NaN, for a negative level or if the shapes
    differ: a (B, H, W) noise would silently broadcast against a (B, H, W, 1) batch.
    """
    checks.finite_floats(x0, "x0")
    checks.finite_floats(noise, "noise")
    checks.same_shape(x0, noise, "x0", "noise")
    noise = noise.astype(x0.dtype, copy=False)  # (B, ...)
    alpha, sigma = checks.per_image(alpha, x0, "alpha"), checks.per_image(sigma, x0, "sigma")  # (B, 1, ...) or numbers
    return alpha * x0 + sigma * noise  # (B, ...)


def sde(schedule: Schedule, t: Any) -> tuple[Any, Any]:
    """Drift f and squared diffusion g2 of dx = f x dt + sqrt(g2) dw, the forward process as an SDE.

    f = alpha' / alpha and g2 = (sigma**2)' - 2 f sigma**2 (Song et al. 2021, appendix D). The slopes are exact: a
    nudge of t by i h moves a smooth function by i h times its slope (Squire & Trapp 1998). `t`: a number or an array.
    Raises ValueError where alpha = 0: the drift has no limit there.
    """
    alpha, sigma = schedule(t)
    checks.signal(alpha, t, schedule.name)
    nudged = t + 1j * NUDGE
    f = schedule.alpha(nudged).imag / NUDGE / alpha
    g2 = (schedule.sigma(nudged) ** 2).imag / NUDGE - 2 * f * sigma**2
    return (f, g2) if np.ndim(t) else (float(f), float(g2))


def score_from_x0(x: Array, x0_hat: Array, alpha: float, sigma: float) -> Array:
    """The score of the noisy law, (alpha * x0_hat - x) / sigma**2: (B, ...), (B, ...) -> (B, ...).

    From the posterior mean by Tweedie's formula (Efron 2011).
    """
    alpha, sigma = checks.pair(x, x0_hat, alpha, sigma)
    return (alpha * x0_hat - x) / sigma**2  # (B, ...)


def x0_from_score(x: Array, score: Array, alpha: float, sigma: float) -> Array:
    """Tweedie's formula, x0_hat = (x + sigma**2 * score) / alpha: (B, ...), (B, ...) -> (B, ...).

    Raises ValueError where alpha = 0: x holds no signal, so x0 does not follow from its score.
    """
    alpha, sigma = checks.pair(x, score, alpha, sigma, signal=True)
    return (x + sigma**2 * score) / alpha  # (B, ...)


def noise_from_x0(x: Array, x0_hat: Array, alpha: float, sigma: float) -> Array:
    """The noise that is left without the image, (x - alpha * x0_hat) / sigma: (B, ...), (B, ...) -> (B, ...)."""
    alpha, sigma = checks.pair(x, x0_hat, alpha, sigma)
    return (x - alpha * x0_hat) / sigma  # (B, ...)


def x0_from_noise(x: Array, noise_hat: Array, alpha: float, sigma: float) -> Array:
    """x0_hat = (x - sigma * noise_hat) / alpha: (B, ...), (B, ...) -> (B, ...). Raises ValueError where alpha = 0."""
    alpha, sigma = checks.pair(x, noise_hat, alpha, sigma, signal=True)
    return (x - sigma * noise_hat) / alpha  # (B, ...)


def velocity_from_x0(x: Array, x0_hat: Array, alpha: float, sigma: float) -> Array:
    """v = alpha * noise - sigma * x0 (Salimans & Ho 2022), with the noise that x0_hat leaves in x."""
    alpha, sigma = checks.pair(x, x0_hat, alpha, sigma)
    return (alpha * x - (alpha**2 + sigma**2) * x0_hat) / sigma  # (B, ...)


def x0_from_velocity(x: Array, velocity: Array, alpha: float, sigma: float) -> Array:
    """x0_hat = (alpha * x - sigma * v) / (alpha**2 + sigma**2); on a variance-preserving schedule the divisor is 1."""
    alpha, sigma = checks.pair(x, velocity, alpha, sigma)
    return (alpha * x - sigma * velocity) / (alpha**2 + sigma**2)  # (B, ...)
