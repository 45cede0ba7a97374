"""The best linear denoiser: it knows the mean and the covariance of the data, and nothing else."""

import math
from collections.abc import Sequence
from itertools import pairwise

from edudiff.denoisers.law import Gaussian
from edudiff.support import checks, rounding
from edudiff.support.arrays import array_namespace
from edudiff.support.describe import described
from edudiff.support.types import Array

EPSILON = 2.0**-52  # to which float64 is rounded


class Linear:
    """E[x0 | x] if x0 were Gaussian, with any mean and covariance S: the engine of `edudiff.scores.linear`.

    x0_hat = mean + alpha S (alpha^2 S + sigma^2)^-1 (x - alpha mean)

    `mean`: the shape of one item, (H, W, C) or (D,). `covariance`: (D, D) with D the number of values of an item,
    symmetric, no negative eigenvalue. `ridge`: what a penalty ridge * |W|^2 on the matrix W that takes x / alpha to
    x0_hat adds to the variances that are divided by; 0 is the best linear denoiser. Raises TypeError and ValueError for
    anything else. Source: the Wiener filter; Wang & Vastola 2024, eq. 6.
    """

    def __init__(self, mean: Array, covariance: Array, ridge: float = 0.0) -> None:
        xp = checks.finite_floats(mean, "mean")
        checks.finite_floats(covariance, "covariance")
        array_namespace(mean, covariance)
        if covariance.shape != (mean.size, mean.size):
            raise ValueError(f"covariance has shape {covariance.shape}, expected {(mean.size, mean.size)} for the mean")
        if mean.ndim not in (1, 3):
            raise ValueError(f"mean has shape {mean.shape}, expected that of one item, (H, W, C) or (D,)")
        largest = float(abs(covariance).max())
        if float(abs(covariance - covariance.T).max()) > 1e-5 * largest:
            raise ValueError("covariance is not symmetric; use (covariance + covariance.T) / 2")
        variances, basis = xp.linalg.eigh(covariance.astype("float64"))  # (D,), (D, D)
        if float(variances[0]) < -1e-5 * largest:
            raise ValueError(f"covariance has the eigenvalue {float(variances[0]):.3g}, expected none below 0")
        self._keep(mean.astype("float64"), xp.maximum(variances, 0), basis, str(mean.dtype), ridge)

    @classmethod
    def fit(cls, images: Array, ridge: float = 0.0) -> "Linear":
        """The linear denoiser of a training set, (N, H, W, C) or (N, D).

        Its covariance is the mean over the N items, a sum divided by N: that of the uniform law on the training set,
        for which this is the best linear denoiser. `numpy.cov`, scikit-learn's `PCA` and the code of Lukoianov et al.
        2025 divide by N - 1: `Linear(mean, covariance)` takes theirs.
        """
        self = cls.__new__(cls)
        mean, variances, basis = principal(images)
        self._keep(mean, variances, basis, str(images.dtype), ridge)
        return self

    def _keep(self, mean, variances, basis, dtype, ridge=0.0):
        if not (ridge >= 0 and math.isfinite(ridge)):
            raise ValueError(f"ridge is {ridge}, expected a finite number >= 0; 0 is the best linear denoiser")
        self.mean = mean  # (H, W, C) or (D,)
        self.variances = variances  # (K,)
        self.basis = basis  # (D, K)
        self.ridge = float(ridge)
        self._cast: dict[str, list[Array]] = {}
        self._in(dtype)

    def __repr__(self) -> str:
        return described(self, mean=self.mean, components=self.variances, ridge=self.ridge)

    def _in(self, dtype):
        """(mean, variances, basis) in one dtype, cast once and kept."""
        if dtype not in self._cast:
            self._cast[dtype] = [a.astype(dtype) for a in (self.mean.reshape(-1), self.variances, self.basis)]
        return self._cast[dtype]

    @rounding.to_zero
    def __call__(self, x: Array, alpha: float, sigma: float) -> Array:
        """`x`: (B, H, W, C) or (B, D). Returns x0_hat, same shape, dtype and device."""
        checks.batch(x, self.mean[None])
        alpha, sigma = checks.levels(alpha, sigma)
        mean, variances, basis = self._in(str(x.dtype))
        along = (x.reshape(len(x), -1) - alpha * mean) @ basis  # (B, K)
        return (mean + (self.gain(variances, alpha, sigma) * along) @ basis.T).reshape(x.shape)  # (B, ...)

    def gain(self, variances: Array, alpha: float, sigma: float) -> Array:
        """By what x - alpha mean is multiplied along each principal component: (K,) variances to (K,)."""
        return alpha * variances / (alpha**2 * (variances + self.ridge) + sigma**2)  # (K,)

    def divergence(self, x: Array, alpha: float, sigma: float) -> Array:
        """sum_i dx0_hat_i / dx_i of each item of `x`, the same for all: (B,), float64, exactly."""
        checks.batch(x, self.mean[None])
        alpha, sigma = checks.levels(alpha, sigma)
        return array_namespace(x).full(len(x), float(self.gain(self.variances, alpha, sigma).sum()))  # (B,)

    def generated(
        self, first: tuple[float, float] | None = None, last: tuple[float, float] = (1.0, 0.0), matched: bool = False
    ) -> Gaussian:
        """The law of what the probability flow draws, whatever the data were: a `Gaussian` (theory: a matrix flow).

        `first`, `last`: (alpha, sigma) where the flow begins and ends; None begins in the limit of pure noise, as does
        alpha = 0. It begins at sigma * noise, as `reverse.start` does, or, if `matched`, at the noisy data, which has
        their mean and covariance; without a ridge the law then is exactly that of the noisy data at `last`.
        """
        xp, flat = array_namespace(self.basis), self.mean.reshape(-1)  # (D,)
        alpha, sigma = last
        if not (0 < alpha <= 1 and 0 <= sigma < math.inf):
            raise ValueError(f"last is {last}, expected (alpha, sigma) with 0 < alpha <= 1 and sigma >= 0")
        variances = xp.append(self.variances, 0.0)  # (K + 1,), the last for all directions outside the basis
        left = self.course(variances, sigma / alpha)  # (K + 1,)
        if first is None or first[0] == 0:
            spread, shrink = left, 0 * left  # (K + 1,) standard deviations of x / alpha, and what is left of -mean
        else:
            noise = checks.levels(*first)[1] / first[0]
            shrink = left / self.course(variances, noise)  # (K + 1,)
            spread = shrink * xp.sqrt(noise**2 + matched * variances)  # (K + 1,)
        mean = flat
        if not matched:
            lost = shrink[-1] * flat + self.basis @ ((shrink[:-1] - shrink[-1]) * (self.basis.T @ flat))  # (D,)
            mean = flat - lost  # (D,)
        spread = (alpha * spread) ** 2  # (K + 1,)
        return Gaussian(alpha * mean.reshape(self.mean.shape), spread[:-1], self.basis, float(spread[-1]))

    def course(self, variances: Array, noise: float) -> Array:
        """How the flow shrinks each component: x / alpha - mean stays in proportion to it, (K,), as `noise` falls.

        `noise`: sigma / alpha. The solution of d log(course) / d noise = (1 - alpha * gain) / noise, equal to `noise`
        where that is large.
        """
        xp = array_namespace(variances)
        total = variances + self.ridge  # (K,)
        share = xp.where(variances > 0, self.ridge / xp.where(variances > 0, total, 1.0), 1.0)  # (K,)
        return noise**share * (noise**2 + total) ** ((1 - share) / 2)  # (K,)

    def generated_by_ddim(self, levels: Sequence[tuple[float, float]], matched: bool = False) -> Gaussian:
        """The law of what DDIM draws in these few steps, exactly: a `Gaussian`.

        `levels`: [(alpha, sigma), ...] from noise to picture, such as [schedule(t) for t in schedule.times(20)].
        """
        xp, flat = array_namespace(self.basis), self.mean.reshape(-1)  # (D,)
        variances = xp.append(self.variances, 0.0)  # (K + 1,), the last for all directions outside the basis
        factor = xp.ones_like(variances)  # (K + 1,)
        for (alpha, sigma), (alpha_next, sigma_next) in pairwise(levels):
            gain = xp.append(self.gain(self.variances, alpha, sigma), 0.0)  # (K + 1,)
            factor = factor * (alpha_next * gain + sigma_next / sigma * (1 - alpha * gain))  # (K + 1,)
        (alpha, sigma), (alpha_last, _) = levels[0], levels[-1]
        spread = factor**2 * (sigma**2 + matched * alpha**2 * variances)  # (K + 1,)
        mean = alpha_last * flat
        if not matched:
            lost = factor[-1] * flat + self.basis @ ((factor[:-1] - factor[-1]) * (self.basis.T @ flat))  # (D,)
            mean = mean - alpha * lost  # (D,)
        return Gaussian(mean.reshape(self.mean.shape), spread[:-1], self.basis, float(spread[-1]))


def principal(images: Array) -> tuple[Array, Array, Array]:
    """Mean (the shape of one item), variances (K,) and directions (D, K) of the principal components, in float64.

    Fewer items than dimensions: those along which items vary by more than rounding, or one.
    """
    xp = checks.training_set(images)
    count = len(images)
    flat = images.reshape(count, -1).astype("float64")  # (N, D)
    mean = flat.mean(0)  # (D,)
    centered = (flat - mean) / math.sqrt(count)  # (N, D)
    if count < flat.shape[1]:
        # They span N - 1 directions at most, and the matrix of their products has the same variances.
        variances, shares = xp.linalg.eigh(centered @ centered.T)  # (N,) rising, (N, N)
        seen = max(1, int((variances > count * EPSILON * variances[-1]).sum()))
        variances = xp.maximum(variances[count - seen :][::-1], 0)  # (K,)
        # The sums of items are at right angles but for rounding, most of it in the narrow ones: those come last.
        basis, _ = xp.linalg.qr(centered.T @ shares[:, count - seen :][:, ::-1])  # (D, K)
    else:
        variances, basis = xp.linalg.eigh(centered.T @ centered)  # (D,), (D, D)
        variances = xp.maximum(variances, 0)  # (D,)
    return mean.reshape(images.shape[1:]), variances, basis
