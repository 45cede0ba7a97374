"""The projection theorem: of all denoisers of a kind, training finds the one whose score is nearest to the true score.

E |x0 - D(x)|^2 = E |x0 - D*(x)|^2 + E |D(x) - D*(x)|^2 with D* = E[x0 | x], because the error of D* is orthogonal to
every function of x. With D = (x + sigma^2 q) / alpha for the score q that D implies, the last term is
(sigma^2 / alpha)^2 E |q - grad log p|^2: the excess error is a Fisher divergence. Both sides are measured here, each
its own way.
"""

import math
from typing import NamedTuple

import numpy as np

from edudiff.denoisers.mixture import Mixture
from edudiff.forward import score_from_x0
from edudiff.support import checks
from edudiff.support.types import Array, Denoiser

REACH = 10.0  # standard deviations of a component that the grid covers
FINE = 0.25  # of the smallest standard deviation: the spacing of the grid
MOST = 4_000_000  # points


class Sides(NamedTuple):
    """The two sides of the theorem at one noise level.

    `error`: E |x0 - D(x)|^2. `least`: the same for the ideal denoiser. `excess`: their difference. `fisher`:
    E |q - grad log p|^2 of the implied score q. `predicted`: (sigma^2 / alpha)^2 times `fisher`, equal to `excess`.
    """

    error: float
    least: float
    excess: float
    fisher: float
    predicted: float


def projection(denoise: Denoiser, target: Mixture, alpha: float, sigma: float) -> Sides:
    """Both `Sides` for a denoiser of points, (B, D) with D 1 or 2, on the noisy law of `target`, a `Mixture`.

    `excess` comes from the denoising errors on each component of the target, `fisher` from the difference of the
    scores on the whole; both are sums over a grid, which for smooth functions under a normal density are exact to many
    digits. Raises ValueError for alpha = 0, for other dimensions, or for a target of so unequal widths that the grid
    would be too fine.
    """
    alpha, sigma = checks.levels(alpha, sigma)
    if alpha == 0:
        raise ValueError("alpha is 0: the noisy data hold no signal, and no score follows from x0_hat; use alpha > 0")
    x, cell = grid(target, alpha, sigma)  # (G, D)
    x0_hat = denoise(x, alpha, sigma)  # (G, D)
    error = denoising_error(x0_hat, target, x, cell, alpha, sigma)
    least = denoising_error(target(x, alpha, sigma), target, x, cell, alpha, sigma)
    miss = score_from_x0(x, x0_hat, alpha, sigma) - target.score(x, alpha, sigma)  # (G, D)
    density = np.exp(target.log_density(x, alpha, sigma))  # (G,)
    fisher = float(density @ (miss**2).sum(1) * cell)
    return Sides(error, least, error - least, fisher, (sigma**2 / alpha) ** 2 * fisher)


def denoising_error(x0_hat: Array, target: Mixture, x: Array, cell: float, alpha: float, sigma: float) -> float:
    """E |x0 - x0_hat(x)|^2 by components: given x and its component, x0 is normal with a known mean and trace.

    `x0_hat`: (G, D) at the points `x` (G, D) of a grid with cells of the size `cell`.
    """
    means, traces = target.components(x, alpha, sigma)  # (K, G, D), (K,)
    total = 0.0
    for k, (weight, mean, trace) in enumerate(zip(target.weights.tolist(), means, traces.tolist(), strict=True)):
        variances = alpha**2 * target.variances[k] + sigma**2  # (D,)
        along = (x - alpha * target.means[k]) @ target.bases[k]  # (G, D)
        scale = math.sqrt(float((2 * math.pi * variances).prod()))
        density = np.exp(-(along**2 / variances).sum(1) / 2) / scale  # (G,)
        total += weight * (float(density @ ((mean - x0_hat) ** 2).sum(1)) * cell + trace)
    return total


def grid(target: Mixture, alpha: float, sigma: float) -> tuple[Array, float]:
    """Points (G, D) that cover the noisy law finely, and the size of a cell."""
    width = target.means.shape[1]
    if width not in (1, 2):
        raise ValueError(f"the target has {width} dimensions, expected 1 or 2: a grid in more has too many points")
    spread = np.sqrt(alpha**2 * target.variances + sigma**2)  # (K, D)
    reach = REACH * spread.max()
    low = (alpha * target.means).min(0) - reach  # (D,)
    high = (alpha * target.means).max(0) + reach  # (D,)
    step = FINE * spread.min()
    counts = np.ceil((high - low) / step).astype(int) + 1  # (D,)
    if counts.prod() > MOST:
        raise ValueError(
            f"the grid would have {counts.prod():,} points; use a larger sigma or components of like width"
        )
    axes = [first + step * np.arange(count) for first, count in zip(low, counts, strict=True)]
    points = np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], axis=1)  # (G, D)
    return points, step**width
