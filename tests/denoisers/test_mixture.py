"""A mixture of normal laws against the definition, written out component by component, and by differences (B0, P43)."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edudiff.denoisers import Mixture

seeds = st.integers(0, 2**32)
LEVELS = [(0.8, 0.6), (0.3, 1.2), (1.0, 0.15)]
every_level = pytest.mark.parametrize(("alpha", "sigma"), LEVELS)


def parts(seed, width=2, count=3):
    """Weights, means and covariances that have no symmetry."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.2, 1, count)
    roots = rng.uniform(-0.7, 0.7, (count, width, width)) + 0.3 * np.eye(width)
    return weights / weights.sum(), rng.uniform(-1, 1, (count, width)), roots @ roots.swapaxes(1, 2)


@given(seed=seeds)
@pytest.mark.parametrize("width", [1, 2, 3])
@every_level
def test_density_and_posterior_are_sums_over_components(alpha, sigma, width, seed):
    """Bayes with N(alpha mean_k, alpha^2 S_k + sigma^2): logarithm of the density, E[x0 | x] and E[x0 | x, k]."""
    weights, means, covariances = parts(seed, width)
    law, x = Mixture(weights, means, covariances), np.random.default_rng(seed).standard_normal((4, width))
    own, traces = law.components(x, alpha, sigma)
    densities, answers = [], []
    for k, (weight, mean, covariance) in enumerate(zip(weights, means, covariances, strict=True)):
        total = alpha**2 * covariance + sigma**2 * np.eye(width)
        away = np.linalg.solve(total, (x - alpha * mean).T).T  # (4, D)
        size = math.sqrt(np.linalg.det(2 * math.pi * total))
        densities.append(weight * np.exp(-((x - alpha * mean) * away).sum(1) / 2) / size)
        answers.append(mean + alpha * away @ covariance)
        left = covariance - alpha**2 * covariance @ np.linalg.solve(total, covariance)
        np.testing.assert_allclose(own[k], answers[k], atol=1e-9)
        assert traces[k] == pytest.approx(left.trace(), abs=1e-9)
    total = sum(densities)
    np.testing.assert_allclose(law.log_density(x, alpha, sigma), np.log(total), atol=1e-9)
    x0_hat = sum(p[:, None] * a for p, a in zip(densities, answers, strict=True)) / total[:, None]
    np.testing.assert_allclose(law(x, alpha, sigma), x0_hat, atol=1e-9)


@given(seed=seeds)
@every_level
def test_the_divergence_is_the_sum_of_the_slopes_of_the_answer(alpha, sigma, seed):
    law, x, h = Mixture(*parts(seed)), np.random.default_rng(seed).standard_normal((4, 2)), 1e-5
    slopes = [(law(x + d, alpha, sigma) - law(x - d, alpha, sigma)) / (2 * h) for d in h * np.eye(2)]
    known = sum(slope[:, i] for i, slope in enumerate(slopes))
    np.testing.assert_allclose(law.divergence(x, alpha, sigma), known, rtol=1e-6, atol=1e-7)


def test_a_sample_is_of_the_component_and_as_far_from_its_mean_as_its_stream_says():
    """The first normal of an item is the share below which its component lies, the others its place in there."""
    weights, means, covariances = parts(7)
    law = Mixture(weights, means + 100 * np.arange(3)[:, None], covariances)  # so far apart that one sees which it is
    x = law.sample(np.random.default_rng(3), 400)
    z = np.random.default_rng(3).standard_normal((400, 3))
    share = np.array([NormalDist().cdf(v) for v in z[:, 0]])
    component = (share[:, None] > np.cumsum(weights)[:2]).sum(1)
    assert set(component) == {0, 1, 2}
    np.testing.assert_array_equal(np.rint((x - means[component]) / 100).mean(1), component)
    away = x - law.means[component]
    squares = (away * np.linalg.solve(covariances[component], away[..., None])[..., 0]).sum(1)
    np.testing.assert_allclose(squares, (z[:, 1:] ** 2).sum(1), rtol=1e-6)
    np.testing.assert_array_equal(x[:9], law.sample(np.random.default_rng(3), 9))


def test_rounding_is_accepted_and_more_is_refused():
    """Of the sum of the weights, of the symmetry, in proportion to a large covariance, and of the eigenvalues."""
    one, origin, unit = np.ones(1), np.zeros((1, 2)), np.eye(2)[None]
    skew = np.array([[[0.0, 1.0], [0.0, 0.0]]])
    for scale, refused in ((0.8, None), (1.2, "not symmetric")):
        for size in (1e-3, 1.0, 1e3):
            covariance = size * unit + scale * 1e-6 * max(1, size) * skew
            accepts_or_refuses(refused, one, origin, covariance)
    for total, refused in ((1 + 8e-7, None), (1 - 8e-7, None), (1 + 1.2e-6, "not a law"), (1 - 1.2e-6, "not a law")):
        accepts_or_refuses(refused, total * one, origin, unit)
    for least, refused in ((0.0, None), (-8e-10, None), (-1.2e-9, "eigenvalue -1.2e-09")):
        accepts_or_refuses(refused, one, origin, np.diag([1.0, least])[None])
    for weights, refused in (([1.0, 0.0], "not a law"), ([1.5, -0.5], "not a law"), ([1 - 1e-9, 1e-9], None)):
        accepts_or_refuses(refused, np.array(weights), np.zeros((2, 2)), np.stack([np.eye(2)] * 2))


def accepts_or_refuses(refused, weights, means, covariances):
    if refused:
        with pytest.raises(ValueError, match=refused):
            Mixture(weights, means, covariances)
    else:
        law = Mixture(weights, means, covariances)
        assert float(law.weights.sum()) == pytest.approx(1, abs=1e-15)
        assert float(law.variances.min()) >= 0
