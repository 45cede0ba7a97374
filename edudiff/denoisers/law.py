"""The law of what a denoiser draws: the object that `generated()` returns, to be sampled, asked and compared.

A law answers what is known of it, and raises a ValueError that says so for the rest: `mean` (the shape of one item),
`covariance` (D, D), `sample(rng, count)`, `log_density(x)`, `distance(x)` to its support, `difference(other)`.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from edudiff.support import checks, rounding
from edudiff.support.arrays import array_namespace, move
from edudiff.support.describe import described
from edudiff.support.distances import nearest
from edudiff.support.types import Array, Denoiser

AGREES = 1e-6  # the difference of two measurements, root mean square, up to which they agree
FLAT = 1e-13  # of the largest variance: what rounding leaves of a variance of 0


class Difference(NamedTuple):
    """How far two laws are apart.

    `mean`: |difference of the means| over the standard deviation of the first, sqrt(tr S). `covariance`: Frobenius norm
    of the difference of the covariances over that of the first. `frechet`: `frechet` of their means and covariances.
    """

    mean: float
    covariance: float
    frechet: float


class Law:
    """What is known of a law; each kind of law adds what it knows."""

    @property
    def mean(self) -> Array:
        raise self._unknown("its mean")

    @property
    def covariance(self) -> Array:
        raise self._unknown("its covariance")

    def sample(self, rng: np.random.Generator, count: int) -> Array:
        """`count` items, (count, ...), from `rng`, a numpy.random.Generator; item i does not depend on `count`."""
        raise self._unknown("how to sample it")

    def log_density(self, x: Array) -> Array:
        """log of the density at `x` (B, ...): (B,)."""
        raise self._unknown("its density")

    def distance(self, x: Array) -> Array:
        """Euclidean distance of each item of `x` (B, ...) to the support of the law: (B,), 0 on it."""
        raise self._unknown("its support")

    def conditioned(self, matrix: Array, y: Array, noise: float = 0.0) -> "Law":
        """The law of x given the measurement `y` (M,) of `matrix` x + noise, with its standard deviation `noise`.

        `matrix`: (M, D). Raises ValueError where no item agrees with y.
        """
        raise self._unknown("its law given a measurement")

    def difference(self, other: Any) -> Difference:
        """The `Difference` to another law, or to samples of it, (B, ...)."""
        mean, covariance = moments(other)
        mine, own = self.mean.reshape(-1), self.covariance
        shift = float(((mine - mean) ** 2).sum() / own.trace()) ** 0.5
        change = float((own - covariance).ravel() @ (own - covariance).ravel()) ** 0.5
        size = float(own.ravel() @ own.ravel()) ** 0.5
        return Difference(shift, change / size, frechet(mine, own, mean, covariance))

    def _unknown(self, what):
        return ValueError(f"{what} is not known in closed form for {type(self).__name__}; draw samples and measure")


class Gaussian(Law):
    """A normal law: along the columns of `basis` it has `variances`, in all other directions the variance `rest`.

    `mean`: the shape of one item. `variances`: (K,). `basis`: (D, K), orthonormal columns. With zero variances it lies
    on a plane.
    """

    def __init__(self, mean: Array, variances: Array, basis: Array, rest: float = 0.0) -> None:
        self._mean, self.variances, self.basis, self.rest = mean, variances, basis, float(rest)
        self._flat = variances <= FLAT * float(variances.max())  # (K,) directions across the plane

    def __repr__(self) -> str:
        return described(self, mean=self._mean, variances=self.variances, rest=self.rest)

    @property
    def mean(self) -> Array:
        return self._mean

    @property
    def covariance(self) -> Array:
        xp = array_namespace(self.basis)
        return (self.basis * (self.variances - self.rest)) @ self.basis.T + self.rest * xp.eye(len(self.basis))

    def sample(self, rng: np.random.Generator, count: int) -> Array:
        z = move(rng.standard_normal((count, len(self.basis))), self.basis)  # (count, D)
        xp, along = array_namespace(z), z @ self.basis  # (count, K)
        x = (xp.sqrt(self.variances) * along) @ self.basis.T + math.sqrt(self.rest) * (z - along @ self.basis.T)
        return self._mean + x.reshape(count, *self._mean.shape)  # (count, ...)

    def log_density(self, x: Array) -> Array:
        """Raises ValueError if the law lies on a plane: there it has no density."""
        xp, (along, off) = array_namespace(x, self.basis), self._parts(x)
        others = len(self.basis) - len(self.variances)
        if bool(self._flat.any()) or (others and self.rest == 0):
            raise ValueError("this normal law lies on a plane and has no density; use distance(x), the distance to it")
        squares = (along**2 / self.variances).sum(1)  # (B,)
        size = float(xp.log(self.variances).sum())
        if others:
            squares = squares + (off**2).sum(1) / self.rest  # (B,)
            size += others * math.log(self.rest)
        return -(squares + size + len(self.basis) * math.log(2 * math.pi)) / 2  # (B,)

    def conditioned(self, matrix: Array, y: Array, noise: float = 0.0) -> "Gaussian":
        xp, shape = array_namespace(self.basis), self._mean.shape
        mean, covariance = condition(self._mean.reshape(-1), self.covariance, matrix, y, noise)  # (D,), (D, D)
        variances, basis = xp.linalg.eigh(covariance)  # (D,), (D, D)
        return Gaussian(mean.reshape(shape), xp.maximum(variances, 0), basis)

    def distance(self, x: Array) -> Array:
        xp, (along, off) = array_namespace(x, self.basis), self._parts(x)
        squares = (along**2 * self._flat).sum(1)  # (B,)
        return xp.sqrt(squares + (off**2).sum(1) * (self.rest == 0))  # (B,)

    def _parts(self, x):
        checks.batch(x, self._mean[None])
        centered = (x - self._mean).reshape(len(x), -1)  # (B, D)
        along = centered @ self.basis  # (B, K)
        return along, centered - along @ self.basis.T


class Line(Law):
    """A law on the line with a density, from its distribution function at many points.

    `points`: (G,), rising. `cdf`: (G,), from 0 to 1. Between the points the density is taken as constant.
    """

    def __init__(self, points: Array, cdf: Array) -> None:
        self.points, self.cdf = points, (cdf - cdf[0]) / (cdf[-1] - cdf[0])  # (G,), (G,)
        self._mass, self._middle = np.diff(self.cdf), (points[1:] + points[:-1]) / 2  # (G - 1,), (G - 1,)

    def __repr__(self) -> str:
        return described(self, points=self.points)

    @property
    def mean(self) -> Array:
        return np.array([self._mass @ self._middle])  # (1,)

    @property
    def covariance(self) -> Array:
        return np.array([[self.moment(2) - self.moment(1) ** 2]])  # (1, 1)

    def moment(self, order: int) -> float:
        """E x^order."""
        return float(self._mass @ self._middle**order)

    def sample(self, rng: np.random.Generator, count: int) -> Array:
        return np.interp(rng.random(count), self.cdf, self.points)[:, None]  # (count, 1)

    def log_density(self, x: Array) -> Array:
        where = np.searchsorted(self.points, x.ravel()) - 1  # (B,)
        inside = (where >= 0) & (where < len(self._mass))  # (B,)
        density = self._mass / np.diff(self.points)  # (G - 1,)
        with np.errstate(divide="ignore"):
            return np.where(inside, np.log(density[np.clip(where, 0, len(density) - 1)]), -math.inf)  # (B,)

    def distance(self, x: Array) -> Array:
        return np.maximum(0, np.maximum(self.points[0] - x, x - self.points[-1])).ravel()  # (B,)


class Atoms(Law):
    """Each of the items (N, ...) with its weight (N,), None for all the same: what copies draws. No density."""

    def __init__(self, items: Array, weights: Array | None = None) -> None:
        self.items = items
        self.weights = array_namespace(items).full(len(items), 1 / len(items)) if weights is None else weights  # (N,)

    def __repr__(self) -> str:
        return described(self, items=self.items)

    @property
    def mean(self) -> Array:
        return (self.weights @ self._rows()).reshape(self.items.shape[1:])  # (...)

    @property
    def covariance(self) -> Array:
        centered = self._rows() - self.mean.reshape(-1)  # (N, D)
        return (centered.T * self.weights) @ centered  # (D, D)

    def sample(self, rng: np.random.Generator, count: int) -> Array:
        xp, shares = array_namespace(self.items), move(rng.random(count), self.items)  # (count,)
        ends = xp.cumsum(self.weights)  # (N,)
        return self.items[xp.searchsorted(ends, shares * ends[-1], side="right")]  # (count, ...)

    @rounding.to_zero
    def conditioned(self, matrix: Array, y: Array, noise: float = 0.0) -> "Atoms":
        """The posterior over the items; without noise, over those that agree with y within rounding."""
        xp = array_namespace(self.items)
        squares = ((self._rows() @ matrix.T - y) ** 2).sum(1)  # (N,)
        if noise == 0:
            agrees = squares <= len(y) * AGREES**2  # (N,)
            if not bool(agrees.any()):
                raise ValueError("no item agrees with y; give the measurement noise, or a y of one of the items")
            weights = self.weights * agrees  # (N,)
        else:
            weights = self.weights * xp.exp((squares.min() - squares) / (2 * noise**2))  # (N,)
        return Atoms(self.items, weights / weights.sum())

    def _rows(self):
        return self.items.reshape(len(self.items), -1).astype("float64")  # (N, D)

    def distance(self, x: Array) -> Array:
        _, squares = nearest(x.reshape(len(x), -1), self.items.reshape(len(self.items), -1))  # (B,), (B,)
        return array_namespace(x).sqrt(squares)  # (B,)


class FixedPoints(Law):
    """A law of which the support is known: where the reverse process stops, a sample is its own clean version.

    If x and its slope have a limit as sigma goes to 0, then x = denoise(x) there. `distance` is |x - denoise(x)| at
    the signal scale 1 and the noise scale `sigma`: how far x is from being a fixed point.
    """

    def __init__(self, denoise: Denoiser, sigma: float = 1e-6) -> None:
        self.denoise, self.sigma = denoise, sigma

    def __repr__(self) -> str:
        return described(self, denoise=self.denoise, sigma=self.sigma)

    def distance(self, x: Array) -> Array:
        change = (x - self.denoise(x, 1.0, self.sigma)).reshape(len(x), -1)  # (B, D)
        return array_namespace(x).sqrt((change.astype("float64") ** 2).sum(1))  # (B,)


def condition(mean: Array, covariance: Array, matrix: Array, y: Array, noise: float) -> tuple[Array, Array]:
    """Mean (D,) and covariance (D, D) of x given `y` (M,), if x and the noise of `matrix` x + noise are normal.

    mean + S A^T (A S A^T + noise^2)^-1 (y - A mean), and S - S A^T (A S A^T + noise^2)^-1 A S.
    """
    xp = array_namespace(mean, covariance, matrix, y)
    pull = covariance @ matrix.T  # (D, M)
    total = matrix @ pull + noise**2 * xp.eye(len(y))  # (M, M)
    gain = pull @ xp.linalg.pinv(total, 1e-12, hermitian=True)  # (D, M)
    left = covariance - gain @ pull.T  # (D, D)
    return mean + gain @ (y - matrix @ mean), (left + left.T) / 2


def moments(law: Any) -> tuple[Array, Array]:
    """Mean (D,) and covariance (D, D) of a `Law`, or of samples (B, ...): the mean over B, in float64."""
    if isinstance(law, Law):
        return law.mean.reshape(-1), law.covariance
    checks.items(law, "samples")
    flat = law.reshape(len(law), -1).astype("float64")  # (B, D)
    centered = flat - flat.mean(0)  # (B, D)
    return flat.mean(0), centered.T @ centered / len(flat)


def frechet(mean: Array, covariance: Array, other_mean: Array, other_covariance: Array) -> float:
    """The Frechet (2-Wasserstein) distance of two normal laws: the root of

    |m - m'|^2 + tr(S + S' - 2 (S^1/2 S' S^1/2)^1/2)   (Dowson & Landau 1982, eq. 4).
    """
    xp = array_namespace(mean, covariance, other_mean, other_covariance)
    values, vectors = xp.linalg.eigh(covariance)  # (D,), (D, D)
    root = (vectors * xp.sqrt(xp.maximum(values, 0))) @ vectors.T  # (D, D)
    cross = xp.linalg.eigvalsh(root @ other_covariance @ root)  # (D,)
    spread = covariance.trace() + other_covariance.trace() - 2 * xp.sqrt(xp.maximum(cross, 0)).sum()
    return math.sqrt(max(0.0, float(((mean - other_mean) ** 2).sum() + spread)))
