"""Samples against the law that they should come from, at a stated rate of false alarm.

Each check compares one statistic, whose law under the hypothesis is known, with its quantile at 1e-4: in one of 10,000
correct packages it would fail. Seeds are fixed, so a check that passes once passes always.
"""

import math

import numpy as np

NORMAL = 3.89  # |z| of a standard normal is larger with probability 1e-4
KOLMOGOROV = 2.23  # sqrt(n) sup |F_n - F| is larger with probability 1e-4


def assert_normal(z):
    """Standardised samples (n, D): independent standard normals, by means, products and distribution functions."""
    n, width = z.shape
    spare = math.sqrt(1 + 2 * math.log(width * (width + 3) / 2) / NORMAL**2)  # for the number of statistics
    assert (np.abs(z.mean(0)) * math.sqrt(n) < NORMAL * spare).all()
    products = z.T @ z / n - np.eye(width)
    assert (np.abs(products) * math.sqrt(n) / np.sqrt(1 + np.eye(width)) < NORMAL * spare).all()
    for column in z.T:
        assert kolmogorov(column, lambda v: (1 + np.vectorize(math.erf)(v / math.sqrt(2))) / 2) < KOLMOGOROV * spare


def kolmogorov(samples, cdf):
    """sqrt(n) times the largest difference between the empirical distribution function and `cdf`."""
    ordered, n = np.sort(samples), len(samples)
    at = cdf(ordered)
    return math.sqrt(n) * max((np.arange(1, n + 1) / n - at).max(), (at - np.arange(n) / n).max())


def standardised(law, samples):
    """Samples (n, ...) in units of a Gaussian law, (n, K); nothing may lie off its plane."""
    flat = (samples - law.mean).reshape(len(samples), -1)
    off = flat - flat @ law.basis @ law.basis.T
    assert np.abs(off).max() < 1e-6 + 6 * math.sqrt(law.rest)
    return flat @ law.basis / np.sqrt(law.variances)
