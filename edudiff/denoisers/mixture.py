"""A mixture of normal laws: density, score and ideal denoiser are known at every noise level."""

import math

import numpy as np

from edudiff.denoisers.law import Law, condition
from edudiff.support import checks, rounding
from edudiff.support.arrays import array_namespace, move
from edudiff.support.describe import described
from edudiff.support.types import Array


class Mixture(Law):
    """sum_k weights_k N(means_k, covariances_k), a law and its own ideal denoiser.

    `weights`: (K,), positive, sum 1. `means`: (K, D). `covariances`: (K, D, D), symmetric, no negative eigenvalue (a
    zero covariance is an atom). Raises TypeError or ValueError for anything else. Source: Wang & Vastola 2024, sec. 3.
    """

    def __init__(self, weights: Array, means: Array, covariances: Array) -> None:
        for name, value in (("weights", weights), ("means", means), ("covariances", covariances)):
            checks.finite_floats(value, name)
        xp = array_namespace(weights, means, covariances)
        sides = means.shape if means.ndim == 2 else None
        if sides is None or weights.shape != sides[:1] or covariances.shape != (*sides, *sides[1:]):
            shapes = f"{weights.shape}, {means.shape}, {covariances.shape}"
            raise ValueError(f"weights, means, covariances have shapes {shapes}, expected (K,), (K, D), (K, D, D)")
        weights, means, covariances = (a.astype("float64") for a in (weights, means, covariances))
        total = float(weights.sum())
        if float(weights.min()) <= 0 or abs(total - 1) > 1e-6:
            raise ValueError(f"weights are not a law: expected K positive numbers with the sum 1, not {total:g}")
        if float(abs(covariances - covariances.swapaxes(1, 2)).max()) > 1e-6 * max(1.0, float(abs(covariances).max())):
            raise ValueError("a covariance is not symmetric, expected (K, D, D) of symmetric matrices")
        self.weights, self.means = weights / total, means  # (K,), (K, D)
        self.variances, self.bases = xp.linalg.eigh(covariances)  # (K, D), (K, D, D)
        if float(self.variances.min()) < -1e-9:
            raise ValueError(
                f"a covariance has the eigenvalue {float(self.variances.min()):.3g}, expected none below 0"
            )
        self.variances = xp.maximum(self.variances, 0)  # (K, D)

    def __repr__(self) -> str:
        return described(self, means=self.means, weights=self.weights)

    @property
    def mean(self) -> Array:
        return self.weights @ self.means  # (D,)

    @property
    def covariance(self) -> Array:
        own = (self.bases * self.variances[:, None]) @ self.bases.swapaxes(1, 2)  # (K, D, D)
        shift = self.means - self.mean  # (K, D)
        return (self.weights[:, None, None] * own).sum(0) + (shift.T * self.weights) @ shift  # (D, D)

    def sample(self, rng: np.random.Generator, count: int) -> Array:
        xp = array_namespace(self.means)
        z = move(rng.standard_normal((count, 1 + self.means.shape[1])), self.means)  # (count, 1 + D)
        share = xp.asarray([0.5 * math.erfc(-v / math.sqrt(2)) for v in z[:, 0].tolist()])  # (count,), uniform
        k = xp.minimum(xp.searchsorted(xp.cumsum(self.weights), share), len(self.weights) - 1)  # (count,)
        spread = (z[:, 1:] * xp.sqrt(self.variances[k]))[:, None] @ self.bases[k].swapaxes(1, 2)  # (count, 1, D)
        return self.means[k] + spread[:, 0]  # (count, D)

    @rounding.to_zero
    def conditioned(self, matrix: Array, y: Array, noise: float = 0.0) -> "Mixture":
        """Each component given y, weighted by how likely it makes y; those below 1e-12 are left out.

        The answer is a denoiser again: the exact one of x0 given x and y.
        """
        xp, found, logs = array_namespace(self.means), [], []
        for mean, variances, basis in zip(self.means, self.variances, self.bases, strict=True):
            covariance = (basis * variances) @ basis.T  # (D, D)
            total = matrix @ covariance @ matrix.T + noise**2 * xp.eye(len(y))  # (M, M)
            sizes, axes = xp.linalg.eigh(total)  # (M,), (M, M)
            if float(sizes[0]) <= 1e-12 * max(1.0, float(sizes[-1])):
                raise ValueError("a component has no density at y; give the measurement noise")
            away = axes.T @ (y - matrix @ mean)  # (M,)
            logs.append(-float((away**2 / sizes).sum() + xp.log(sizes).sum()) / 2)
            found.append(condition(mean, covariance, matrix, y, noise))
        shares = self.weights * xp.exp(xp.asarray(logs) - max(logs))  # (K,)
        kept = xp.flatnonzero(shares > 1e-12 * shares.sum()).tolist()
        means, covariances = (xp.stack([found[k][i] for k in kept]) for i in (0, 1))  # (K, D), (K, D, D)
        return Mixture(shares[kept] / shares[kept].sum(), means, covariances)

    @rounding.to_zero
    def log_density(self, x: Array, alpha: float = 1.0, sigma: float = 0.0) -> Array:
        """log of the density of alpha * x0 + sigma * noise at `x` (B, D): (B,)."""
        logs, _, _ = self._terms(x, alpha, sigma)
        top = logs.max(1)  # (B,)
        return top + array_namespace(x).log(array_namespace(x).exp(logs - top[:, None]).sum(1))  # (B,)

    @rounding.to_zero
    def score(self, x: Array, alpha: float, sigma: float) -> Array:
        """The gradient of `log_density`, (B, D): the mean of the components' own, weighted by their posterior."""
        _, shares, pulls = self._terms(x, alpha, sigma)
        return (shares[..., None] * pulls).sum(1)  # (B, D)

    @rounding.to_zero
    def __call__(self, x: Array, alpha: float, sigma: float) -> Array:
        """E[x0 | x], (B, D): the mean of the components' own, weighted by their posterior."""
        alpha, sigma = checks.levels(alpha, sigma)
        _, shares, _ = self._terms(x, alpha, sigma)
        own, _ = self.components(x, alpha, sigma)  # (K, B, D)
        return (shares.T[..., None] * own).sum(0).astype(x.dtype)  # (B, D)

    @rounding.to_zero
    def components(self, x: Array, alpha: float, sigma: float) -> tuple[Array, Array]:
        """E[x0 | x, component], (K, B, D), and tr Cov[x0 | x, component], (K,)."""
        total = alpha**2 * self.variances + sigma**2  # (K, D)
        along = (x[None] - alpha * self.means[:, None]) @ self.bases  # (K, B, D)
        gain = alpha * self.variances / total  # (K, D)
        own = self.means[:, None] + (gain[:, None] * along) @ self.bases.swapaxes(1, 2)  # (K, B, D)
        return own, (self.variances * sigma**2 / total).sum(1)

    @rounding.to_zero
    def divergence(self, x: Array, alpha: float, sigma: float) -> Array:
        """sum_i dx0_hat_i / dx_i of each item of `x`: (B,), alpha / sigma^2 times tr Cov[x0 | x], exactly."""
        alpha, sigma = checks.levels(alpha, sigma)
        _, shares, _ = self._terms(x, alpha, sigma)
        own, spread = self.components(x, alpha, sigma)  # (K, B, D), (K,)
        mean = (shares.T[..., None] * own).sum(0)  # (B, D)
        variance = shares @ spread + (shares.T[..., None] * (own - mean) ** 2).sum((0, 2))  # (B,)
        return variance * (alpha / sigma**2)  # (B,)

    def _terms(self, x, alpha, sigma):
        """log of each component's share of the density (B, K), the shares (B, K), and the components' scores."""
        xp = checks.batch(x, self.means)
        total = alpha**2 * self.variances + sigma**2  # (K, D)
        if float(total.min()) <= 0:
            raise ValueError("a component without variance has no density at sigma = 0; ask at sigma > 0")
        along = (x[None] - alpha * self.means[:, None]) @ self.bases  # (K, B, D)
        squares = (along**2 / total[:, None]).sum(2)  # (K, B)
        sizes = xp.log(self.weights) - xp.log(2 * math.pi * total).sum(1) / 2  # (K,)
        logs = (sizes[:, None] - squares / 2).T  # (B, K)
        shares = xp.exp(logs - logs.max(1, keepdims=True))  # (B, K)
        pulls = -(along / total[:, None]) @ self.bases.swapaxes(1, 2)  # (K, B, D)
        return logs, shares / shares.sum(1, keepdims=True), pulls.swapaxes(0, 1)
