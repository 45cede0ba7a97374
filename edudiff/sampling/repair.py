"""Repair: drawing images that agree with a measurement of them, by three recipes, of which one is exact somewhere.

The right answer is the law of x0 given y. For closed forms it is known: `law.conditioned(matrix, y, noise)` of the law
that a denoiser stands for, such as `Linear.generated()` or `Ideal.generated()`.
"""

import math
from collections.abc import Iterator
from itertools import pairwise

from edudiff.reverse import Level, Step, ddpm
from edudiff.sampling.jacobian import jacobian_matrix, jacobian_product, rounding_error
from edudiff.sampling.measurement import Measurement
from edudiff.schedule import Schedule
from edudiff.support import checks
from edudiff.support.arrays import array_namespace
from edudiff.support.random import as_streams, standard_normal
from edudiff.support.types import Array, Denoiser, Rng

COVARIANCES = ("jacobian", "sphere", "point")
ROUNDING = 10.0  # times the rounding error of a Jacobian: a variance below that is none
LEAST_SIGNAL = 1e-3  # alpha / sigma; with less, x says nothing, and the limit of J / alpha is taken from here


def replacement_steps(
    denoise: Denoiser,
    schedule: Schedule,
    x: Array,
    times: Array,
    measurement: Measurement,
    y: Array,
    rng: Rng,
    repeats: int = 1,
) -> Iterator[Step]:
    """Walk down the falling `times`, and at each level put what is known, as noisy as it is there, in its place.

    x + A^+ (alpha y + sigma A noise - A x): on a mask, the known pixels with fresh noise (Song et al. 2021, appendix
    I.2). What is replaced tells the denoiser of the rest only afterwards, and the rest of x has not heard of it: the
    law is wrong, more so the fewer the steps, and not right with many either. `repeats`: RePaint (Lugmayr et al. 2022,
    algorithm 1): each step is taken so often, with noise back up in between. Steps are ancestral ("ddpm"). `y`: (B, M).
    At the end, where there is no noise, x agrees with y. Raises ValueError for shapes that do not fit.
    """
    levels = [Level(*level) for level in checks.grid(x, schedule, times)]
    checks.integer(repeats, "repeats")
    _check(x, measurement, y)
    return _replace(denoise, levels, x, measurement, y.astype(x.dtype), as_streams(rng, len(x)), repeats)


def _replace(denoise, levels, x, measurement, y, streams, repeats):
    def draw():
        return standard_normal(streams, x.shape, like=x)  # (B, ...)

    def known(x, level):
        there = level.alpha * y + level.sigma * measurement(draw()) if level.sigma else level.alpha * y  # (B, M)
        return x + measurement.least(there - measurement(x), x)  # (B, ...)

    for i, (now, then) in enumerate(pairwise(levels)):
        for again in range(repeats):
            x = known(x, now)  # (B, ...)
            x0_hat = denoise(x, now.alpha, now.sigma)  # (B, ...)
            checks.answer(x0_hat, x, i, now)
            x_next = ddpm(x, x0_hat, now, then, draw)  # (B, ...)
            if again < repeats - 1:
                x = back_up(x_next, then, now, draw())  # (B, ...)
        x_next = known(x_next, then) if then.sigma == 0 else x_next  # (B, ...)
        yield Step(i, now.t, then.t, now.alpha, now.sigma, x, x0_hat, x_next)
        x = x_next


def back_up(x: Array, now: Level, then: Level, noise: Array) -> Array:
    """The forward process from a level to a noisier one: `x` (B, ...) scaled, and so much `noise` that sigma fits."""
    scale = then.alpha / now.alpha
    return scale * x + math.sqrt(then.sigma**2 - (scale * now.sigma) ** 2) * noise  # (B, ...)


class PosteriorGuided:
    """The denoiser of x0 given x and y: made by `posterior_guided`."""

    def __init__(self, denoise: Denoiser, measurement: Measurement, y: Array, covariance: str, strength: float) -> None:
        self.denoise, self.measurement, self.y = denoise, measurement, y
        self.covariance, self.strength = covariance, strength

    def __repr__(self) -> str:
        return f"PosteriorGuided({self.denoise!r}, {self.measurement!r}, covariance={self.covariance!r})"

    def __call__(self, x: Array, alpha: float, sigma: float) -> Array:
        """x0_hat, the shape and dtype of `x` (B, ...)."""
        if len(self.y) != len(x):
            raise ValueError(f"y has {len(self.y)} measurements for a batch of {len(x)}; expected one for each item")
        alpha, sigma = checks.levels(alpha, sigma)
        alpha = max(alpha, LEAST_SIGNAL * sigma)
        xp, x0_hat, a = array_namespace(x), self.denoise(x, alpha, sigma), self.measurement  # (B, ...)
        missing = (self.y - a(x0_hat)).astype("float64")  # (B, M)
        noise = a.noise**2 * xp.eye(len(a.matrix))  # (M, M)
        if self.covariance == "jacobian":
            spread = sigma**2 / alpha * jacobian_matrix(self.denoise, x, alpha, sigma).astype("float64")  # (B, D, D)
            spread = (spread + spread.swapaxes(1, 2)) / 2  # (B, D, D), Cov[x0 | x], symmetric
            pull = spread @ a.matrix.T  # (B, D, M)
            sizes, axes = xp.linalg.eigh(a.matrix @ pull + noise)  # (B, M), (B, M, M)
            wide = sizes > sigma / alpha * ROUNDING * rounding_error(x)  # (B, M): in the rest x0 is certain
            weights = xp.where(wide, 1 / xp.where(wide, sizes, 1), 0)[..., None]  # (B, M, 1)
            change = (pull @ (axes @ (weights * (axes.swapaxes(1, 2) @ missing[..., None]))))[..., 0]  # (B, D)
            return x0_hat + (self.strength * change).reshape(x.shape).astype(x.dtype)  # (B, ...)
        wide = sigma**2 / (alpha**2 + sigma**2) if self.covariance == "sphere" else 0.0
        weighed = xp.linalg.solve(wide * a.matrix @ a.matrix.T + noise, missing.T).T  # (B, M)
        towards = a.spread(weighed, x).astype(x.dtype)  # (B, ...)
        slope = jacobian_product(self.denoise, x, alpha, sigma, towards)  # (B, ...)
        return x0_hat + self.strength * sigma**2 / alpha * slope  # (B, ...)


def posterior_guided(
    denoise: Denoiser, measurement: Measurement, y: Array, covariance: str = "jacobian", strength: float = 1.0
) -> PosteriorGuided:
    """The denoiser of x0 given x and the measurement `y` (B, M): x0_hat moved by the score of y given x.

    x0_hat + sigma^2 / alpha J^T A^T (A C A^T + noise^2)^-1 (y - A x0_hat)

    J is the Jacobian of x0_hat, C stands for the covariance of x0 given x. The formula takes the law of x0 given x for
    normal. `covariance`:

    "jacobian": C = sigma^2 / alpha J, which it is (P3): then the sum is the Kalman update, and exact if the data are
    normal. It takes 2 D answers of the denoiser (Finzi et al. 2023; Boys et al. 2023). Where A C A^T has no more
    variance than its rounding error, as with little noise on a training set, x0 is certain and is not moved.
    "sphere": C = sigma^2 / (alpha^2 + sigma^2), two answers: right for data of variance 1 (Song et al. 2023).
    "point": C = 0, as if x0_hat were x0: diffusion posterior sampling (Chung et al. 2023). Needs measurement noise.

    `strength`: of the move; 1 is the formula. J is taken for symmetric, which it is for a posterior mean. Raises
    ValueError for shapes that do not fit, and for "point" without noise.
    """
    checks.one_of(covariance, COVARIANCES, "covariance")
    if covariance == "point" and measurement.noise == 0:
        raise ValueError("covariance is 'point' for a measurement without noise, which divides by 0; use 'sphere'")
    if y.ndim != 2 or y.shape[1] != len(measurement.matrix):
        raise ValueError(f"y has shape {y.shape}, expected (B, {len(measurement.matrix)}), as the measurement gives")
    return PosteriorGuided(denoise, measurement, y, covariance, float(strength))


def _check(x: Array, measurement: Measurement, y: Array) -> None:
    if y.shape != (len(x), len(measurement.matrix)):
        raise ValueError(f"y has shape {y.shape}, expected ({len(x)}, {len(measurement.matrix)}): one for each item")
    measurement(x)
