"""Repair: the exact law given a measurement, the recipe that is exact on Gaussians, how far the others are (P54)."""

import math

import numpy as np
import pytest

import edudiff as ed
from edudiff.denoisers import Ideal, Linear, Mixture
from edudiff.sampling import Measurement, blurred, downsampled, masked, posterior_guided, replacement_steps
from edudiff.sampling.repair import back_up

COSINE, FLOW = ed.schedule.cosine(), ed.schedule.flow()
RNG = np.random.default_rng(0)
COVARIANCE = np.array([[0.6, 0.35, 0.1], [0.35, 0.4, -0.1], [0.1, -0.1, 0.5]])
GAUSSIAN = Linear(np.array([0.3, -0.2, 0.1]), COVARIANCE)
MIXTURE = Mixture(
    np.array([0.3, 0.7]),
    np.array([[-0.6, 0.2], [0.5, -0.1]]),
    np.array([[[0.1, 0.04], [0.04, 0.05]], 0.08 * np.eye(2)]),
)
FIRST = Measurement(np.array([[1.0, 0.0, 0.0]]), 0.2)
SUM = Measurement(np.array([[1.0, 0.5, 0.0], [0.0, 1.0, -1.0]]), 0.1)
EXACT = Measurement(np.array([[1.0, 0.0, 0.0]]), 0.0)


def last(steps):
    *_, step = steps
    return step.x_next


@pytest.mark.parametrize("measurement", [FIRST, SUM, EXACT], ids=["one value", "two sums", "no noise"])
@pytest.mark.parametrize(("alpha", "sigma"), [(0.8, 0.6), (0.99, 0.1), (0.1, 3.0)])
def test_posterior_guidance_with_the_jacobian_is_exact_on_gaussians_p54(measurement, alpha, sigma):
    """It answers E[x0 | x, y]: the best denoiser of the law given y, which is normal."""
    y, x = RNG.uniform(-1, 1, (1, len(measurement.matrix))), RNG.standard_normal((4, 3))
    law = GAUSSIAN.generated().conditioned(measurement.matrix, y[0], measurement.noise)
    exact = Linear(law.mean, law.covariance)(x, alpha, sigma)
    found = posterior_guided(GAUSSIAN, measurement, np.repeat(y, 4, 0))(x, alpha, sigma)
    np.testing.assert_allclose(found, exact, atol=1e-7)


def test_so_its_flow_draws_the_law_given_the_measurement_p54():
    """Two paths of an affine flow tell its mean; three directions its covariance."""
    y = np.array([[0.7]])
    law = GAUSSIAN.generated().conditioned(FIRST.matrix, y[0], FIRST.noise)
    x = np.concatenate([np.zeros((1, 3)), np.eye(3)])
    ends = ed.reverse.sample(posterior_guided(GAUSSIAN, FIRST, np.repeat(y, 4, 0)), FLOW, x, FLOW.times(300), "heun")
    columns = (ends[1:] - ends[0]).T
    np.testing.assert_allclose(ends[0], law.mean, atol=1e-3)
    np.testing.assert_allclose(columns @ columns.T, law.covariance, atol=1e-3)


def gaussian_experiment(recipe, count=1200):
    """Mean and variance of the second coordinate, given the first without noise, as a recipe draws them."""
    pair = Linear(np.zeros(2), np.array([[1.0, 0.8], [0.8, 1.0]]))
    one = Measurement(np.array([[1.0, 0.0]]))
    y, rng = np.full((count, 1), 1.0), np.random.default_rng(1)
    x = ed.reverse.start(COSINE, (count, 2), rng)
    drawn = recipe(pair, x, one, y, rng)
    np.testing.assert_allclose(drawn[:, 0], 1.0, atol=1e-6)
    return drawn[:, 1].mean(), drawn[:, 1].var()


def test_replacement_is_not_exact_and_repeating_helps_p54():
    """The law given y is N(0.8, 0.36). Replacement misses its mean by many standard errors; RePaint comes nearer."""
    times, error = COSINE.times(25), 0.6 / math.sqrt(1200)

    def replace(repeats):
        return lambda d, x, a, y, rng: last(replacement_steps(d, COSINE, x, times, a, y, rng, repeats))

    once, often = gaussian_experiment(replace(1)), gaussian_experiment(replace(4))
    assert abs(once[0] - 0.8) > 4 * error
    assert abs(often[0] - 0.8) < abs(once[0] - 0.8) / 2


def test_conditioned_gaussian_against_a_grid():
    """Bayes by brute force: prior density times likelihood, summed on a grid of the plane."""
    law = Linear(np.array([0.3, -0.2]), COVARIANCE[:2, :2]).generated()
    grid = np.stack(np.meshgrid(*[np.linspace(-4, 4, 401)] * 2, indexing="ij"), -1).reshape(-1, 2)
    matrix, y, noise = np.array([[1.0, 0.5]]), np.array([0.9]), 0.3
    for prior, density in ((law, law.log_density(grid)), (MIXTURE, MIXTURE.log_density(grid))):
        weights = np.exp(density - ((grid @ matrix.T - y) ** 2).sum(1) / (2 * noise**2))
        weights /= weights.sum()
        found, mean = prior.conditioned(matrix, y, noise), weights @ grid
        np.testing.assert_allclose(found.mean, mean, atol=1e-6)
        centered = grid - mean
        np.testing.assert_allclose(found.covariance, (centered.T * weights) @ centered, atol=1e-6)


def test_a_conditioned_mixture_is_the_exact_denoiser_given_the_measurement():
    """Its density is prior times likelihood, up to a constant."""
    x = RNG.uniform(-1, 1, (9, 2))
    found = MIXTURE.conditioned(np.array([[1.0, -1.0]]), np.array([0.4]), 0.25)
    log = MIXTURE.log_density(x) - (x[:, 0] - x[:, 1] - 0.4) ** 2 / (2 * 0.25**2)
    np.testing.assert_allclose(np.ptp(found.log_density(x) - log), 0, atol=1e-9)


def test_conditioned_atoms_are_the_posterior_over_the_training_images():
    """Against the sum over all images, by brute force; without noise, those that agree; a mixture of points agrees."""
    images = RNG.uniform(-1, 1, (7, 2, 2, 1))
    images[3, 0] = images[5, 0]
    keep = np.zeros((2, 2, 1), bool)
    keep[0] = True
    top = masked(keep)
    law, y = Ideal(images).generated(), top(images[3:4])[0]
    found = law.conditioned(top.matrix, y, 0.4)
    weights = np.exp(-((images[:, 0, :, 0] - images[3, 0, :, 0]) ** 2).sum(1) / (2 * 0.4**2))
    np.testing.assert_allclose(found.weights, weights / weights.sum())
    np.testing.assert_allclose(found.mean, np.tensordot(weights / weights.sum(), images, 1))
    points = Mixture(np.full(7, 1 / 7), images.reshape(7, 4), np.zeros((7, 4, 4)))
    np.testing.assert_allclose(points.conditioned(top.matrix, y, 0.4).weights, found.weights, atol=1e-12)
    agree = law.conditioned(top.matrix, y)
    np.testing.assert_allclose(agree.weights, [0, 0, 0, 0.5, 0, 0.5, 0])
    drawn = agree.sample(np.random.default_rng(0), 400)
    assert {tuple(d.ravel()) for d in drawn} == {tuple(images[k].ravel()) for k in (3, 5)}
    assert abs((drawn == images[3]).all((1, 2, 3)).mean() - 0.5) < 0.1
    with pytest.raises(ValueError, match="no item agrees with y; give the measurement noise"):
        law.conditioned(top.matrix, y + 0.1)
    centered = images.reshape(7, 4) - found.mean.ravel()
    np.testing.assert_allclose(found.covariance, np.einsum("n,ni,nj->ij", found.weights, centered, centered))


@pytest.mark.parametrize("covariance", ["sphere", "point"])
def test_cheap_covariances_are_the_formula_with_another_matrix(covariance):
    """x0_hat + sigma^2 / alpha J A^T (A C A^T + noise^2)^-1 (y - A x0_hat), with the Jacobian of `Linear` in full."""
    alpha, sigma, x, y = 0.8, 0.6, RNG.standard_normal((2, 3)), RNG.standard_normal((2, 2))
    jacobian = alpha * COVARIANCE @ np.linalg.inv(alpha**2 * COVARIANCE + sigma**2 * np.eye(3))
    wide = {"sphere": sigma**2 / (alpha**2 + sigma**2), "point": 0.0}[covariance]
    inner = np.linalg.inv(wide * SUM.matrix @ SUM.matrix.T + 0.01 * np.eye(2))
    x0_hat = GAUSSIAN(x, alpha, sigma)
    move = sigma**2 / alpha * (y - x0_hat @ SUM.matrix.T) @ inner @ SUM.matrix @ jacobian
    found = posterior_guided(GAUSSIAN, SUM, y, covariance, strength=0.5)(x, alpha, sigma)
    np.testing.assert_allclose(found, x0_hat + 0.5 * move, rtol=1e-6)


@pytest.mark.parametrize(("dtype", "near"), [("f8", 1e-9), ("f4", 1e-4)])
def test_a_training_image_is_found_again_from_some_of_its_pixels(dtype, near):
    """Measured without noise: at the end the ideal denoiser is certain, and a variance of 0 moves nothing."""
    images = np.random.default_rng(0).uniform(-1, 1, (6, 3, 4, 1)).astype(dtype)
    some = masked(np.random.default_rng(1).uniform(size=(3, 4, 1)) > 0.5)
    x = ed.reverse.start(COSINE, (2, 3, 4, 1), np.random.default_rng(2), like=images)
    denoise = posterior_guided(Ideal(images), some, some(images[[1, 4]]))
    drawn = ed.reverse.sample(denoise, COSINE, x, COSINE.times(20))
    assert drawn.dtype == dtype
    np.testing.assert_allclose(drawn, images[[1, 4]], atol=near)


def test_where_there_is_no_signal_the_measurement_still_speaks():
    law = GAUSSIAN.generated().conditioned(FIRST.matrix, np.array([0.7]), FIRST.noise)
    found = posterior_guided(GAUSSIAN, FIRST, np.array([[0.7]]))(np.zeros((1, 3)), 0.0, 1.0)
    np.testing.assert_allclose(found[0], law.mean, atol=2e-3)


def test_replaced_pixels_are_the_known_ones_and_float32_stays():
    images = RNG.uniform(-1, 1, (5, 4, 4, 1)).astype("f4")
    half = masked(np.indices((4, 4, 1))[0] < 2)
    x = ed.reverse.start(COSINE, (3, 4, 4, 1), np.random.default_rng(2), like=images)
    x.flags.writeable = False
    y = half.observe(images[:3])
    drawn = last(replacement_steps(Ideal(images), COSINE, x, COSINE.times(10), half, y, np.random.default_rng(0), 2))
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn[:, :2], images[:3, :2], atol=1e-6)
    sphere = posterior_guided(Ideal(images), half, y, "sphere")(x, 0.7, 0.7)
    assert sphere.dtype == np.float32 and sphere.shape == x.shape


def test_going_back_up_is_the_forward_process():
    low, high = (ed.reverse.Level(*COSINE(t), t) for t in (0.3, 0.6))
    x = low.alpha * 0.7 + low.sigma * 0.0
    assert back_up(x, low, high, 0.0) == pytest.approx(high.alpha * 0.7)
    assert (high.alpha / low.alpha * low.sigma) ** 2 + back_up(0.0, low, high, 1.0) ** 2 == pytest.approx(high.sigma**2)


def test_measurements_are_what_they_say():
    image = RNG.uniform(-1, 1, (1, 4, 6, 2))
    means = image.reshape(1, 2, 2, 3, 2, 2).mean((2, 4))
    np.testing.assert_allclose(downsampled((4, 6, 2), 2)(image), means.reshape(1, -1))
    keep = RNG.uniform(size=(4, 6, 2)) < 0.3
    np.testing.assert_array_equal(masked(keep)(image)[0], image[0][keep])
    flat = np.full((1, 4, 6, 2), 0.3)
    np.testing.assert_allclose(blurred((4, 6, 2), 0.6)(flat), 0.3)
    weights = np.exp(-((np.arange(4)[:, None] - np.arange(4)) ** 2) / (2 * 0.6**2))
    weights /= weights.sum(1, keepdims=True)
    assert blurred((4, 6, 2), 0.6)(image).reshape(4, 6, 2).shape == (4, 6, 2)
    alone = np.zeros((1, 4, 1, 1))
    alone[0, 1] = 1
    np.testing.assert_allclose(blurred((4, 1, 1), 0.6)(alone)[0], weights[:, 1])


def test_the_least_change_does_what_it_should_and_no_more():
    x, wanted = RNG.standard_normal((3, 3)), RNG.standard_normal((3, 2))
    moved = x + SUM.least(wanted - SUM(x), x)
    np.testing.assert_allclose(SUM(moved), wanted)
    assert np.abs((moved - x) @ np.linalg.svd(SUM.matrix)[2][2]).max() < 1e-12  # nothing along the kernel
    np.testing.assert_allclose(SUM.spread(wanted, x), wanted @ SUM.matrix)


def test_observation_noise_is_drawn_by_item():
    x0 = np.zeros((2000, 3))
    y = FIRST.observe(x0, np.random.default_rng(0))
    assert y.std() == pytest.approx(0.2, rel=0.1)
    np.testing.assert_array_equal(EXACT.observe(x0), EXACT(x0))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Measurement(np.ones((3, 2))), r"shape \(3, 2\), expected \(M, D\) with M <= D"),
        (lambda: Measurement(np.ones((2, 3))), "dependent rows"),
        (lambda: Measurement(np.eye(2), -1.0), "noise is -1.0"),
        (lambda: masked(np.zeros((2, 2, 1), bool)), "not a mask"),
        (lambda: masked([1, 0]), "not a mask"),
        (lambda: downsampled((5, 4, 1), 2), "a divisor of both sides"),
        (lambda: FIRST(np.ones((1, 4))), "items of 4 values, expected 3"),
        (lambda: FIRST.observe(np.ones((1, 3))), "pass rng="),
        (lambda: posterior_guided(GAUSSIAN, EXACT, np.ones((1, 1)), "point"), "without noise"),
        (lambda: posterior_guided(GAUSSIAN, FIRST, np.ones((1, 2))), r"y has shape \(1, 2\), expected \(B, 1\)"),
        (lambda: posterior_guided(GAUSSIAN, FIRST, np.ones((1, 1)), "full"), "covariance is 'full'"),
        (lambda: posterior_guided(GAUSSIAN, FIRST, np.ones((1, 1)))(np.ones((2, 3)), 0.6, 0.8), "for a batch of 2"),
        (
            lambda: replacement_steps(GAUSSIAN, COSINE, np.ones((2, 3)), [1, 0], FIRST, np.ones((1, 1)), RNG),
            r"y has shape \(1, 1\), expected \(2, 1\)",
        ),
        (lambda: MIXTURE.conditioned(np.zeros((1, 2)), np.ones(1)), "give the measurement noise"),
        (lambda: ed.denoisers.law.Law().conditioned(np.eye(2), np.ones(2)), "not known in closed form"),
    ],
)
def test_bad_measurements_are_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_things_say_what_they_are():
    assert repr(FIRST) == "Measurement(matrix=(1, 3), noise=0.2)"
    found = repr(posterior_guided(GAUSSIAN, FIRST, np.ones((1, 1))))
    assert found == f"PosteriorGuided({GAUSSIAN!r}, {FIRST!r}, covariance='jacobian')"
