"""How likely: the flow's log-density against closed forms (P53), and the divergence that it is made of (P3)."""

import math

import numpy as np
import pytest

import edudiff as ed
from edudiff.denoisers import ByLabel, Ideal, Linear, Mixture, Patch
from edudiff.sampling import bits_per_dimension, divergence, jacobian_matrix, log_likelihood, random_signs
from edudiff.sampling.jacobian import jacobian_product

FLOW, COSINE = ed.schedule.flow(), ed.schedule.cosine()
RNG = np.random.default_rng(0)
COVARIANCE = np.array([[0.5, 0.2, 0.0], [0.2, 0.3, 0.1], [0.0, 0.1, 0.4]])
GAUSSIAN = Linear(np.array([0.3, -0.2, 0.1]), COVARIANCE)
MIXTURE = Mixture(
    np.array([0.3, 0.7]),
    np.array([[-0.6, 0.2], [0.5, -0.1]]),
    np.array([[[0.1, 0.02], [0.02, 0.05]], 0.08 * np.eye(2)]),
)
IMAGES = ed.data.shapes.hands(5, size=14, rng=np.random.default_rng(0)).astype("float64")


def up(schedule, steps, first=0.01):
    """Times that rise from `first` to 1, most of them where there is little noise."""
    return first + (1 - first) * np.linspace(0, 1, steps + 1) ** 2


def exact(law, x, s):
    """log-density of law + s * noise at x."""
    if isinstance(law, Mixture):
        return law.log_density(x, 1.0, s)
    covariance = COVARIANCE + s**2 * np.eye(3)
    away = x - law.mean
    squares = np.einsum("bi,ij,bj->b", away, np.linalg.inv(covariance), away)
    return -(squares + np.linalg.slogdet(covariance)[1] + 3 * math.log(2 * math.pi)) / 2


@pytest.mark.parametrize(("law", "tolerance"), [(GAUSSIAN, 1e-6), (MIXTURE, 1e-4)], ids=["gaussian", "mixture"])
def test_the_flow_knows_the_density_p53(law, tolerance):
    x = RNG.uniform(-1, 1, (6, len(law.mean)))
    for schedule in (FLOW, ed.schedule.cosine(stretch=1)):  # no signal at t = 1: the prior is exact
        alpha, sigma = schedule(0.01)
        found = log_likelihood(law, schedule, x, up(schedule, 120))
        np.testing.assert_allclose(found, exact(law, x, sigma / alpha), atol=tolerance)


def test_with_the_law_at_the_end_as_prior_it_is_exact_on_every_schedule_p53():
    x = RNG.uniform(-1, 1, (4, 2))
    for schedule in (COSINE, ed.schedule.log_linear(0.02, 5.0), ed.schedule.ddpm_linear()):
        alpha, sigma = schedule(0.05)
        found = log_likelihood(MIXTURE, schedule, x, np.linspace(0.05, 0.9, 101), prior=MIXTURE.log_density)
        np.testing.assert_allclose(found, exact(MIXTURE, x, sigma / alpha), atol=1e-4)


def test_the_solver_is_of_order_four():
    x, (alpha, sigma) = np.array([[0.5, 0.3, 0.4]]), FLOW(0.2)
    errors = [
        abs(log_likelihood(GAUSSIAN, FLOW, x, np.linspace(0.2, 1, n + 1)) - exact(GAUSSIAN, x, sigma / alpha)).item()
        for n in (8, 16, 32)
    ]
    np.testing.assert_allclose(-np.diff(np.log2(errors)), 4, atol=0.5)


def test_hutchinsons_estimate_is_unbiased():
    """Its mean over many draws is the exact log-density, within 4 standard errors; more probes, less noise."""
    x = np.repeat([[0.3, 0.1, -0.4]], 400, 0)
    truth = log_likelihood(GAUSSIAN, FLOW, x[:1], up(FLOW, 30)).item()
    spreads = []
    for probes in (1, 4):
        found = log_likelihood(GAUSSIAN, FLOW, x, up(FLOW, 30), probes=probes, rng=np.random.default_rng(probes))
        spreads.append(found.std())
        assert found.mean() == pytest.approx(truth, abs=4 * spreads[-1] / 20 + 1e-6)
    assert spreads[1] == pytest.approx(spreads[0] / 2, rel=0.2)


EVERY = {
    "ideal": Ideal(IMAGES[:, 3:6, 4:8]),
    "points": Ideal(RNG.uniform(-1, 1, (7, 3))),
    "a class": Ideal(RNG.uniform(-1, 1, (7, 3)), np.arange(7) % 2).conditional(1),
    "els": Patch(IMAGES[:, 3:7, 4:8], 3, backend="numpy"),
    "local": Patch(IMAGES[:, 3:7, 4:8], 3, shifts=False, backend="numpy"),
    "torus": Patch(IMAGES[:, 3:7, 4:8], 3, padding="circular", backend="numpy"),
    "linear": GAUSSIAN,
    "ridge": Linear.fit(RNG.uniform(-1, 1, (7, 3)), ridge=0.2),
    "mixture": MIXTURE,
}


def noisy(denoise):
    shape = denoise.images.shape[1:] if hasattr(denoise, "images") else denoise.mean.shape
    return np.random.default_rng(1).standard_normal((2, *shape))


@pytest.mark.parametrize("name", EVERY)
def test_the_divergence_is_that_of_the_jacobian_p3(name):
    """From the posterior variance, and from differences along every coordinate."""
    denoise, x = EVERY[name], noisy(EVERY[name])
    for alpha, sigma in ((0.7, 0.6), (0.9, 0.3), (0.2, 2.0)):
        matrix = jacobian_matrix(denoise, x, alpha, sigma)
        np.testing.assert_allclose(divergence(denoise, x, alpha, sigma), matrix.trace(axis1=1, axis2=2), atol=1e-6)
        plain = divergence(lambda *a, d=denoise: d(*a), x, alpha, sigma)  # a denoiser without a method
        np.testing.assert_allclose(plain, divergence(denoise, x, alpha, sigma), atol=1e-6)


def test_the_divergence_of_a_batch_of_classes():
    data, labels, x = RNG.uniform(-1, 1, (8, 3)), np.arange(8) % 2, RNG.standard_normal((3, 3))
    ideal = Ideal(data, labels)
    of_each = ByLabel(ideal.conditional, [1, 0, 1])
    alone = [divergence(ideal.conditional(k), x[i : i + 1], 0.7, 0.6)[0] for i, k in enumerate((1, 0, 1))]
    np.testing.assert_allclose(divergence(of_each, x, 0.7, 0.6), alone)


def test_a_product_with_the_jacobian_is_its_matrix_times_the_direction():
    x, v = np.random.default_rng(2).standard_normal((2, 4, 2))
    matrix = jacobian_matrix(MIXTURE, x, 0.7, 0.6)
    np.testing.assert_allclose(jacobian_product(MIXTURE, x, 0.7, 0.6, v), np.einsum("bij,bj->bi", matrix, v), atol=1e-8)
    np.testing.assert_array_equal(jacobian_product(MIXTURE, x, 0.7, 0.6, 0 * v), 0 * v)
    in_float32 = jacobian_product(MIXTURE, x.astype("f4"), 0.7, 0.6, v.astype("f4"))
    assert in_float32.dtype == np.float32
    np.testing.assert_allclose(in_float32, jacobian_product(MIXTURE, x, 0.7, 0.6, v), atol=1e-3)


def test_bits_per_dimension_of_what_is_known():
    """Uniform pixels cost 8 bits: their density in [-1, 1] is 1 / 2, up to the half bins at both ends."""
    d = 12
    assert bits_per_dimension(np.array([d * math.log(255 / 256 / 2)]), d)[0] == pytest.approx(8)
    assert bits_per_dimension(np.array([0.0]), 5, levels=3)[0] == 0
    a, b = bits_per_dimension(np.array([10.0, 20.0]), d)
    assert a - b == pytest.approx(10 / (d * math.log(2)))


def test_images_are_more_likely_than_noise():
    denoise = Linear.fit(IMAGES)
    x0 = np.concatenate([IMAGES[:1], np.random.default_rng(0).uniform(-1, 1, IMAGES[:1].shape)])
    likely, unlikely = log_likelihood(denoise, FLOW, x0, up(FLOW, 60, 0.1))
    assert likely > unlikely + 100


def test_random_signs_are_signs_with_the_dtype():
    signs = random_signs(np.zeros((3, 4), "f4"), 50, np.random.default_rng(0))
    assert signs.shape == (50, 3, 4) and signs.dtype == np.float32
    assert set(np.unique(signs)) == {-1, 1} and abs(signs.mean()) < 0.2


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"times": [0.9, 0.1]}, ValueError, "rise strictly"),
        ({"times": [0.0, 1.0]}, ValueError, "times begin at 0.0"),
        ({"probes": -1}, ValueError, "probes is -1"),
        ({"probes": 2}, TypeError, "rng is NoneType"),
        ({"x0": np.ones((2, 2), int)}, TypeError, "dtype int64"),
    ],
)
def test_bad_questions_are_refused(settings, error, says):
    asked = {"x0": np.ones((1, 3)), "times": [0.1, 1.0]} | settings
    with pytest.raises(error, match=says):
        log_likelihood(GAUSSIAN, FLOW, **asked)


def test_the_divergence_of_a_linear_denoiser_is_asked_at_items_that_it_knows():
    denoise = ed.denoisers.Linear(np.zeros(3), np.eye(3))
    with pytest.raises(ValueError, match=r"x has shape \(2, 4\), expected \(B, 3\)"):
        denoise.divergence(np.zeros((2, 4)), 0.6, 0.8)
