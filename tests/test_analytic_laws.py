"""What linear denoisers generate, whatever the data: a normal law, known to the last digit (P43, P45, P46, P40)."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import assert_normal, kolmogorov, standardised

from edudiff import reverse
from edudiff import schedule as schedules
from edudiff.data import toys
from edudiff.denoisers import Bottleneck, Ideal, Linear, Mixture
from edudiff.denoisers.law import Gaussian, Line, frechet, moments

seeds = st.integers(0, 2**32)
COSINE, WIDE = schedules.cosine(), schedules.log_linear(1e-3, 80.0)
RING = toys.ring(2000, np.random.default_rng(0)) * [1, 0.5] + [0.3, -0.1]
MAKE = {
    "linear": Linear.fit,
    "ridge": lambda data: Linear.fit(data, ridge=0.05),
    "top": lambda data: Bottleneck.fit(data, 1),
    "bottom": lambda data: Bottleneck.fit(data, 1, predict="eps"),
}
every_kind = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)


def levels(schedule, steps):
    return [schedule(t) for t in schedule.times(steps)]


@every_kind
@pytest.mark.parametrize("matched", [False, True])
def test_few_steps_of_ddim_draw_the_law_exactly_p43(make, matched):
    """Two-sided, at a false alarm of 1e-4: ring data, and samples that have nothing of a ring."""
    denoise, times = make(RING), COSINE.times(7)
    law = denoise.generated_by_ddim(levels(COSINE, 7), matched)
    alpha, sigma = COSINE(1.0)
    rng = np.random.default_rng(1)
    x = sigma * rng.standard_normal((20_000, 2))
    if matched:
        x += alpha * Linear.fit(RING).generated().sample(rng, 20_000)
    out = reverse.sample(denoise, COSINE, x, times)
    assert_normal(standardised(law, out))


@every_kind
@pytest.mark.parametrize("schedule", [COSINE, WIDE], ids=["cosine", "log_linear"])
@pytest.mark.parametrize("matched", [False, True])
def test_many_steps_of_ddim_tend_to_the_law_of_the_flow_p43(make, schedule, matched):
    """The errors of mean and covariance halve as the steps double, down to the law in closed form."""
    denoise = make(RING)
    flow = denoise.generated(schedule(0.95), schedule(0.05), matched)

    def errors(steps):
        few = denoise.generated_by_ddim([schedule(t) for t in np.linspace(0.95, 0.05, steps + 1)], matched)
        return np.array(
            [np.abs(a - b).max() / np.abs(b).max() for a, b in zip(moments(few), moments(flow), strict=True)]
        )

    many, few = errors(400), errors(200)
    assert (many < 0.05).all()
    assert ((many < 0.55 * few) | (few < 1e-9)).all()


@given(seed=seeds)
def test_a_matched_start_gives_mean_and_covariance_of_the_data_p43(seed):
    """N(mu, S + sigma^2), exactly, from every noise level; the usual start loses l sigma^2 / (sigma^2 + l)."""
    rng = np.random.default_rng(seed)
    root, mean, first = rng.standard_normal((3, 3)), rng.uniform(-1, 1, 3), (0.8, rng.uniform(0.1, 3))
    covariance = root @ root.T
    denoise = Linear(mean, covariance)
    law = denoise.generated(first, (1.0, 0.3), matched=True)
    np.testing.assert_allclose(law.covariance, covariance + 0.09 * np.eye(3), atol=1e-9)
    np.testing.assert_allclose(law.mean, mean, atol=1e-12)
    usual, noise = denoise.generated(first, (1.0, 0.0)), (first[1] / first[0]) ** 2
    np.testing.assert_allclose(usual.variances, denoise.variances * noise / (noise + denoise.variances), rtol=1e-9)
    bias = denoise.basis.T @ (usual.mean - mean)
    shrink = np.sqrt(denoise.variances / (denoise.variances + noise))
    np.testing.assert_allclose(bias, -shrink * (denoise.basis.T @ mean), atol=1e-9)


def test_pure_noise_is_the_limit_of_much_noise_p43():
    for make in (MAKE["linear"], MAKE["ridge"], MAKE["top"]):
        denoise = make(RING)
        limit, far = denoise.generated(last=(0.9, 0.2)), denoise.generated((1.0, 1e5), (0.9, 0.2))
        np.testing.assert_allclose(far.covariance, limit.covariance, atol=1e-6)
        np.testing.assert_allclose(far.mean, limit.mean, atol=1e-4)


def test_a_ridge_lets_the_variance_collapse_p43():
    """l = 1, ridge 0.1, down to sigma 1e-3: 0.31 instead of 1, and nothing in the limit."""
    denoise = Linear(np.zeros(1), np.eye(1), ridge=0.1)
    assert denoise.generated(last=(1.0, 1e-3)).variances.item() == pytest.approx(0.3106, abs=1e-3)
    assert denoise.generated().variances.item() == 0
    share = 0.1 / 1.1
    known = 1e-3 ** (2 * share) * (1e-6 + 1.1) ** (1 - share)
    assert denoise.generated(last=(1.0, 1e-3)).variances.item() == pytest.approx(known, rel=1e-9)


@pytest.mark.parametrize("matched", [False, True])
def test_few_pictures_and_few_steps_make_the_law_of_a_linear_map_p43(matched):
    """Three points in five dimensions: the map is applied to the unit vectors, and the law follows from it."""
    points = np.random.default_rng(0).uniform(-1, 1, (3, 5))
    times = COSINE.times(5)[:-1]  # some noise is left
    denoise, few = Linear.fit(points), [COSINE(t) for t in times]
    x = np.concatenate([np.zeros((1, 5)), np.eye(5)])
    out = reverse.sample(denoise, COSINE, x, times)
    matrix, moved = (out[1:] - out[0]).T, out[0]
    alpha, sigma = few[0]
    law = denoise.generated_by_ddim(few, matched)
    start = sigma**2 * np.eye(5) + matched * alpha**2 * np.cov(points.T, bias=True)
    np.testing.assert_allclose(law.covariance, matrix @ start @ matrix.T, atol=1e-12)
    np.testing.assert_allclose(law.mean, moved + matched * alpha * matrix @ points.mean(0), atol=1e-12)
    if not matched:
        np.testing.assert_array_equal(denoise.generated_by_ddim(few).covariance, law.covariance)


@pytest.mark.parametrize("matched", [False, True])
def test_few_pictures_and_the_whole_flow_make_a_law_in_all_directions_p43(matched):
    """Its map is V sqrt((l + n1^2) / (l + n0^2)) V^T for x / alpha - mean, with n = sigma / alpha, and l 0 mostly."""
    points = np.random.default_rng(0).uniform(-1, 1, (3, 5)) + 1
    covariance, mean = np.cov(points.T, bias=True), points.mean(0)
    law = Linear.fit(points).generated((0.6, 0.8), (0.9, 0.3), matched)
    values, vectors = np.linalg.eigh(covariance)
    before, after = (0.8 / 0.6) ** 2, (0.3 / 0.9) ** 2
    stretch = (vectors * np.sqrt((np.maximum(values, 0) + after) / (np.maximum(values, 0) + before))) @ vectors.T
    start = before * np.eye(5) + matched * covariance
    np.testing.assert_allclose(law.covariance, 0.81 * stretch @ start @ stretch.T, atol=1e-12)
    np.testing.assert_allclose(law.mean, 0.9 * (mean if matched else mean - stretch @ mean), atol=1e-12)
    if not matched:
        np.testing.assert_array_equal(Linear.fit(points).generated((0.6, 0.8), (0.9, 0.3)).covariance, law.covariance)
    for last in ((0.0, 0.1), (1.1, 0.1), (0.9, -0.1), (0.9, math.inf), (math.nan, 0.1)):
        with pytest.raises(ValueError, match="expected \\(alpha, sigma\\) with 0 < alpha <= 1 and sigma >= 0"):
            Linear.fit(points).generated(last=last)


@pytest.mark.filterwarnings("error")
def test_few_pictures_have_the_law_of_their_noisy_versions_in_all_directions_p43():
    points = np.random.default_rng(0).uniform(-1, 1, (3, 5))
    law = Linear.fit(points).generated(last=(1.0, 0.3))
    np.testing.assert_allclose(law.covariance, np.cov(points.T, bias=True) + 0.09 * np.eye(5), atol=1e-12)
    np.testing.assert_allclose(law.mean, points.mean(0), atol=1e-12)


@pytest.mark.parametrize("rest", [0.3, 2.0])
def test_a_normal_law_with_the_same_variance_in_many_directions_has_its_density(rest):
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0][:, :2]
    law = Gaussian(np.arange(5.0), np.array([0.7, 1.5]), basis, rest)
    x = np.random.default_rng(1).standard_normal((4, 5))
    same = Mixture(np.ones(1), law.mean[None], law.covariance[None])
    np.testing.assert_allclose(np.linalg.eigvalsh(law.covariance), np.sort([0.7, 1.5, rest, rest, rest]))
    np.testing.assert_allclose(law.log_density(x), same.log_density(x), rtol=1e-9)


def test_the_shape_of_the_law_is_that_of_the_start_p43():
    """Uniform noise in, an affine image of uniform noise out: a linear map knows no shapes."""
    denoise = Linear(np.array([0.3]), np.array([[0.25]]))
    x = 80 * (2 * np.random.default_rng(0).random((4000, 1)) - 1)
    out = reverse.sample(denoise, WIDE, x, WIDE.times(60))
    edge = np.abs(out - out.mean()).max()
    assert kolmogorov(out[:, 0], lambda v: np.clip((v - out.mean() + edge) / (2 * edge), 0, 1)) < 2.23


@given(seed=seeds, k=st.integers(1, 3))
def test_the_best_answers_of_rank_k_p45(seed, k):
    """Reduced-rank regression in the metric of the noisy data: top k for x0, bottom k for the noise."""
    rng = np.random.default_rng(seed)
    root, alpha, sigma = rng.standard_normal((4, 4)), 0.8, 0.7
    covariance = root @ root.T
    total = alpha**2 * covariance + sigma**2 * np.eye(4)
    half = np.linalg.cholesky(total)

    def best(cross):
        """argmin of E |target - W x|^2 over W of rank k, E target x^T = cross: truncate cross total^(-1/2)."""
        u, s, v = np.linalg.svd(cross @ np.linalg.inv(half).T)
        return (u[:, :k] * s[:k]) @ v[:k] @ np.linalg.inv(half)

    x = rng.standard_normal((5, 4))
    top = Bottleneck(np.zeros(4), covariance, k)(x, alpha, sigma)
    np.testing.assert_allclose(top, x @ best(alpha * covariance).T, atol=1e-8)
    bottom = Bottleneck(np.zeros(4), covariance, k, predict="eps")(x, alpha, sigma)
    noise_hat = (x - alpha * bottom) / sigma
    np.testing.assert_allclose(noise_hat, x @ best(sigma * np.eye(4)).T, atol=1e-8)


def test_samples_lie_on_the_plane_of_the_components_p45():
    """x0: on the plane of the top k. Noise: moved along the bottom k only, and onto the data's law there."""
    rng = np.random.default_rng(0)
    data = rng.standard_normal((500, 6)) @ rng.standard_normal((6, 6)) + 0.3
    _, vectors = np.linalg.eigh(np.cov(data.T, bias=True))
    x = COSINE(1.0)[1] * rng.standard_normal((300, 6))
    top = Bottleneck.fit(data, 2)
    out = reverse.sample(top, COSINE, x, COSINE.times(20))
    assert np.abs((out - data.mean(0)) @ vectors[:, :4]).max() < 1e-10
    assert top.generated().distance(out).max() < 1e-10 < np.abs(out - data.mean(0)).max()
    bottom = Bottleneck.fit(data, 2, predict="eps")
    out = reverse.sample(bottom, COSINE, x, COSINE.times(20))
    began = x / COSINE(1.0)[0]
    assert np.abs((out - began) @ vectors[:, 2:]).max() < 1e-6 < np.abs((out - began) @ vectors[:, :2]).max()
    from_the_mean = COSINE(1.0)[0] * data.mean(0) + x @ vectors[:, :2] @ vectors[:, :2].T
    out = reverse.sample(bottom, COSINE, from_the_mean, COSINE.times(20))
    assert np.abs((out - data.mean(0)) @ vectors[:, 2:]).max() < 1e-6


def test_few_pictures_have_bottom_components_without_variance_p45():
    images = np.random.default_rng(0).uniform(-1, 1, (4, 2, 3, 1))
    flat = images.reshape(4, -1)
    for predict, k in (("x0", 2), ("eps", 4)):
        known = Bottleneck(images.mean(0), np.cov(flat.T, bias=True), k, predict)
        fitted = Bottleneck.fit(images, k, predict)
        x = np.random.default_rng(1).standard_normal((3, 2, 3, 1))
        np.testing.assert_allclose(fitted(x, 0.6, 0.8)[:, 0], known(x, 0.6, 0.8)[:, 0], atol=1e-6 if k == 4 else 1e-10)


def test_a_bottleneck_of_all_components_is_linear_p45():
    """Whatever it predicts; from pure noise, too, which one that is narrower cannot begin at if it predicts noise."""
    linear = Linear.fit(RING)
    for predict in ("x0", "eps"):
        whole = Bottleneck.fit(RING, 2, predict)
        np.testing.assert_allclose(whole(RING[:5], 0.6, 0.8), linear(RING[:5], 0.6, 0.8), atol=1e-12)
        for first in (None, (0.0, 1.0), (1.0, 0.5)):
            mine, known = whole.generated(first), linear.generated(first)
            np.testing.assert_allclose(mine.mean, known.mean, atol=1e-12)
            np.testing.assert_allclose(mine.covariance, known.covariance, atol=1e-12)
    narrow = Bottleneck.fit(RING, 1, predict="eps")
    assert narrow.generated((1.0, 0.5)).variances.shape == (2,)
    with pytest.raises(ValueError, match=r"give first=\(alpha, sigma\)"):
        narrow.generated((0.0, 1.0))


def test_no_variance_is_negative_by_rounding_p45():
    """In little noise an answer would go the wrong way there."""
    images = np.random.default_rng(0).uniform(-1, 1, (40, 60)) + 5
    twice = np.concatenate([images, images])
    for denoise in (Linear.fit(images), Linear.fit(twice), Bottleneck.fit(images, 60, predict="eps")):
        assert float(denoise.variances.min()) >= 0
    singular = np.cov(images.T, bias=True)
    assert np.linalg.eigvalsh(singular).min() < 0 <= float(Linear(images[0], singular).variances.min())


def test_equivariant_and_linear_is_the_wiener_filter_of_the_spectrum_p40():
    rng = np.random.default_rng(0)
    images, x, sigma = rng.uniform(-1, 1, (3, 4, 5, 1)), rng.standard_normal((2, 4, 5, 1)), 0.6
    orbit = np.concatenate([np.roll(images, (i, j), (1, 2)) for i in range(4) for j in range(5)])
    power = (np.abs(np.fft.fft2(images[..., 0] - images.mean())) ** 2).mean(0) / 20
    filtered = np.fft.ifft2(power / (power + sigma**2) * np.fft.fft2(x[..., 0] - images.mean())).real
    np.testing.assert_allclose(Linear.fit(orbit)(x, 1.0, sigma)[..., 0], images.mean() + filtered, atol=1e-10)


def test_few_data_act_as_more_noise_p46():
    """E S^ (S^ + s^2)^-1 = S (S + kappa)^-1 with kappa = s^2 + (kappa / N) tr S (S + kappa)^-1, to 1 / N."""
    width, count, noise = 100, 200, 0.3
    variances = np.geomspace(0.1, 4, width)
    kappa = noise
    for _ in range(50):
        kappa = noise + kappa / count * (variances / (variances + kappa)).sum()
    rng, gain = np.random.default_rng(0), np.zeros(width)
    for _ in range(20):
        denoise = Linear.fit(np.sqrt(variances) * rng.standard_normal((count, width)))
        answers = denoise(np.vstack([np.zeros((1, width)), np.eye(width)]), 1.0, math.sqrt(noise))
        gain += np.diag(answers[1:] - answers[0]) / 20
    assert kappa > 1.2 * noise
    assert np.abs(gain - variances / (variances + kappa)).max() < 0.02
    assert np.abs(gain - variances / (variances + noise)).max() > 0.05


@given(seed=seeds)
def test_a_normal_law_has_its_density_moments_and_samples(seed):
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((2, 2))
    law = Linear(rng.uniform(-1, 1, 2), root @ root.T).generated(last=(0.9, 0.4))
    same = Mixture(np.ones(1), law.mean[None], law.covariance[None])
    x = rng.standard_normal((5, 2))
    np.testing.assert_allclose(law.log_density(x), same.log_density(x), rtol=1e-9)
    assert_normal(standardised(law, law.sample(np.random.default_rng(1), 4000)))
    np.testing.assert_array_equal(law.sample(np.random.default_rng(1), 3), law.sample(np.random.default_rng(1), 9)[:3])


@given(seed=seeds)
def test_frechet_distance_of_normal_laws(seed):
    """Commuting covariances: the distance of the standard deviations; in general, symmetric, 0 for equal laws."""
    rng = np.random.default_rng(seed)
    vectors = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    a, b, mean = rng.uniform(0, 2, 3), rng.uniform(0, 2, 3), rng.standard_normal(3)
    one, two = ((vectors * s**2) @ vectors.T for s in (a, b))
    known = math.sqrt(mean @ mean + ((a - b) ** 2).sum())
    assert frechet(mean, one, 0 * mean, two) == pytest.approx(known, abs=1e-6)
    other = rng.standard_normal((3, 3))
    there, back = frechet(mean, one, mean, other @ other.T), frechet(mean, other @ other.T, mean, one)
    assert there == pytest.approx(back, abs=1e-6)
    assert frechet(mean, one, mean, one) < 1e-5


def test_a_law_is_compared_with_a_law_and_with_samples():
    law = Linear(np.array([1.0, 0.0]), np.diag([4.0, 1.0])).generated()
    shifted = Linear(np.array([1.0, 0.5]), np.diag([1.0, 1.0])).generated()
    assert law.difference(law) == pytest.approx((0, 0, 0), abs=1e-9)
    assert law.difference(shifted) == pytest.approx((0.5 / 5**0.5, 3 / 17**0.5, (0.25 + 1) ** 0.5), abs=1e-9)
    assert max(law.difference(law.sample(np.random.default_rng(0), 100_000))) < 0.02


def test_laws_say_what_they_do_not_know():
    on_a_plane = Bottleneck.fit(RING, 1).generated()
    with pytest.raises(ValueError, match="lies on a plane"):
        on_a_plane.log_density(RING)
    np.testing.assert_allclose(on_a_plane.distance(RING), np.abs((RING - RING.mean(0)) @ _bottom(RING)), atol=1e-12)
    with pytest.raises(ValueError, match=r"give first=\(alpha, sigma\)"):
        Bottleneck.fit(RING, 1, predict="eps").generated()
    with pytest.raises(ValueError, match="last is"):
        Linear.fit(RING).generated(last=(0.0, 1.0))
    line = Line(np.linspace(0, 1, 11), np.linspace(0, 1, 11))
    np.testing.assert_allclose(line.log_density(np.array([[0.52], [2.0]])), [0, -np.inf], atol=1e-12)
    np.testing.assert_allclose(line.distance(np.array([[0.5], [-2.0], [1.5]])), [0, 2, 0.5])
    assert line.mean == pytest.approx(0.5) and line.covariance == pytest.approx(1 / 12, abs=1e-3)


def _bottom(data):
    return np.linalg.eigh(np.cov(data.T, bias=True))[1][:, 0]


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"k": 0}, ValueError, "k is 0, expected an integer >= 1"),
        ({"k": 3}, ValueError, "k is 3, expected an integer <= 2"),
        ({"k": 1.0}, TypeError, "expected an integer"),
        ({"k": 1, "predict": "x"}, ValueError, "'x0', 'eps'"),
    ],
)
def test_bad_bottlenecks(arguments, error, says):
    with pytest.raises(error, match=says):
        Bottleneck.fit(RING, **arguments)


def test_noise_prediction_needs_a_signal_and_a_ridge_is_not_negative():
    with pytest.raises(ValueError, match="alpha is 0"):
        Bottleneck.fit(RING, 1, predict="eps")(RING, 0.0, 1.0)
    with pytest.raises(ValueError, match=r"ridge is -0.1"):
        Linear.fit(RING, ridge=-0.1)


def test_the_ideal_score_draws_each_item_alike_p27(any_cupy):
    """3,000 samples of 4 points: one of the 4 shares is off by 0.03 in less than 1 of 1,000 runs."""
    points = np.random.default_rng(0).uniform(-1, 1, (4, 2))
    denoise = Ideal(any_cupy.asarray(points), labels=[0, 0, 1, 0])
    law = denoise.generated()
    noise = any_cupy.asarray(np.random.default_rng(1).standard_normal((3000, 2)))
    drawn = reverse.sample(denoise, COSINE, noise, COSINE.times(60), "heun")
    assert float(law.distance(drawn).max()) < 1e-3
    shares = [float((((drawn - point) ** 2).sum(1) < 1e-6).mean()) for point in law.items]
    np.testing.assert_allclose(shares, 0.25, atol=0.03)
    change = law.difference(drawn)
    assert change.mean < 0.05
    assert change.covariance < 0.1
    again = any_cupy.asnumpy(law.sample(np.random.default_rng(2), 500))
    assert {tuple(row) for row in again} == {tuple(row) for row in points}
    assert len(denoise.conditional(0).generated().items) == 3
    with pytest.raises(ValueError, match="density is not known"):
        law.log_density(drawn)
