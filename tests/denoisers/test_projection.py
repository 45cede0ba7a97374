"""The projection theorem: excess denoising error = (sigma^2 / alpha)^2 x Fisher divergence (P45, B0), both measured."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edudiff.denoisers import Ideal, Linear, Mixture, Polynomial
from edudiff.denoisers.projection import grid, projection

seeds = st.integers(0, 2**32)


def target(seed, width, count=3):
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.2, 1, count)
    roots = rng.uniform(-0.5, 0.5, (count, width, width)) + 0.3 * np.eye(width)
    return Mixture(weights / weights.sum(), rng.uniform(-1, 1, (count, width)), roots @ roots.swapaxes(1, 2))


def denoisers(law, seed):
    points = law.sample(np.random.default_rng(seed), 30)
    return {
        "linear": Linear(law.mean, law.covariance),
        "wrong": lambda x, alpha, sigma: np.tanh(3 * x) - 0.4,
        "other data": Ideal(points),
        "polynomial": Polynomial.fit(points, 2, stop=100),
    }


@pytest.mark.parametrize("width", [1, 2])
@settings(max_examples=4)
@given(seed=seeds, angle=st.floats(0.5, 1.4))
def test_excess_error_is_the_fisher_divergence_p45(width, seed, angle):
    law, alpha, sigma = target(seed, width), math.cos(angle), math.sin(angle)
    for name, denoise in denoisers(law, seed).items():
        sides = projection(denoise, law, alpha, sigma)
        assert sides.excess == pytest.approx(sides.predicted, rel=1e-6, abs=1e-12), name
        assert sides.excess >= 0 < sides.fisher
        assert sides.error == pytest.approx(sides.least + sides.excess)
    own = projection(law, law, alpha, sigma)
    assert abs(own.excess) < 1e-12 > own.fisher


def test_the_error_is_what_sampling_measures():
    """E |x0 - D(x)|^2 by 100,000 draws, within 4 standard errors, for a wrong and for the ideal denoiser."""
    law, alpha, sigma, rng = target(3, 2), 0.8, 0.6, np.random.default_rng(0)
    x0 = law.sample(rng, 100_000)
    x = alpha * x0 + sigma * rng.standard_normal(x0.shape)
    wrong = denoisers(law, 0)["wrong"]
    sides = projection(wrong, law, alpha, sigma)
    for denoise, known in ((wrong, sides.error), (law, sides.least)):
        errors = ((x0 - denoise(x, alpha, sigma)) ** 2).sum(1)
        assert abs(errors.mean() - known) < 4 * errors.std() / math.sqrt(len(errors))


def test_the_best_of_a_class_is_nearest_in_fisher_divergence_p45():
    """Among the affine denoisers the Wiener filter wins on both sides, and they rank all others alike."""
    law, alpha, sigma = target(1, 1), 0.7, 0.7
    gains = np.linspace(0, 1.4, 57)
    mean, variance = law.mean.item(), law.covariance.item()
    sides = [projection(lambda x, a, s, g=g: mean + g * (x - a * mean), law, alpha, sigma) for g in gains]
    best = alpha * variance / (alpha**2 * variance + sigma**2)
    assert gains[np.argmin([s.error for s in sides])] == pytest.approx(best, abs=0.0126)
    np.testing.assert_array_equal(np.argsort([s.error for s in sides]), np.argsort([s.fisher for s in sides]))


def test_score_and_posterior_mean_of_a_mixture():
    """The score is the gradient of the log density, and Tweedie's formula of the posterior mean; atoms too."""
    law, x, h = target(0, 2), np.random.default_rng(1).standard_normal((5, 2)), 1e-5
    alpha, sigma = 0.8, 0.6
    steps = h * np.eye(2)
    gradient = [(law.log_density(x + d, alpha, sigma) - law.log_density(x - d, alpha, sigma)) / (2 * h) for d in steps]
    np.testing.assert_allclose(law.score(x, alpha, sigma), np.stack(gradient, 1), atol=1e-7)
    np.testing.assert_allclose(law(x, alpha, sigma), (x + sigma**2 * law.score(x, alpha, sigma)) / alpha, atol=1e-12)
    points = np.random.default_rng(2).uniform(-1, 1, (4, 2))
    atoms = Mixture(np.full(4, 0.25), points, np.zeros((4, 2, 2)))
    np.testing.assert_allclose(atoms(x, alpha, sigma), Ideal(points)(x, alpha, sigma), atol=1e-12)
    np.testing.assert_allclose(atoms.covariance, np.cov(points.T, bias=True), atol=1e-12)
    with pytest.raises(ValueError, match="no density"):
        atoms.log_density(x)


def test_samples_of_a_mixture_have_its_moments():
    law = target(5, 2)
    difference = law.difference(law.sample(np.random.default_rng(0), 40_000))
    assert difference.mean < 4 / 200 and difference.covariance < 0.04


def test_the_covariance_of_a_mixture_is_that_within_and_that_between_p43():
    rng = np.random.default_rng(0)
    roots, weights, means = rng.standard_normal((3, 3, 3)), np.array([0.2, 0.5, 0.3]), rng.uniform(-1, 1, (3, 3))
    within = roots @ roots.swapaxes(1, 2)  # (K, D, D)
    law = Mixture(weights, means, within)
    between = np.cov(means.T, aweights=weights, bias=True)
    np.testing.assert_allclose(law.mean, weights @ means, atol=1e-12)
    np.testing.assert_allclose(law.covariance, np.einsum("k,kij->ij", weights, within) + between, atol=1e-12)


def test_refusals():
    law = target(0, 1)
    with pytest.raises(ValueError, match="alpha is 0"):
        projection(law, law, 0.0, 1.0)
    with pytest.raises(ValueError, match="3 dimensions"):
        projection(law, target(0, 3), 0.8, 0.6)
    with pytest.raises(ValueError, match="larger sigma"):
        thin = Mixture(np.ones(1), np.zeros((1, 2)), np.diag([1.0, 0.0])[None])
        projection(thin, thin, 1.0, 1e-4)
    for arguments, says in (
        ((np.ones(2) / 2, np.zeros((1, 2)), np.eye(2)[None]), "shapes"),
        ((np.array([0.5, 0.6]), np.zeros((2, 1)), np.ones((2, 1, 1))), "not a law"),
        ((np.ones(1), np.zeros((1, 1)), -np.ones((1, 1, 1))), "eigenvalue"),
    ):
        with pytest.raises(ValueError, match=says):
            Mixture(*arguments)


@pytest.mark.parametrize("width", [1, 2])
def test_the_grid_reaches_ten_deviations_beyond_every_mean(width):
    law, alpha, sigma = target(2, width), 0.8, 0.6
    points, cell = grid(law, alpha, sigma)
    reach = 10 * math.sqrt(alpha**2 * law.variances.max() + sigma**2)
    step = math.sqrt(alpha**2 * law.variances.min() + sigma**2) / 4
    beyond = points.max(0) - alpha * law.means.max(0) - reach
    np.testing.assert_allclose(points.min(0), alpha * law.means.min(0) - reach, atol=1e-9)
    assert (beyond >= 0).all() and (beyond < step).all()
    assert cell == pytest.approx(step**width)
    for axis in points.T:
        np.testing.assert_allclose(np.diff(np.unique(axis)), step, rtol=1e-6)
    assert np.exp(law.log_density(points, alpha, sigma)).sum() * cell == pytest.approx(1, abs=1e-12)


def test_a_grid_of_more_than_four_million_points_is_refused(monkeypatch):
    """One of two atoms has as many as their distance over a quarter of sigma, and 81 beyond them."""
    atoms = [Mixture(np.full(2, 0.5), np.array([[0.0], [d]]), np.zeros((2, 1, 1))) for d in (999.979875, 1.0)]
    with pytest.raises(ValueError, match="the grid would have 4,000,001 points; use a larger sigma"):
        grid(atoms[0], 1.0, 1e-3)
    count = len(grid(atoms[1], 1.0, 0.1)[0])
    monkeypatch.setattr("edudiff.denoisers.projection.MOST", count)
    assert len(grid(atoms[1], 1.0, 0.1)[0]) == count
    monkeypatch.setattr("edudiff.denoisers.projection.MOST", count - 1)
    with pytest.raises(ValueError, match=f"the grid would have {count} points"):
        grid(atoms[1], 1.0, 0.1)
