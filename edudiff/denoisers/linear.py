"""The best linear denoiser: it knows the mean and the covariance of the data, and nothing else."""

import math

from edudiff import check
from edudiff.backend import array_module


class Linear:
    """E[x0 | x] if x0 were Gaussian: mean + alpha S (alpha^2 S + sigma^2)^-1 (x - alpha mean), S the covariance.

    `mean`: the shape of one item, (H, W, C) or (D,). `covariance`: (D, D) with D the number of values of an item,
    symmetric, no negative eigenvalue. Raises TypeError and ValueError for anything else.
    Source: the Wiener filter; Wang & Vastola 2024, eq. 6.
    """

    def __init__(self, mean, covariance):
        xp = check.finite_floats(mean, "mean")
        check.finite_floats(covariance, "covariance")
        array_module(mean, covariance)
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
        self._keep(mean.astype("float64"), xp.maximum(variances, 0), basis, str(mean.dtype))

    @classmethod
    def fit(cls, images):
        """The linear denoiser of a training set, (N, H, W, C) or (N, D); its covariance is the mean over N items."""
        xp = check.training_set(images)
        count, dtype = len(images), str(images.dtype)
        flat = images.reshape(count, -1).astype("float64")  # (N, D)
        mean = flat.mean(0)  # (D,)
        centred = (flat - mean) / math.sqrt(count)  # (N, D)
        if count < flat.shape[1]:
            # Fewer items than dimensions: they span N - 1 directions, and the variance in all others is 0.
            _, widths, rows = xp.linalg.svd(centred, full_matrices=False)  # (N,), (N, D)
            variances, basis = widths**2, rows.T  # (N,), (D, N)
        else:
            variances, basis = xp.linalg.eigh(centred.T @ centred)  # (D,), (D, D)
            variances = xp.maximum(variances, 0)  # (D,)
        self = cls.__new__(cls)
        self._keep(mean.reshape(images.shape[1:]), variances, basis, dtype)
        return self

    def _keep(self, mean, variances, basis, dtype):
        self.mean = mean  # (H, W, C) or (D,)
        self.variances = variances  # (K,)
        self.basis = basis  # (D, K)
        self._cast = {}
        self._in(dtype)

    def _in(self, dtype):
        """(mean, variances, basis) in one dtype, cast once and kept."""
        if dtype not in self._cast:
            self._cast[dtype] = [a.astype(dtype) for a in (self.mean.reshape(-1), self.variances, self.basis)]
        return self._cast[dtype]

    def __call__(self, x, alpha, sigma):
        """`x`: (B, H, W, C) or (B, D). Returns x0_hat, same shape, dtype and device."""
        check.batch(x, self.mean[None])
        alpha, sigma = check.levels(alpha, sigma)
        mean, variances, basis = self._in(str(x.dtype))
        gain = alpha * variances / (alpha**2 * variances + sigma**2)  # (K,)
        along = (x.reshape(len(x), -1) - alpha * mean) @ basis  # (B, K)
        return (mean + (gain * along) @ basis.T).reshape(x.shape)  # (B, ...)
