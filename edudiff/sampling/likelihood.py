"""How likely an image is: its log-density, by carrying that of pure noise back along the probability flow."""

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from edudiff.sampling.jacobian import divergence, random_signs
from edudiff.sampling.spacing import time_of
from edudiff.schedule import Schedule
from edudiff.support import checks
from edudiff.support.types import Array, Denoiser

Density = Callable[[Array, float, float], Array]


def log_likelihood(
    denoise: Denoiser,
    schedule: Schedule,
    x0: Array,
    times: Array,
    probes: int = 0,
    rng: np.random.Generator | None = None,
    prior: Density | None = None,
) -> Array:
    """log-density at `x0` (B, ...) of what the flow draws, noise sigma / alpha of the first time included: (B,), nats.

    The flow carries densities: along it log p falls by the divergence of its velocity (Song et al. 2021, eq. 39). With
    z = x / (alpha^2 + sigma^2)^0.5 and tan(angle) = sigma / alpha, on every schedule,

        dz / d angle = cos(angle) noise_hat - sin(angle) x0_hat

    which this solves from `x0` at the first of the strictly rising `times` to the last, by Runge-Kutta of order 4. The
    divergence of x0_hat is exact (see `divergence`), or, if `probes` > 0, Hutchinson's estimate with so many random
    signs from `rng`, the same ones all the way. `prior(x, alpha, sigma)`: the log-density at the last time, (B,); None
    is N(0, alpha^2 + sigma^2), exact where alpha is 0 there. Raises ValueError for times that do not rise or begin
    without noise.
    """
    checks.batch(x0)
    checks.integer(probes, "probes", 0)
    grid = np.asarray(times, dtype="float64")
    if grid.ndim != 1 or len(grid) < 2 or not (np.diff(grid) > 0).all():
        raise ValueError(f"times are {times}, expected at least two that rise strictly, from little noise to much")
    if schedule(float(grid[0]))[1] <= 0:
        raise ValueError(f"times begin at {grid[0]}, where there is no noise; begin above 0, such as at 0.001")
    signs = random_signs(x0, probes, checks.generator(rng)) if probes else None  # (K, B, ...)
    levels = [schedule(t) for t in grid.tolist()]
    angles = [math.atan2(sigma, alpha) for alpha, sigma in levels]
    slope = partial(_slope, denoise, schedule, signs)
    z, gained = math.cos(angles[0]) * x0, 0.0  # (B, ...), (B,)
    for (now, at), (then, end) in pairwise(zip(angles, levels, strict=True)):
        z, gained = _step(slope, z, gained, now, then, at, end)
    alpha, sigma = levels[-1]
    scale, width = math.hypot(alpha, sigma), x0[0].size
    if prior is None:
        squares = (z.reshape(len(z), -1).astype("float64") ** 2).sum(1)  # (B,)
        last = -(squares + width * math.log(2 * math.pi)) / 2  # (B,)
    else:
        last = prior(scale * z, alpha, sigma) + width * math.log(scale)  # (B,)
    return last + gained + width * math.log(math.cos(angles[0]))  # (B,)


def bits_per_dimension(log_density: Array, dimensions: int, levels: int = 256) -> Array:
    """Bits that a value costs in a code for pixels of so many `levels` in [-1, 1], from log-densities in nats: (B,).

    -log2(density) / `dimensions`, plus log2 of the pixel levels in a unit of length, (levels - 1) / 2: so fine are the
    bins. To be read as a code length, the density has to be that of images with uniform noise in their bins; one of
    less noise than a bin may say less than any code can do.
    """
    checks.integer(dimensions, "dimensions")
    checks.integer(levels, "levels", 2)
    return -log_density / (dimensions * math.log(2)) + math.log2((levels - 1) / 2)  # (B,)


def _step(slope: Any, z: Array, gained: Any, now: float, then: float, at: Any, end: Any) -> tuple[Array, Any]:
    """One step of Runge-Kutta, order 4, of the point (B, ...) and of the integral of the divergence (B,)."""
    h, middle = then - now, (now + then) / 2
    v1, d1 = slope(z, now, at)
    v2, d2 = slope(z + h / 2 * v1, middle)
    v3, d3 = slope(z + h / 2 * v2, middle)
    v4, d4 = slope(z + h * v3, then, end)
    return z + h / 6 * (v1 + 2 * v2 + 2 * v3 + v4), gained + h / 6 * (d1 + 2 * d2 + 2 * d3 + d4)


def _slope(denoise, schedule, signs, z, angle, level=None):
    """dz / d angle (B, ...) and its divergence in z (B,); the denoiser is asked at the schedule's own scale."""
    alpha, sigma = level or schedule(time_of(schedule, math.tan(angle)))
    scale, (cosine, sine) = math.hypot(alpha, sigma), (math.cos(angle), math.sin(angle))
    x = scale * z  # (B, ...)
    x0_hat = denoise(x, alpha, sigma)  # (B, ...)
    velocity = (cosine * z - x0_hat) / sine  # (B, ...): cosine * noise_hat - sine * x0_hat
    return velocity, (cosine * z[0].size - scale * divergence(denoise, x, alpha, sigma, signs)) / sine
