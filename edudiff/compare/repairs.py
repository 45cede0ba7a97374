"""Mistakes that can be undone from outside: each repair asks a denoiser anew, as if that one mistake had been made.

If the repaired answers are much nearer to the clean images than the denoiser's own, the mistake has been found: the
best answer to a noisy image cannot be improved by calling it by another name.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from edudiff import forward
from edudiff.support.types import Array, Denoiser

Repair = Callable[[Denoiser, Array, float, float, float], Array]  # (denoise, x, alpha, sigma, sigma_data) -> x0_hat


class Mistake(NamedTuple):
    """What was done wrong, what undoes it, and what to do about it."""

    cause: str
    advice: str
    repair: Repair


def _relabelled(level: Callable[[float, float], tuple[float, float]]) -> Repair:
    """Ask about the same noisy images under other names of the noise level."""
    return lambda denoise, x, alpha, sigma, sigma_data: denoise(x, *level(alpha, sigma))


def _converted(to_x0: Callable[[Array, Array, float, float], Array]) -> Repair:
    """Take the answer for something else than x0_hat."""
    return lambda denoise, x, alpha, sigma, sigma_data: to_x0(x, denoise(x, alpha, sigma), alpha, sigma)


def _in_unit_range(denoise, x, alpha, sigma, sigma_data):
    return 2 * denoise((x + alpha) / 2, alpha, sigma / 2) - 1  # (B, ...): pixels in [0, 1] have half the noise


def _input_scaled(power: int) -> Repair:
    def repair(denoise, x, alpha, sigma, sigma_data):
        c_in = 1 / math.hypot(alpha * sigma_data, sigma)
        return denoise((x * c_in**power).astype(x.dtype), alpha, sigma)  # (B, ...)

    return repair


def _axes_swapped(denoise, x, alpha, sigma, sigma_data):
    x0_hat = denoise(x, alpha, sigma)  # (B, H, W, C) or (B, D)
    return x0_hat.swapaxes(1, 2) if x.ndim == 4 and x.shape[1] == x.shape[2] else x0_hat


MISTAKES = (
    Mistake(
        "noise instead of x0",
        "the answer is the noise in x; a denoiser answers x0_hat: forward.x0_from_noise turns one into the other",
        _converted(forward.x0_from_noise),
    ),
    Mistake(
        "score instead of x0",
        "the answer is the score; a denoiser answers x0_hat: forward.x0_from_score turns one into the other",
        _converted(forward.x0_from_score),
    ),
    Mistake(
        "velocity instead of x0",
        "the answer is v; a denoiser answers x0_hat: forward.x0_from_velocity turns one into the other",
        _converted(forward.x0_from_velocity),
    ),
    Mistake(
        "wrong sign",
        "the answer is minus x0_hat: look for a minus in the loss or in a conversion",
        _converted(lambda x, answer, alpha, sigma: -answer),
    ),
    Mistake(
        "signal not divided out",
        "the answer is alpha * x0_hat, the signal that is left in x: divide by alpha",
        _converted(lambda x, answer, alpha, sigma: answer / alpha),
    ),
    Mistake(
        "missing square root of sigma",
        "the denoiser takes sigma for sigma**2: the noise in x has the standard deviation sqrt(1 - alpha_bar)",
        _relabelled(lambda alpha, sigma: (alpha, math.sqrt(sigma))),
    ),
    Mistake(
        "time reversed",
        "alpha and sigma are exchanged: t = 1 is noise, t = 0 the image",
        _relabelled(lambda alpha, sigma: (sigma, alpha)),
    ),
    Mistake(
        "images in [0, 1]",
        "the denoiser was trained on pixels in [0, 1], and is asked about pixels in [-1, 1]: use one range",
        _in_unit_range,
    ),
    Mistake(
        "input scaled twice",
        "x is multiplied by c_in before a network that does so itself: do it once",
        _input_scaled(-1),
    ),
    Mistake(
        "input not scaled",
        "the network expects c_in * x, of unit variance at every noise level, and is given x",
        _input_scaled(1),
    ),
    Mistake(
        "axes swapped",
        "rows and columns of the answer are exchanged: a reshape where a transpose belongs, (B, W, H, C)",
        _axes_swapped,
    ),
)
