"""A mixture of normal laws against the definition, written out component by component, and by differences (B0, P43)."""

import math
from statistics import NormalDist
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edudiff.denoisers import Mixture
from edudiff.denoisers.law import Atoms, Gaussian

seeds = st.integers(0, 2**32)
LEVELS = [(0.8, 0.6), (0.3, 1.2), (1.0, 0.15)]
every_level = pytest.mark.parametrize(("alpha", "sigma"), LEVELS)


def parts(seed, width=2, count=3):
    """Weights, means and covariances that have no symmetry."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.2, 1, count)
    roots = rng.uniform(-0.7, 0.7, (count, width, width)) + 0.3 * np.eye(width)
    return (
        weights / weights.sum(),
        rng.uniform(-1, 1, (count, width)),
        roots @ roots.swapaxes(1, 2) + 0.02 * np.eye(width),
    )


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
def test_score_and_divergence_are_slopes(alpha, sigma, seed):
    """Of the log density, and of the answer, by central differences; in 3 dimensions, where bases are not symmetric."""
    law, x, h = Mixture(*parts(seed, 3)), np.random.default_rng(seed).standard_normal((4, 3)), 1e-5
    steps = h * np.eye(3)
    slopes = [(law(x + d, alpha, sigma) - law(x - d, alpha, sigma)) / (2 * h) for d in steps]
    known = sum(slope[:, i] for i, slope in enumerate(slopes))
    np.testing.assert_allclose(law.divergence(x, alpha, sigma), known, rtol=1e-6, atol=1e-7)
    climbs = [(law.log_density(x + d, alpha, sigma) - law.log_density(x - d, alpha, sigma)) / (2 * h) for d in steps]
    np.testing.assert_allclose(law.score(x, alpha, sigma), np.stack(climbs, 1), rtol=1e-6, atol=1e-6)


@given(seed=seeds)
@pytest.mark.parametrize("noise", [0.2, 0.0])
def test_a_conditioned_mixture_is_what_bayes_says(noise, seed):
    """Its log density is that of x plus that of y given x, but for a constant; without noise y holds exactly."""
    rng = np.random.default_rng(seed)
    law, matrix, y = Mixture(*parts(seed, 3)), rng.standard_normal((2, 3)), rng.standard_normal(2)
    found = law.conditioned(matrix, y, noise)
    assert float(found.weights.sum()) == pytest.approx(1, abs=1e-12)
    x = found.sample(rng, 9)
    if noise:
        apart = ((x @ matrix.T - y) ** 2).sum(1) / (2 * noise**2)
        np.testing.assert_allclose(np.ptp(law.log_density(x) - apart - found.log_density(x)), 0, atol=1e-6)
    else:
        np.testing.assert_allclose(x @ matrix.T, np.broadcast_to(y, (9, 2)), atol=1e-5)
        along = np.linalg.svd(matrix)[2][2]  # the direction that y says nothing of
        line = x[0] + np.linspace(-1, 1, 7)[:, None] * along
        density = np.exp(law.log_density(line))
        mine = sum(
            weight * np.exp(-(((line - mean) @ along) ** 2) / (2 * variance)) / math.sqrt(variance)
            for weight, mean, variance in zip(found.weights, found.means, found.variances[:, -1], strict=True)
        )
        np.testing.assert_allclose(mine / mine.sum(), density / density.sum(), atol=1e-6)


def test_components_that_explain_a_measurement_a_trillion_times_worse_are_left_out():
    apart = np.sqrt(-2 * np.log([1.0, 1.2e-12, 0.8e-12]))[:, None]  # from y, in deviations
    found = Mixture(np.full(3, 1 / 3), apart, np.full((3, 1, 1), 0.5)).conditioned(
        np.ones((1, 1)), np.zeros(1), math.sqrt(0.5)
    )
    np.testing.assert_allclose(found.means, apart[:2] / 2, atol=1e-12)


@pytest.mark.parametrize("other", [1e-6, 1.0, 100.0])
@pytest.mark.parametrize(("share", "refused"), [(0.8, True), (1.2, False)])
def test_a_measurement_without_noise_needs_a_component_with_some_extent(other, share, refused):
    """A trillionth of the largest that is measured, or of 1."""
    law = Mixture(np.ones(1), np.zeros((1, 2)), np.diag([share * 1e-12 * max(1.0, other), other])[None])
    if refused:
        with pytest.raises(ValueError, match="give the measurement noise"):
            law.conditioned(np.eye(2), np.zeros(2))
    else:
        np.testing.assert_allclose(law.conditioned(np.eye(2), np.zeros(2)).means, 0)
    np.testing.assert_allclose(law.conditioned(np.eye(2), np.zeros(2), 0.1).means, 0)


@pytest.mark.parametrize("count", range(1, 30))
def test_the_largest_normal_number_is_of_the_last_component(count):
    """Whatever rounding makes of the sum of the weights, and the smallest is of the first."""
    law = Mixture(np.full(count, 1 / count), np.arange(count)[:, None] * 1.0, np.zeros((count, 1, 1)))
    for number, component in ((9.0, count - 1), (-9.0, 0)):
        stream = SimpleNamespace(standard_normal=lambda shape, number=number: np.full(shape, number))
        np.testing.assert_array_equal(law.sample(stream, 2), [[component], [component]])


def test_it_says_how_large_it_is():
    assert repr(Mixture(*parts(0))) == "Mixture(means=(3, 2), weights=(3,))"


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


@pytest.mark.parametrize("noise", [0.3, 1.7])
def test_conditioned_atoms_and_normal_laws_are_what_bayes_says(noise):
    rng = np.random.default_rng(4)
    items, weights, matrix, y = (
        rng.uniform(-1, 1, (5, 3)),
        np.arange(1.0, 6) / 15,
        rng.standard_normal((2, 3)),
        np.ones(2),
    )
    likely = weights * np.exp(-((items @ matrix.T - y) ** 2).sum(1) / (2 * noise**2))
    found = Atoms(items, weights).conditioned(matrix, y, noise)
    np.testing.assert_allclose(found.weights, likely / likely.sum(), atol=1e-12)
    _, means, covariances = parts(2, 3, 1)
    variances, basis = np.linalg.eigh(covariances[0])
    normal = Gaussian(means[0], variances, basis)
    posterior, x = normal.conditioned(matrix, y, noise), rng.standard_normal((6, 3))
    apart = ((x @ matrix.T - y) ** 2).sum(1) / (2 * noise**2)
    np.testing.assert_allclose(np.ptp(normal.log_density(x) - apart - posterior.log_density(x)), 0, atol=1e-8)


def test_without_noise_atoms_within_a_millionth_agree_with_a_measurement():
    """As a root of the mean square over the measurement."""
    items, matrix, y = np.array([[0.0, 0.0], [0.9e-6, -0.9e-6], [1.1e-6, 1.1e-6], [1.0, 1.0]]), np.eye(2), np.zeros(2)
    found = Atoms(items, np.array([0.1, 0.3, 0.2, 0.4])).conditioned(matrix, y)
    np.testing.assert_allclose(found.weights, [0.25, 0.75, 0, 0], atol=1e-12)
    with pytest.raises(ValueError, match="no item agrees with y"):
        Atoms(items).conditioned(matrix, y + 0.5)


@pytest.mark.parametrize(
    ("weights", "means", "covariances", "error", "says"),
    [
        ([1], [[0.0]], [[[1.0]]], TypeError, "weights has dtype int64"),
        ([1.0], [[0]], [[[1.0]]], TypeError, "means has dtype int64"),
        ([1.0], [[0.0]], [[[1]]], TypeError, "covariances has dtype int64"),
        ([1.0], [[0.0]], [[[np.nan]]], ValueError, "covariances has 1 NaN"),
        (
            [1.0],
            [0.0],
            [[[1.0]]],
            ValueError,
            r"shapes \(1,\), \(1,\), \(1, 1, 1\), expected \(K,\), \(K, D\), \(K, D, D\)",
        ),
        ([0.5, 0.5], [[0.0]], [[[1.0]]], ValueError, "have shapes"),
        ([1.0], [[0.0]], [[1.0]], ValueError, "have shapes"),
        ([1.0], [[0.0, 0.0]], [[[1.0], [1.0]]], ValueError, "have shapes"),
        ([1.0], [[0.0]], [[[1.0]], [[1.0]]], ValueError, "have shapes"),
    ],
)
def test_what_is_no_mixture_is_refused(weights, means, covariances, error, says):
    with pytest.raises(error, match=says):
        Mixture(*map(np.array, (weights, means, covariances)))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("far", [100.0, -3000.0])
def test_far_from_all_components_the_widest_counts(far):
    """However small their densities are there: at x, and at a measurement."""
    law = Mixture(np.array([0.3, 0.7]), np.array([[1.0], [0.0]]), np.array([[[1.0]], [[0.25]]]))
    x = np.array([[far]])
    np.testing.assert_allclose(law(x, 0.8, 0.6), 1 + 0.8 * (x - 0.8) / 1.0)
    np.testing.assert_allclose(law.score(x, 0.8, 0.6), -(x - 0.8))
    np.testing.assert_allclose(
        law.log_density(x, 0.8, 0.6), np.log(0.3 / math.sqrt(2 * math.pi)) - (far - 0.8) ** 2 / 2
    )
    found = law.conditioned(np.ones((1, 1)), x[0], 1.0)
    np.testing.assert_allclose(found.weights, [1])
    np.testing.assert_allclose(found.means, [[(1 + far) / 2]])
