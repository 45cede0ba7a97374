"""The best polynomial denoiser: it knows the moments of the data up to twice its degree, and nothing else."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from edudiff.denoisers import hermite
from edudiff.denoisers.law import Gaussian, Line
from edudiff.denoisers.linear import Linear
from edudiff.denoisers.plane import Plane
from edudiff.support import checks, rounding
from edudiff.support.arrays import array_namespace, to_numpy
from edudiff.support.describe import described
from edudiff.support.types import Array

MOST = 20_000  # moments of the data; more take minutes
REACH, CURL = 6.0, 1e-6  # of a law in the plane: its grid, in standard deviations; what cross slopes may differ by
FAR = 1e3  # standard deviations from the mean: a path that is told to go further has diverged
CUTOFF = 1e-13  # of the largest: eigenvalues of the moment matrix that are rounding errors


class Polynomial:
    """The polynomial of x with the least error E |x0 - p(x)|^2, for points (B, D): the projection of E[x0 | x].

    Made by `fit`, which computes `mean` (D,), `covariance` (D, D) and `moments`, one for each exponent up to twice the
    degree: the means of the Hermite polynomials of the standardised points.

    `fit(points, degree)`: `points` (N, D), the data; all moments of the noisy data follow from theirs, exactly, so no
    noise is ever drawn. `weights`: (N,), of the points, for a law of atoms or a quadrature rule; equal if None.

    A polynomial leaves every bound, so some paths of the reverse process may too: where x0_hat is further than `far`
    standard deviations from the mean, FloatingPointError says how many and what to do. With `stop`, a number of
    standard deviations, x0_hat is instead held on the ellipsoid of this size, where such paths end and can be counted.
    Raises TypeError or ValueError for bad points, degree or weights, or where there would be more than 20,000 moments.
    """

    def __init__(
        self,
        mean: Array,
        covariance: Array,
        degree: int,
        moments: dict[tuple[int, ...], float],
        stop: float | None = None,
    ) -> None:
        self.degree, self.moments, self.stop = degree, moments, stop
        self.mean, self.covariance = mean, covariance  # (D,), (D, D)
        self.scale, self.basis = _axes(covariance)  # (D,), (D, D)
        self._powers = hermite.exponents(len(self.scale), degree)
        self._gram, self._right = self._terms()

    def __repr__(self) -> str:
        return described(self, mean=self.mean, degree=self.degree, stop=self.stop)

    @classmethod
    def fit(cls, points: Array, degree: int, weights: Array | None = None, stop: float | None = None) -> "Polynomial":
        xp = checks.training_set(points, "points")
        if points.ndim != 2:
            raise ValueError(f"points have shape {points.shape}, expected (N, D); flatten pictures, or use Linear")
        checks.integer(degree, "degree")  # 1 is the best linear denoiser
        if stop is not None and not 1 < stop <= FAR:
            raise ValueError(f"stop is {stop}, expected 1 < stop <= {FAR:g} standard deviations, or None for an error")
        width = points.shape[1]
        if math.comb(width + 2 * degree, width) > MOST:
            raise ValueError(
                f"degree {degree} in {width} dimensions needs {math.comb(width + 2 * degree, width):,} moments, at most"
                f" {MOST:,} are kept; use a lower degree, or a few principal components of the data"
            )
        share = _shares(xp, points, weights)  # (N,)
        mean = share @ points.astype("float64")  # (D,)
        centered = points - mean  # (N, D)
        covariance = centered.T @ (share[:, None] * centered)  # (D, D)
        scale, basis = _axes(covariance)  # (D,), (D, D)
        powers = hermite.exponents(width, 2 * degree)
        means = share @ hermite.values(centered @ basis / scale, powers)  # (number of powers,)
        return cls(mean, covariance, int(degree), dict(zip(powers, means.tolist(), strict=True)), stop)

    def _terms(self):
        """What the least-squares problem is made of: ((rows, columns, factors), powers), (right side, powers)."""
        xp, rows = array_namespace(self.scale), []
        for a, i in enumerate(self._powers):
            for b, j in enumerate(self._powers):
                rows += [(a, b, factor * self.moments[k], *k) for k, factor in hermite.linearization(i, j)]
        gram = xp.asarray(rows)  # (T, 3 + K)
        unit = np.eye(len(self.scale), dtype=int)
        right = [[self._with(i, one) for one in unit] for i in self._powers]
        return gram, (xp.asarray(right), xp.asarray(self._powers))

    def _with(self, i, one):
        """E w_e he_i(w): w he_i = sqrt(i + 1) he_(i + 1) + sqrt(i) he_(i - 1) in the coordinate e that `one` marks."""
        return sum(factor * self.moments[k] for k, factor in hermite.linearization(i, tuple(one.tolist())))

    def coefficients(self, alpha: float, sigma: float) -> Array:
        """The polynomial in Hermite form, (n, K): what he_i of the standardised x adds to the standardised x0_hat.

        Solves E[he_i he_j] c_j = E[he_i w], both sides from the data's moments and Mehler's factor. Directions in
        which the noisy data have no extent within rounding are left out.
        """
        xp = array_namespace(self.scale)
        alpha, sigma = checks.levels(alpha, sigma)
        c = alpha * self.scale / xp.sqrt((alpha * self.scale) ** 2 + sigma**2)  # (K,)
        n = len(self._powers)
        cell = (self._gram[:, 0] * n + self._gram[:, 1]).astype("intp")  # (T,), 32 bits in a browser
        terms = self._gram[:, 2] * (c ** self._gram[:, 3:]).prod(1)  # (T,)
        gram = xp.bincount(cell, weights=terms).reshape(n, n)  # (n, n), the last is never empty
        right, powers = self._right
        right = (c**powers).prod(1)[:, None] * right  # (n, K)
        size, directions = xp.linalg.eigh((gram + gram.T) / 2)  # (n,), (n, n)
        kept = size > CUTOFF * size.max()  # (n,)
        return directions @ ((kept / xp.where(kept, size, 1.0))[:, None] * (directions.T @ right))  # (n, K)

    def in_powers(self, alpha: float, sigma: float) -> Array:
        """On the line: x0_hat = sum_i c_i x^i, the (degree + 1,) coefficients c. Raises ValueError for D > 1."""
        if len(self.scale) > 1:
            raise ValueError(f"powers are for points on the line, these have {len(self.scale)} dimensions")
        mean, scale = self.mean.item(), self.scale.item()
        answer = scale * to_numpy(self.coefficients(alpha, sigma)).ravel() @ hermite.monomials(self.degree)
        z = np.polynomial.Polynomial(np.array([-alpha * mean, 1.0]) / math.hypot(alpha * scale, sigma))
        powers = np.polynomial.Polynomial(answer)(z) + mean
        return np.pad(powers.coef, (0, self.degree + 1 - len(powers.coef)))  # (degree + 1,)

    @rounding.to_zero
    def __call__(self, x: Array, alpha: float, sigma: float) -> Array:
        """`x`: (B, D). Returns x0_hat, same shape, dtype and device."""
        xp = checks.batch(x, self.mean[None])
        coefficients = self.coefficients(alpha, sigma)  # (n, K)
        z = (x - alpha * self.mean) @ self.basis / xp.sqrt((alpha * self.scale) ** 2 + sigma**2)  # (B, K)
        w = hermite.values(z, self._powers) @ coefficients  # (B, K)
        size = xp.sqrt((w**2).sum(1, keepdims=True))  # (B, 1)
        if self.stop is not None:
            w = w * xp.minimum(1.0, self.stop / xp.maximum(size, 1e-300))  # (B, K)
        elif not bool((size < FAR).all()):
            raise FloatingPointError(
                f"a polynomial of degree {self.degree} diverges at {int((~(size < FAR)).sum())} of {len(x)} points"
                f" (alpha = {alpha:.3g}, sigma = {sigma:.3g}): it answers more than {FAR:g} standard deviations from"
                " the mean; use another degree, or stop=10 to hold such paths where they can be counted"
            )
        return (self.mean + (w * self.scale) @ self.basis.T).astype(x.dtype)  # (B, D)

    def stopped(self, x: Array) -> Array:
        """Which items of `x` (B, D) have diverged: those beyond half of `stop` standard deviations, booleans, (B,)."""
        if self.stop is None:
            raise ValueError("this polynomial has no stop: paths that diverge raise an error; give stop=10 to fit")
        w = (x - self.mean) @ self.basis / self.scale  # (B, K)
        return (w**2).sum(1) > (self.stop / 2) ** 2  # (B,)

    def generated(self, levels: Sequence[tuple[float, float]] | None = None) -> Gaussian | Line:
        """The law of the samples: that of `Linear` if the data's moments 1 to degree + 1 are those of a normal law.

        Then the best polynomial is linear. Otherwise, on the line and for the DDIM steps of `levels`, [(alpha, sigma),
        ...], a `Line`: the reverse process carries quantiles, and 4,001 of them are carried. Elsewhere no closed form
        is known, because the moments of the flow never close: ValueError.
        """
        if self.is_linear():
            linear = Linear(self.mean, self.covariance)
            return linear.generated_by_ddim(levels) if levels else linear.generated()
        if len(self.scale) > 1 or levels is None:
            raise ValueError(
                f"the law of a polynomial of degree {self.degree} is known on the line, for given levels"
                " [(alpha, sigma), ...], and for data whose first moments are a normal law's; draw samples here"
            )
        z = np.linspace(-5.5, 5.5, 4001)  # standard normal quantiles: less than 1e-7 lies beyond
        x = levels[0][1] * z[:, None]  # (G, 1)
        for (alpha, sigma), (alpha_next, sigma_next) in pairwise(levels):
            x0_hat = self(x, alpha, sigma)  # (G, 1)
            x = alpha_next * x0_hat + sigma_next / sigma * (x - alpha * x0_hat)  # (G, 1)
        if not (np.diff(x, axis=0) > 0).all():
            raise ValueError("some paths of the reverse process cross: take more steps, or draw samples")
        return Line(x.ravel(), np.array([math.erf(v / math.sqrt(2)) for v in z]))

    def langevin(self, alpha: float, sigma: float) -> Line:
        """The law that Langevin dynamics draws from at one noise level, on the line: exp(a polynomial), a `Line`.

        Its density is the exponential of the integral of the score (alpha x0_hat - x) / sigma^2. Raises ValueError
        where that grows at infinity: then there is no such law, and Langevin dynamics diverges.
        """
        score = alpha * self.in_powers(alpha, sigma)  # (degree + 1,)
        score[1] -= 1
        score /= sigma**2
        largest = np.flatnonzero(np.abs(score) > 1e-9 * np.abs(score).max()).max()
        if largest % 2 == 0 or score[largest] > 0:
            raise ValueError(
                f"degree {self.degree} gives an improper law here: its density grows at infinity as the exponential"
                f" of {score[largest] / (largest + 1):.3g} x^{largest + 1}; Langevin dynamics diverges"
            )
        log_density = np.polynomial.Polynomial(score).integ()
        middle, reach = alpha * self.mean.item(), 12 * math.hypot(alpha * self.scale.item(), sigma)
        x = np.linspace(middle - reach, middle + reach, 200_001)  # (G,)
        density = np.exp(log_density(x) - log_density(x).max())  # (G,)
        return Line(x, np.append(0, np.cumsum(density[1:] + density[:-1])))

    def langevin_in_the_plane(self, alpha: float, sigma: float, cells: int = 301) -> Plane:
        """The law that Langevin dynamics draws from at one noise level, in the plane: exp(a polynomial), on a grid.

        There is one only if the score is the slope of something, its two cross slopes equal: so it is for data of
        independent coordinates, and for data that look alike in all directions. The density is the exponential of the
        integral of the score along a line from the mean, which Gauss's rule of `degree` nodes gives exactly, on
        `cells` x `cells` points up to 6 standard deviations. Raises ValueError for other dimensions, for a score that
        is no slope, and where the density does not fall to nothing.
        """
        if len(self.scale) != 2:
            raise ValueError(f"these points have {len(self.scale)} dimensions, expected 2; on the line use langevin")
        alpha, sigma = checks.levels(alpha, sigma)
        middle = alpha * to_numpy(self.mean)  # (2,)
        reach = REACH * np.hypot(alpha * to_numpy(self.scale), sigma).max()
        center = np.random.default_rng(0).uniform(-reach, reach, (50, 2)) / 3 + middle  # (50, 2)
        step = reach * 1e-4 * np.eye(2)
        across = [(self._score(center + h, alpha, sigma) - self._score(center - h, alpha, sigma)) for h in step]
        curl = np.abs(across[0][:, 1] - across[1][:, 0]).max() / max(np.abs(across).max(), 1e-300)
        if curl > CURL:
            raise ValueError(
                f"this score is no slope of a density: its cross slopes differ by {curl:.1e} of the largest slope;"
                " Langevin dynamics then draws from a law without a closed form"
            )
        line = np.linspace(-reach, reach, cells)  # (G,)
        away = np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)  # (G * G, 2)
        angle = 2 * np.pi * np.arange(90) / 90  # (90,)
        far = 1e3 * reach * np.stack([np.cos(angle), np.sin(angle)], 1)  # (90, 2), where the highest power decides
        nodes, weights = np.polynomial.legendre.leggauss(self.degree)  # (n,), (n,)

        def potential(away):
            slopes = [self._score(middle + (u + 1) / 2 * away, alpha, sigma) for u in nodes.tolist()]  # (P, 2) each
            return sum(w / 2 * (away * slope).sum(1) for w, slope in zip(weights.tolist(), slopes, strict=True))

        log = potential(away).reshape(cells, cells)  # (G, G)
        edge = max(log[[0, -1]].max(), log[:, [0, -1]].max(), potential(far).max())
        if edge > log.max() - 10:
            raise ValueError(f"degree {self.degree} gives an improper law here: its density does not fall to nothing")
        return Plane(middle[0] + line, middle[1] + line, log)

    def _score(self, x, alpha, sigma):
        """(alpha x0_hat - x) / sigma^2 at points (B, 2) on the host, however far from the mean."""
        scale, basis, mean = to_numpy(self.scale), to_numpy(self.basis), to_numpy(self.mean)
        z = (x - alpha * mean) @ basis / np.sqrt((alpha * scale) ** 2 + sigma**2)  # (B, 2)
        w = hermite.values(z, self._powers) @ to_numpy(self.coefficients(alpha, sigma))  # (B, 2)
        return (alpha * (mean + (w * scale) @ basis.T) - x) / sigma**2  # (B, 2)

    def is_linear(self) -> bool:
        """True where the data's moments 1 to degree + 1 are those of a normal law: then no degree helps."""
        low = [k for k in hermite.exponents(len(self.scale), self.degree + 1) if any(k)]  # means of he_k
        return self.degree == 1 or all(abs(self.moments[k]) < 1e-9 for k in low)


def _axes(covariance):
    """Standard deviations (D,) and directions (D, D) of the principal axes; 1 where the data have no extent."""
    xp = array_namespace(covariance)
    variances, basis = xp.linalg.eigh(covariance)  # (D,), (D, D)
    return xp.sqrt(xp.where(variances > 1e-12 * variances.max(), variances, 1.0)), basis


def _shares(xp, points, weights):
    if weights is None:
        return xp.full(len(points), 1 / len(points))  # (N,)
    checks.finite_floats(weights, "weights")
    array_namespace(points, weights)
    if weights.shape != (len(points),) or float(weights.min()) < 0 or float(weights.sum()) <= 0:
        raise ValueError(f"weights have shape {weights.shape}, expected ({len(points)},), none negative, not all 0")
    return weights.astype("float64") / float(weights.sum())  # (N,)
