"""The linear denoiser: for Gaussian data it is the ideal one, and its probability flow is a matrix (P16)."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edudiff import reverse
from edudiff import schedule as schedules
from edudiff.denoisers import Linear

seeds = st.integers(0, 2**32)
levels = st.builds(lambda angle: (math.cos(angle), math.sin(angle)), st.floats(0.05, 1.57))
ALL = [schedules.cosine(), schedules.ddpm_linear(), schedules.log_linear(0.02, 20), schedules.flow()]
every_schedule = pytest.mark.parametrize("schedule", ALL, ids=lambda s: s.name)


def gaussian(seed, dimensions=4):
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((dimensions, dimensions)) / 2
    return rng.uniform(-1, 1, dimensions), root @ root.T, rng


def flow(mean, covariance, x, now, then):
    """x_then = a' mu + sum_k sqrt((b'^2 + l_k a'^2) / (b^2 + l_k a^2)) u_k u_k^T (x_now - a mu)."""
    (a, b), (a2, b2) = now, then
    values, vectors = np.linalg.eigh(covariance)
    values = np.maximum(values, 0)
    stretch = np.sqrt((b2**2 + values * a2**2) / (b**2 + values * a**2))
    return a2 * mean + (x - a * mean) @ (vectors * stretch) @ vectors.T


@given(seed=seeds, level=levels)
def test_it_conditions_a_gaussian_p16(seed, level):
    """E[x0 | x] = mu + cov(x0, x) var(x)^-1 (x - alpha mu)."""
    alpha, sigma = level
    mean, covariance, rng = gaussian(seed)
    x = rng.standard_normal((5, 4))
    total = alpha**2 * covariance + sigma**2 * np.eye(4)
    expected = mean + np.linalg.solve(total, alpha * covariance @ (x - alpha * mean).T).T
    np.testing.assert_allclose(Linear(mean, covariance)(x, *level), expected, atol=1e-7)


@every_schedule
def test_its_flow_is_a_matrix_p16(schedule):
    mean, covariance, rng = gaussian(1)
    x = rng.standard_normal((5, 4))
    out = reverse.sample(Linear(mean, covariance), schedule, x, np.linspace(0.9, 0.1, 401), method="heun")
    np.testing.assert_allclose(out, flow(mean, covariance, x, schedule(0.9), schedule(0.1)), atol=1e-3)


@every_schedule
def test_its_pictures_have_the_mean_and_covariance_of_the_data(schedule):
    """From N(alpha mu, alpha^2 S + sigma^2), the flow ends at N(mu, S) whatever the data were: here two clusters."""
    rng = np.random.default_rng(0)
    images = rng.choice([-0.8, 0.8], (2000, 1)) * [1.0, 0.5, 0.0] + 0.2 * rng.standard_normal((2000, 3)) + 0.1
    mean, covariance = images.mean(0), np.cov(images.T, bias=True)
    alpha, sigma = schedule(0.95)
    root = np.linalg.cholesky(alpha**2 * covariance + sigma**2 * np.eye(3))
    z = rng.standard_normal((500, 3))
    z = (z - z.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T, bias=True))).T  # exactly white
    x = alpha * mean + z @ root.T
    out = reverse.sample(Linear.fit(images), schedule, x, np.linspace(0.95, 0, 401), method="heun")
    left = schedule(0.0)[1] ** 2
    np.testing.assert_allclose(out.mean(0), mean, atol=2e-3)
    np.testing.assert_allclose(np.cov(out.T, bias=True), covariance + left * np.eye(3), atol=3e-3)


@pytest.mark.parametrize("count", [3, 9])
def test_fit_is_the_denoiser_of_mean_and_covariance(count):
    """Fewer pictures than pixels or more: the same formula."""
    rng = np.random.default_rng(0)
    images, x = rng.uniform(-1, 1, (count, 2, 3, 1)), rng.standard_normal((5, 2, 3, 1))
    flat = images.reshape(count, -1)
    known = Linear(images.mean(0), np.cov(flat.T, bias=True))
    for level in ((0.9, 0.3), (0.1, 0.99), (1.0, 20.0), (0.0, 1.0)):
        np.testing.assert_allclose(Linear.fit(images)(x, *level), known(x, *level), atol=1e-10)


@pytest.mark.parametrize(("different", "directions"), [(1, 1), (2, 1), (4, 3)])
def test_pictures_that_repeat_each_other_span_no_more_directions(different, directions):
    """What lies across the training set is taken away whole, however little noise there is."""
    rng = np.random.default_rng(0)
    images, x = rng.uniform(-1, 1, (different, 3, 3, 1))[np.arange(7) % different], rng.standard_normal((5, 3, 3, 1))
    denoise = Linear.fit(images)
    assert denoise.variances.shape == (directions,) and denoise.basis.shape == (9, directions)
    np.testing.assert_allclose(denoise.basis.T @ denoise.basis, np.eye(directions), atol=1e-14)
    known = Linear(images.mean(0), np.cov(images.reshape(7, -1).T, bias=True))
    np.testing.assert_allclose(denoise(x, 0.8, 0.6), known(x, 0.8, 0.6), atol=1e-12)
    off = (denoise(x, 1.0, 1e-9) - images.mean(0)).reshape(5, -1)
    centered = (images - images.mean(0)).reshape(7, -1)
    assert np.abs(off - off @ np.linalg.pinv(centered) @ centered).max() < 1e-12


def test_directions_of_little_variance_are_at_right_angles():
    """Fewer pictures than pixels, and standard deviations from 1 to 1e-7, whose squares hardly count beside 1."""
    rng = np.random.default_rng(0)
    basis, widths = np.linalg.qr(rng.standard_normal((20, 20)))[0], np.logspace(0, -7, 8)
    mixed = np.linalg.qr(rng.standard_normal((9, 9)) - 0.5)[0]
    mixed = np.linalg.qr(np.column_stack([np.ones(9), mixed]))[0][:, 1:9]  # of mean 0
    denoise = Linear.fit(3 * (mixed * widths) @ basis[:8])
    np.testing.assert_allclose(denoise.basis.T @ denoise.basis, np.eye(8), atol=1e-14)
    np.testing.assert_allclose(denoise.variances[:6], widths[:6] ** 2, rtol=1e-4)
    np.testing.assert_allclose(denoise.variances, widths**2, atol=1e-14)


def test_few_pictures_span_all_that_it_draws():
    """Directions without variance collapse: what is drawn lies in the affine hull of the training pictures."""
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (4, 3, 3, 1))
    schedule = schedules.cosine()
    out = reverse.sample(Linear.fit(images), schedule, rng.standard_normal((6, 3, 3, 1)), schedule.times(20))
    centered = (images - images.mean(0)).reshape(4, -1)
    off = (out - images.mean(0)).reshape(6, -1)
    off = off - off @ np.linalg.pinv(centered) @ centered
    assert np.abs(off).max() < 1e-12 < np.abs(out - images[:1]).max()


@given(seed=seeds, level=levels)
def test_it_is_affine(seed, level):
    mean, covariance, rng = gaussian(seed)
    x, y = rng.standard_normal((2, 3, 4))
    denoise = Linear(mean, covariance)
    mixed = denoise(0.3 * x + 0.7 * y, *level)
    np.testing.assert_allclose(mixed, 0.3 * denoise(x, *level) + 0.7 * denoise(y, *level), atol=1e-8)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_what_counts_as_symmetric_does_not_depend_on_the_units(scale):
    """Rounding errors of a covariance are a share of its size, and so is what is forgiven: one part in 100,000."""
    covariance = np.array([[2.0, 1.0], [1.0, 2.0]])
    twisted = np.array([[0.0, 1.0], [0.0, 0.0]])
    Linear(np.zeros(2), scale * (covariance + 1.9e-5 * twisted))  # the largest value is 2
    Linear(np.zeros(2), scale * (np.ones((2, 2)) - 0.9e-5 * np.eye(2)))
    with pytest.raises(ValueError, match="symmetric"):
        Linear(np.zeros(2), scale * (covariance + 2.1e-5 * twisted))
    with pytest.raises(ValueError, match="eigenvalue"):
        Linear(np.zeros(2), scale * (np.ones((2, 2)) - 1.1e-5 * np.eye(2)))


def test_nothing_varies_and_a_mean_is_one_item():
    """A covariance of zeros is one, too; a mean has the shape of points or of images."""
    for mean in (np.ones(4), np.ones((2, 2, 1)), np.ones((1, 1, 4))):
        x = np.zeros((3, *mean.shape))
        np.testing.assert_array_equal(Linear(mean, np.zeros((4, 4)))(x, 0.8, 0.6), x + 1)
    for mean in (np.ones((2, 2)), np.ones((1, 2, 2, 1)), np.array(1.0)):
        with pytest.raises(ValueError, match=r"expected that of one item, \(H, W, C\) or \(D,\)"):
            Linear(mean, np.zeros((mean.size, mean.size)))
    with pytest.raises(ValueError, match=r"covariance has shape \(3, 3\), expected \(4, 4\)"):
        Linear(np.ones(4), np.zeros((3, 3)))
    with pytest.raises(TypeError, match="covariance has dtype int64"):
        Linear(np.ones(4), np.zeros((4, 4), "int64"))
    with pytest.raises(ValueError, match="covariance has 16 NaN"):
        Linear(np.ones(4), np.full((4, 4), np.nan))
    assert Linear.fit(np.eye(5)[:3]).basis.shape == (5, 2)  # three items need no more directions


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_its_divergence_is_the_trace_of_its_matrix(ridge):
    mean, covariance, rng = gaussian(2)
    denoise = Linear(mean, covariance, ridge)
    alpha, sigma = 0.8, 0.5
    matrix = alpha * covariance @ np.linalg.inv(alpha**2 * (covariance + ridge * np.eye(4)) + sigma**2 * np.eye(4))
    found = denoise.divergence(rng.standard_normal((3, 4)).astype("float32"), alpha, sigma)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, np.full(3, matrix.trace()), rtol=1e-12)
    with pytest.raises(ValueError, match="sigma is 0"):
        denoise.divergence(mean[None], alpha, 0)
    for bad in (-0.1, math.inf, math.nan):
        with pytest.raises(ValueError, match="expected a finite number >= 0"):
            Linear(mean, covariance, bad)
