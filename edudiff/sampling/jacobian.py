"""How a denoiser's answer changes with what it is asked: its Jacobian, from answers alone."""

import numpy as np

from edudiff.support import checks
from edudiff.support.arrays import array_namespace, move
from edudiff.support.types import Array, Denoiser


def jacobian_product(denoise: Denoiser, x: Array, alpha: float, sigma: float, direction: Array) -> Array:
    """The slope of x0_hat along `direction` (B, ...), J v: (B, ...), from two answers, by a central difference.

    Its step is the cube root of the rounding error, in units of sigma: so large a change of x changes an answer as
    smoothly as noise allows.
    """
    alpha, sigma = checks.levels(alpha, sigma)
    xp, axes = array_namespace(x, direction), tuple(range(1, x.ndim))
    size = xp.sqrt((direction**2).sum(axes, keepdims=True))  # (B, 1, ...)
    step = sigma * rounding_error(x) ** 0.5
    unit = step * direction / xp.where(size > 0, size, 1)  # (B, ...)
    change = denoise(x + unit, alpha, sigma) - denoise(x - unit, alpha, sigma)  # (B, ...)
    return change * (size / (2 * step))  # (B, ...)


def rounding_error(x: Array) -> float:
    """That of a Jacobian from such differences, in units of x0_hat / sigma: the squared step, in units of sigma."""
    return float(np.finfo(str(x.dtype)).eps) ** (2 / 3)


def jacobian_matrix(denoise: Denoiser, x: Array, alpha: float, sigma: float) -> Array:
    """The matrix of slopes dx0_hat_i / dx_j of each item of `x` (B, ...): (B, D, D), from 2 D answers."""
    xp, width = array_namespace(x), x[0].size
    columns = []
    for j in range(width):
        unit = xp.zeros((len(x), width), x.dtype)  # (B, D)
        unit[:, j] = 1
        slope = jacobian_product(denoise, x, alpha, sigma, unit.reshape(x.shape))  # (B, ...)
        columns.append(slope.reshape(len(x), width))
    return xp.stack(columns, 2)  # (B, D, D)


def divergence(denoise: Denoiser, x: Array, alpha: float, sigma: float, probes: Array | None = None) -> Array:
    """sum_i dx0_hat_i / dx_i of each item of `x` (B, ...): (B,), float64, exact or estimated.

    A denoiser with a method `divergence(x, alpha, sigma)` is asked: for a posterior mean it is alpha / sigma^2 times
    the posterior variance (`Ideal`, `Patch`, `Linear`, `Mixture`). Of any other, the diagonal of `jacobian_matrix` is
    added up. `probes`: (K, B, ...), instead, Hutchinson's estimate, the mean over K directions v of v . J v: unbiased
    if their entries are independent with mean 0 and variance 1, such as random signs.
    """
    axes = tuple(range(1, x.ndim))
    if probes is not None:
        slopes = [(v * jacobian_product(denoise, x, alpha, sigma, v)).sum(axes, dtype="float64") for v in probes]
        return sum(slopes[1:], slopes[0]) / len(slopes)  # (B,)
    if hasattr(denoise, "divergence"):
        return denoise.divergence(x, alpha, sigma)  # (B,)
    return jacobian_matrix(denoise, x, alpha, sigma).astype("float64").trace(axis1=1, axis2=2)  # (B,)


def random_signs(x: Array, count: int, rng: np.random.Generator) -> Array:
    """`count` probes for `divergence`, (count, B, ...) of 1 and -1 with the dtype and in the place of `x`."""
    checks.integer(count, "count")
    checks.generator(rng)
    return move((2 * rng.integers(0, 2, size=(count, *x.shape)) - 1).astype(x.dtype), x)  # (count, B, ...)
