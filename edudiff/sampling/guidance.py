"""Guidance: going beyond what one denoiser answers, away from what a worse or less informed one answers."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from edudiff.support.types import Array, Denoiser

Weight = float | Callable[[float, float], float]
NODES = 64  # of the quadrature rule in `guided_law`


class Guided:
    """x0_hat = unconditional + weight * (conditional - unconditional): made by `guided`."""

    def __init__(self, conditional: Denoiser, unconditional: Denoiser, weight: Weight) -> None:
        if not callable(weight):
            _finite(weight)
        self.conditional, self.unconditional, self.weight = conditional, unconditional, weight

    def __repr__(self) -> str:
        weight = self.weight if callable(self.weight) else f"{self.weight:g}"
        return f"Guided({self.conditional!r}, {self.unconditional!r}, weight={weight})"

    def __call__(self, x: Array, alpha: Any, sigma: Any) -> Array:
        """x0_hat, the shape and dtype of `x`. A denoiser that the weight leaves out is not asked."""
        weight = _finite(self.weight(alpha, sigma)) if callable(self.weight) else float(self.weight)
        if weight == 1:
            return self.conditional(x, alpha, sigma)  # (B, ...)
        without = self.unconditional(x, alpha, sigma)  # (B, ...)
        return without if weight == 0 else without + weight * (self.conditional(x, alpha, sigma) - without)  # (B, ...)


def guided(conditional: Denoiser, unconditional: Denoiser, weight: Weight) -> Guided:
    """Classifier-free guidance for any two denoisers, formulas and networks alike (Ho & Salimans 2022, eq. 6).

    x0_hat = unconditional + weight * (conditional - unconditional)

    There are two conventions for the number. Here, and in most code, `weight` = 1 is no guidance: the conditional
    denoiser alone; 0 is the unconditional one. Ho & Salimans write w = `weight` - 1, so that none is 0; so does
    `net.conditional(label, guidance=w)`. Noise, score and x0 of one x are affine in each other, and the factors add up
    to 1: it is the same to guide any of them.

    `conditional`: of a class, such as `Ideal(images, labels).conditional(3)`. `unconditional`: of all classes; or a
    worse version of the first, such as a `Patch` with a smaller window or a network that was trained for a shorter
    time: autoguidance (Karras et al. 2024). `weight`: a number, or a function of the noise level (alpha, sigma), such
    as `within(...)`. Raises ValueError for a weight that is not finite.
    """
    return Guided(conditional, unconditional, weight)


def within(weight: float, low: float, high: float) -> Callable[[float, float], float]:
    """`weight` where `low` < sigma / alpha <= `high`, and 1, no guidance, elsewhere (Kynkaanniemi et al. 2024, eq. 5).

    Guidance at high noise makes samples alike, at low noise it does nothing. Raises ValueError unless 0 <= low < high.
    """
    _finite(weight)
    if not 0 <= low < high:
        raise ValueError(f"low, high are {low}, {high}, expected noise levels sigma / alpha with 0 <= low < high")

    def weight_at(alpha: float, sigma: float) -> float:
        return weight if low * alpha < sigma <= high * alpha else 1.0

    return weight_at


def guided_law(mean: Any, variance: Any, other_mean: Any, other_variance: Any, weight: float) -> tuple[Array, Array]:
    """Mean and variance of what the guided probability flow draws, if both laws are normal.

    `mean`, `variance`: of the conditional law, `other_mean`, `other_variance`: of the unconditional one; numbers, or
    arrays of one shape, one entry for each axis (independent axes; covariances that commute have common ones).

    Along an axis, with y = x / alpha and s = sigma / alpha, dy/ds = s sum_i w_i (y - m_i) / (v_i + s^2), where w_1 =
    weight and w_0 = 1 - weight. It is linear in y. Its solution from pure noise is a normal law with

        variance = v_1^weight v_0^(1 - weight)
        mean = m_0 + (m_1 - m_0) weight int_0^1 (r + (1 - r) u^2)^((weight - 1) / 2) du,   r = v_1 / v_0

    This is not `tilted_law`, unless the variances are equal. Raises ValueError for a variance that is not positive.
    """
    m1, v1, m0, v0 = _laws(mean, variance, other_mean, other_variance)
    nodes, weights = np.polynomial.legendre.leggauss(NODES)  # (NODES,), (NODES,)
    u, ratio = (nodes + 1) / 2, (v1 / v0)[..., None]  # (NODES,), (..., 1)
    share = weight * ((ratio + (1 - ratio) * u**2) ** ((weight - 1) / 2) @ (weights / 2))  # (...)
    return m0 + share * (m1 - m0), v1**weight * v0 ** (1 - weight)


def tilted_law(mean: Any, variance: Any, other_mean: Any, other_variance: Any, weight: float) -> tuple[Array, Array]:
    """Mean and variance of the normal law with density p(x | c)^weight p(x)^(1 - weight), up to a constant.

    What guidance is often said to draw from: at each noise level the guided score is that of the two noisy densities'
    tilted product, but these are not the noisy versions of any one law, so the flow does not end there. Arguments as
    for `guided_law`. Raises ValueError where the product is no law: its precision is not positive.
    """
    m1, v1, m0, v0 = _laws(mean, variance, other_mean, other_variance)
    precision = weight / v1 + (1 - weight) / v0  # (...)
    if not (precision > 0).all():
        raise ValueError(
            f"weight is {weight}: p(x | c)^{weight:g} p(x)^{1 - weight:g} grows at infinity; use a smaller"
        )
    return (weight * m1 / v1 + (1 - weight) * m0 / v0) / precision, 1 / precision


def _laws(*values):
    m1, v1, m0, v0 = np.broadcast_arrays(*(np.asarray(value, dtype="float64") for value in values))
    if not ((v1 > 0) & (v0 > 0)).all():
        raise ValueError("a variance is not positive; expected numbers > 0, one for each axis")
    return m1, v1, m0, v0


def _finite(weight):
    if not math.isfinite(weight):
        raise ValueError(f"weight is {weight}, expected a finite number; 1 for no guidance")
    return float(weight)
