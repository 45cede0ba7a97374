"""Laws whose noisy densities, scores and flows are known, written from the definitions and apart from the package."""

import math

import numpy as np


class Gaussian:
    """Independent coordinates, each N(mean, variance): every quantity has a formula of one line."""

    def __init__(self, mean=0.0, variance=1.0):
        self.mean, self.variance = mean, variance

    def __call__(self, x, alpha, sigma):
        """E[x0 | x] by conditioning a Gaussian pair: mean + cov(x0, x) / var(x) * (x - E x)."""
        gain = alpha * self.variance / self.variance_at(alpha, sigma)
        return self.mean + gain * (x - alpha * self.mean)

    def variance_at(self, alpha, sigma):
        return alpha**2 * self.variance + sigma**2

    def score(self, x, alpha, sigma):
        return -(x - alpha * self.mean) / self.variance_at(alpha, sigma)

    def flow(self, x, now, then):
        """Where the probability-flow ODE carries x: quantiles keep their place (P16)."""
        ratio = math.sqrt(self.variance_at(then.alpha, then.sigma) / self.variance_at(now.alpha, now.sigma))
        return then.alpha * self.mean + ratio * (x - now.alpha * self.mean)


class Atoms:
    """The uniform law on N points of the line, (N,); x is (B, 1)."""

    def __init__(self, points):
        self.points = np.sort(np.asarray(points, dtype=np.float64))

    def log_terms(self, x, alpha, sigma):
        """log of each atom's share of the noisy density at x, (B, N)."""
        scaled = (x - alpha * self.points) / sigma
        return -(scaled**2) / 2 - math.log(sigma * len(self.points) * math.sqrt(2 * math.pi))

    def log_density(self, x, alpha, sigma):
        return np.logaddexp.reduce(self.log_terms(x, alpha, sigma), axis=1)

    def __call__(self, x, alpha, sigma):
        logs = self.log_terms(x, alpha, sigma)
        weights = np.exp(logs - logs.max(axis=1, keepdims=True))
        return (weights @ self.points / weights.sum(axis=1))[:, None]

    def distribution(self, x, alpha, sigma):
        """P(X_t <= x), (B,)."""
        erf = np.vectorize(math.erf)
        return np.mean((1 + erf((x - alpha * self.points) / sigma / math.sqrt(2))) / 2, axis=1)


def point(value):
    """The denoiser of a law on one point: it always answers that point."""
    return lambda x, alpha, sigma: 0 * x + value


def read_only(array):
    array = np.array(array)
    array.setflags(write=False)
    return array
