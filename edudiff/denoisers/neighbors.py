"""The ideal denoiser of the nearest training items alone: what is left out can hardly be seen where noise is little."""

from edudiff.support import checks, rounding
from edudiff.support.arrays import array_namespace
from edudiff.support.describe import described
from edudiff.support.types import Array


class Neighbors:
    """E[x0 | x] over the `count` training items whose alpha * x0 is nearest to x, each as likely.

    `images`: (N, H, W, C) or (N, D). `count`: of all N it is `Ideal`, of 1 the nearest item. What it leaves out weighs
    at most (N - count) exp(-(d^2 - d_1^2) / 2 sigma^2) against what it keeps, d the distance of the first that is left
    out and d_1 that of the nearest: nothing in little noise. In much noise it is another denoiser, which stays near x
    where `Ideal` answers the mean of all: so do the published ones that search for neighbors (Niedoba et al. 2024).
    Raises TypeError or ValueError for anything else.
    """

    def __init__(self, images: Array, count: int) -> None:
        checks.training_set(images)
        self.images, self.count = images, checks.integer(count, "count", most=len(images))
        self._flat = images.reshape(len(images), -1).astype("float64")  # (N, D)

    def __repr__(self) -> str:
        return described(self, images=self.images, count=self.count)

    @rounding.to_zero
    def __call__(self, x: Array, alpha: float, sigma: float) -> Array:
        """`x`: (B, H, W, C) or (B, D). Returns x0_hat, same shape, dtype and device."""
        checks.batch(x, self.images)
        alpha, sigma = checks.levels(alpha, sigma)
        xp, centers = array_namespace(x), alpha * self._flat  # (N, D)
        answers = []
        for item in x.reshape(len(x), -1).astype("float64"):  # (D,)
            squares = ((centers - item) ** 2).sum(1)  # (N,)
            near = xp.argpartition(squares, self.count - 1)[: self.count]  # (K,)
            weights = xp.exp((squares[near].min() - squares[near]) / (2 * sigma**2))  # (K,)
            answers.append(weights @ self._flat[near] / weights.sum())  # (D,)
        return xp.stack(answers).astype(x.dtype).reshape(x.shape)  # (B, ...)
