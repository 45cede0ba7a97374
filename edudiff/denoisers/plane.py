"""A law in the plane with a density, from its logarithm on a grid."""

import numpy as np

from edudiff.denoisers.law import Law
from edudiff.support.describe import described
from edudiff.support.types import Array


class Plane(Law):
    """A law in the plane whose density is constant on each cell of a grid.

    `first`, `second`: the middles of the cells along the two axes, (G,) and (H,), equally spaced. `log_density`: of the
    law on the cells, (G, H), up to a constant.
    """

    def __init__(self, first: Array, second: Array, log_density: Array) -> None:
        density = np.exp(log_density - log_density.max())  # (G, H)
        self.first, self.second, self.shares = first, second, density / density.sum()  # (G,), (H,), (G, H)
        self._cell = np.array([first[1] - first[0], second[1] - second[0]])  # (2,)

    def __repr__(self) -> str:
        return described(self, first=self.first, second=self.second)

    @property
    def mean(self) -> Array:
        return np.array([self.shares.sum(1) @ self.first, self.shares.sum(0) @ self.second])  # (2,)

    @property
    def covariance(self) -> Array:
        """Of the middles of the cells: what the width of a cell adds is left out."""
        a, b = self.first - self.mean[0], self.second - self.mean[1]  # (G,), (H,)
        cross = a @ self.shares @ b
        return np.array([[self.shares.sum(1) @ a**2, cross], [cross, self.shares.sum(0) @ b**2]])  # (2, 2)

    def moment(self, powers: tuple[int, int]) -> float:
        """E x_1^i x_2^j for `powers` (i, j)."""
        return float(self.first ** powers[0] @ self.shares @ self.second ** powers[1])

    def sample(self, rng: np.random.Generator, count: int) -> Array:
        """`count` points: each from a cell by its share, and anywhere within it."""
        drawn = rng.random((count, 3))  # (count, 3)
        cell = np.searchsorted(np.cumsum(self.shares.ravel())[:-1], drawn[:, 0], side="right")  # (count,)
        i, j = np.unravel_index(cell, self.shares.shape)  # (count,), (count,)
        return np.stack([self.first[i], self.second[j]], 1) + self._cell * (drawn[:, 1:] - 0.5)  # (count, 2)

    def log_density(self, x: Array) -> Array:
        """log of the density at `x` (B, 2): (B,), minus infinity beyond the grid."""
        place = np.rint((x - [self.first[0], self.second[0]]) / self._cell).astype(int)  # (B, 2)
        inside = ((place >= 0) & (place < self.shares.shape)).all(1)  # (B,)
        i, j = np.clip(place, 0, np.array(self.shares.shape) - 1).T  # (B,), (B,)
        with np.errstate(divide="ignore"):
            return np.where(inside, np.log(self.shares[i, j] / self._cell.prod()), -np.inf)  # (B,)
