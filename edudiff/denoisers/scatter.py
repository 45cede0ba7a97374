"""The sums of a training set that a linear denoiser needs: they are taken over shares of it, and merge."""

from collections.abc import Iterable
from dataclasses import dataclass

from edudiff.denoisers.linear import Linear
from edudiff.support import checks
from edudiff.support.arrays import array_namespace
from edudiff.support.types import Array

CHUNK = 4096  # items that are float64 at the same time


@dataclass(frozen=True, repr=False)
class Scatter:
    """Number, mean and scatter matrix of some items: sum_n (x_n - mean)(x_n - mean)^T, from which `Linear` follows.

    `mean`: the shape of one item, (H, W, C) or (D,); `scatter`: (D, D); both float64.
    """

    count: int
    mean: Array
    scatter: Array

    @classmethod
    def of(cls, images: Array) -> "Scatter":
        """That of (N, H, W, C) images or (N, D) points. Beside them it takes memory for D x D numbers and a chunk."""
        xp = checks.training_set(images)
        flat = images.reshape(len(images), -1)  # (N, D)
        mean = flat.mean(0, dtype="float64")  # (D,)
        scatter = xp.zeros((mean.size, mean.size))  # (D, D)
        for first in range(0, len(flat), CHUNK):
            centered = flat[first : first + CHUNK].astype("float64") - mean  # (n, D)
            scatter += centered.T @ centered
        return cls(len(images), mean.reshape(images.shape[1:]), scatter)

    @classmethod
    def merged(cls, parts: Iterable["Scatter"]) -> "Scatter":
        """That of all items together (Chan, Golub & LeVeque 1983): no difference of large sums, exact to rounding.

        Raises ValueError for no parts, or for items of different shapes.
        """
        parts = list(parts)
        if len({part.mean.shape for part in parts}) != 1:
            raise ValueError(
                f"items have shapes {[part.mean.shape for part in parts]}, expected at least one, all alike"
            )
        xp, count = array_namespace(parts[0].mean), sum(part.count for part in parts)
        mean = xp.stack([part.count / count * part.mean for part in parts]).sum(0)  # (H, W, C) or (D,)
        away = xp.stack([(part.count**0.5 * (part.mean - mean)).reshape(-1) for part in parts])  # (P, D)
        return cls(count, mean, sum((part.scatter for part in parts), away.T @ away))

    def linear(self, ridge: float = 0.0) -> Linear:
        """`Linear.fit` of the same items, to rounding."""
        covariance = (self.scatter + self.scatter.T) / (2 * self.count)  # (D, D)
        return Linear(self.mean, covariance, ridge)

    def __repr__(self) -> str:
        return f"Scatter(count={self.count}, mean={self.mean.shape}, scatter={self.scatter.shape})"
