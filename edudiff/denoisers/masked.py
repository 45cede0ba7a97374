"""The local denoiser that takes its windows from the data: each value looks at those that help to guess it."""

from collections.abc import Callable

from edudiff.denoisers.law import FixedPoints
from edudiff.denoisers.linear import principal
from edudiff.support import checks, rounding
from edudiff.support.arrays import array_namespace
from edudiff.support.describe import described
from edudiff.support.softmax import Softmax
from edudiff.support.types import Array

BLOCK = 1 << 22  # values in one array of squared differences
FLOOR = 1e-6  # of W_jj: a row of W below it is not divided, as in the published code


class Masked:
    """Each value m of x0_hat is a softmax mean over the training set, by the distance on the values that m looks at.

    x0_hat_m = sum_n y_nm softmax_n(-sum_j M_jm (x_j - alpha y_nj)^2 / 2 sigma^2)   (Lukoianov et al. 2025, eq. 9)

    The mask M (D, D) is 1 where the data say so: with W = alpha^2 S (alpha^2 S + sigma^2)^-1, S their covariance,
    M_jm = 1 if |W_jm / W_jj| >= tau * the largest such ratio, or j = m: a value always looks at itself. A row with
    W_jj below 1e-6, of a value that hardly varies, is not divided, lest its ratios set the threshold of all others.
    `images`: (N, H, W, C) or (N, D). `tau`: 0 lets every value look at all others, which is `Ideal`; published: 0.005
    for MNIST and Fashion-MNIST, 0.02 for faces, 0.05 for CIFAR-10. `mask`: instead of `tau`, a (D, D) array for all
    noise levels, M_jm in row j and column m, or a function (alpha, sigma) to one, such as
    `edudiff.compare.sensitivity_masks` reads off a network; the identity is the pixelwise denoiser. Numbers between 0
    and 1 are soft masks: what a value looks at counts in part. Raises TypeError or ValueError for anything else.

    S divides by N; the published code divides by N - 1, and leaves a value that never varies looking at nothing.

    The softmax runs over chunks of the training set, and the answer does not depend on their size: to normalize each
    chunk and average them, as published code does, is another denoiser for each chunk size.
    """

    def __init__(
        self, images: Array, tau: float | None = None, *, mask: Array | Callable[[float, float], Array] | None = None
    ) -> None:
        checks.training_set(images)
        if (tau is None) == (mask is None):
            raise ValueError("expected exactly one of tau (a number such as 0.02) and mask (a (D, D) array)")
        self.images, self.tau = images, tau
        self._mask: Array | Callable[[float, float], Array] | None = None
        self._flat = images.reshape(len(images), -1).astype("float64")  # (N, D)
        if mask is not None:
            self._mask = mask if callable(mask) else self._checked(mask)  # (D, D)
        elif tau is None or not 0 <= tau <= 1:
            raise ValueError(f"tau is {tau}, expected 0 <= tau <= 1: 0 looks at everything, 1 at next to nothing")
        else:
            _, self._variances, self._basis = principal(images)

    def __repr__(self) -> str:
        return described(self, images=self.images, tau=self.tau, mask=self._mask)

    @rounding.to_zero
    def mask(self, alpha: float, sigma: float) -> Array:
        """How much each value m (columns) looks at value j (rows), at one noise level: 0 to 1, (D, D) float64."""
        if self._mask is not None:
            return self._checked(self._mask(alpha, sigma)) if callable(self._mask) else self._mask
        xp = array_namespace(self._basis)
        gain = alpha**2 * self._variances / (alpha**2 * self._variances + sigma**2)  # (K,)
        wiener = (self._basis * gain) @ self._basis.T  # (D, D)
        own = xp.diagonal(wiener)  # (D,)
        ratio = abs(wiener / xp.where(own >= FLOOR, own, 1.0)[:, None])  # (D, D)
        looks = (ratio >= self.tau * ratio.max()) | (xp.eye(len(own)) > 0)  # (D, D)
        return looks.astype("float64")

    def _checked(self, mask: Array) -> Array:
        width = self._flat.shape[1]
        xp = array_namespace(self._flat, mask)
        if mask.shape != (width, width) or not bool(((mask >= 0) & (mask <= 1)).all()):
            raise ValueError(f"mask has shape {mask.shape}, expected ({width}, {width}) of numbers from 0 to 1")
        return xp.asarray(mask, dtype="float64")  # (D, D)

    @rounding.to_zero
    def __call__(self, x: Array, alpha: float, sigma: float) -> Array:
        """`x`: (B, H, W, C) or (B, D). Returns x0_hat, same shape, dtype and device."""
        xp = checks.batch(x, self.images)
        alpha, sigma = checks.levels(alpha, sigma)
        mask, flat = self.mask(alpha, sigma), self._flat  # (D, D), (N, D)
        rows = x.reshape(len(x), -1).astype("float64")  # (B, D)
        total = Softmax(xp, rows.shape, 1, len(flat))
        chunk = max(1, BLOCK // rows.size)
        for first in range(0, len(flat), chunk):
            some = flat[first : first + chunk]  # (n, D)
            squares = (rows[:, None] - alpha * some) ** 2  # (B, n, D)
            logits = (squares @ mask) * (-1 / (2 * sigma**2))  # (B, n, D)
            total.add(logits.swapaxes(1, 2), some.T[..., None])
        return total.mean().astype(x.dtype).reshape(x.shape)  # (B, ...)

    def generated(self) -> FixedPoints:
        """What is known of the samples: they are `FixedPoints`, each value one that a training item has there."""
        return FixedPoints(self)
