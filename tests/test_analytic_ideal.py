"""The ideal score: density, gradient, limits and symmetries of the noisy law of a training set (P2-P15, P27)."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known import Atoms

from edudiff import forward, reverse
from edudiff import schedule as schedules
from edudiff.denoisers import Ideal, ideal, merge
from edudiff.support.softmax import Softmax

ALL = [schedules.cosine(), schedules.ddpm_linear(), schedules.log_linear(), schedules.flow()]
every_schedule = pytest.mark.parametrize("schedule", ALL, ids=lambda s: s.name)
seeds = st.integers(0, 2**32)
levels = st.builds(lambda angle: (math.cos(angle), math.sin(angle)), st.floats(0.15, 1.55))


def draw(seed, alpha, sigma, count=6, dimensions=3, batch=4):
    """A random training set (N, D) and a noisy batch of it, (B, D)."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (count, dimensions))
    x0 = points[rng.integers(count, size=batch)]
    return points, alpha * x0 + sigma * rng.standard_normal((batch, dimensions)), rng


def log_shares(points, x, alpha, sigma):
    """log(N(x; alpha y_n, sigma^2) / N), (B, N): the terms of the noisy density."""
    squares = np.array([[sum((a - alpha * b) ** 2 for a, b in zip(q, y, strict=True)) for y in points] for q in x])
    return -squares / (2 * sigma**2) - points.shape[1] / 2 * math.log(2 * math.pi * sigma**2) - math.log(len(points))


def log_density(points, x, alpha, sigma):
    return np.logaddexp.reduce(log_shares(points, x, alpha, sigma), axis=1)


def score(denoise, x, alpha, sigma):
    return forward.score_from_x0(x, denoise(x, alpha, sigma), alpha, sigma)


def jacobian(function, x, h):
    """Central differences: (B, out, in)."""
    steps = h * np.eye(x.shape[1])
    return np.stack([(function(x + e) - function(x - e)) / (2 * h) for e in steps], axis=-1)


@given(seed=seeds, level=levels)
def test_score_is_the_gradient_of_the_log_density_p2(seed, level):
    points, x, _ = draw(seed, *level)
    gradient = jacobian(lambda q: log_density(points, q, *level), x, 1e-5 * level[1])
    np.testing.assert_allclose(score(Ideal(points), x, *level), gradient, rtol=1e-5, atol=1e-5 / level[1])


@given(seed=seeds, level=levels)
def test_jacobian_is_the_posterior_covariance_p3(seed, level):
    """dD/dx = alpha / sigma^2 Cov[x0 | x]: symmetric, and no direction is stretched negatively."""
    points, x, _ = draw(seed, *level)
    alpha, sigma = level
    logs = log_shares(points, x, *level)
    weights = np.exp(logs - np.logaddexp.reduce(logs, axis=1, keepdims=True))  # (B, N)
    mean = weights @ points
    covariance = np.einsum("bn,bni,bnj->bij", weights, *[points[None] - mean[:, None]] * 2)
    slope = jacobian(lambda q: Ideal(points)(q, *level), x, 1e-5 * sigma)
    np.testing.assert_allclose(slope, alpha / sigma**2 * covariance, atol=1e-6 / sigma**2)


@given(seed=seeds, level=levels)
def test_one_image_is_always_returned_p4(seed, level):
    points, x, _ = draw(seed, *level, count=1)
    np.testing.assert_allclose(Ideal(points)(100 * x, *level), np.repeat(points, len(x), 0), atol=1e-12)


@given(seed=seeds, level=levels)
def test_an_image_and_its_negative_p5(seed, level):
    """D = m tanh(alpha m.x / sigma^2)."""
    m, x, _ = draw(seed, *level, count=1)
    expected = m * np.tanh(level[0] * (x @ m[0]) / level[1] ** 2)[:, None]
    np.testing.assert_allclose(Ideal(np.concatenate([m, -m]))(x, *level), expected, atol=1e-12)


@given(seed=seeds, level=levels)
def test_answers_stay_in_the_hull_of_the_data_p6(seed, level):
    points, x, rng = draw(seed, *level, batch=20)
    x0_hat = Ideal(points)(3 * x, *level)
    for direction in rng.standard_normal((10, 3)):
        along, bounds = x0_hat @ direction, points @ direction
        assert bounds.min() - 1e-12 <= along.min() and along.max() <= bounds.max() + 1e-12


def test_in_much_noise_only_mean_and_covariance_matter_p7():
    """|D - mean| = O(1 / sigma), |D - Wiener filter| = O(1 / sigma^2): doubling sigma divides them by 2 and 4."""
    points, _, rng = draw(0, 1.0, 1.0, count=12)
    z = rng.standard_normal((50, 3))
    mean = points.mean(0)
    covariance = (points - mean).T @ (points - mean) / len(points)

    def distances(sigma):
        x = mean + sigma * z
        x0_hat = Ideal(points)(x, 1.0, sigma)
        wiener = mean + np.linalg.solve(covariance + sigma**2 * np.eye(3), covariance @ (x - mean).T).T
        return np.array([np.linalg.norm(x0_hat - mean), np.linalg.norm(x0_hat - wiener)])

    np.testing.assert_allclose(distances(50) / distances(100), [2, 4], rtol=0.05)


@given(seed=seeds, sigma=st.floats(0.01, 0.5))
def test_in_little_noise_the_nearest_image_answers_p8(seed, sigma):
    """|D - nearest| <= diameter (N - 1) exp(-(d2^2 - d1^2) / 2 sigma^2), d1 and d2 the two smallest distances."""
    points, x, _ = draw(seed, 1.0, sigma)
    distances = np.linalg.norm(x[:, None] - points, axis=-1)
    d1, d2 = np.sort(distances, axis=1)[:, :2].T
    diameter = np.linalg.norm(points[:, None] - points, axis=-1).max()
    bound = diameter * (len(points) - 1) * np.exp(-(d2**2 - d1**2) / (2 * sigma**2))
    error = np.linalg.norm(Ideal(points)(x, 1.0, sigma) - points[distances.argmin(1)], axis=1)
    assert (error <= bound + 1e-9).all()


@given(seed=seeds, level=levels)
def test_isometries_commute_with_the_denoiser_p9(seed, level):
    """Turn the data by Q and shift it by v: D'(Q x + alpha v) = Q D(x) + v."""
    points, x, rng = draw(seed, *level)
    q, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    v = rng.standard_normal(3)
    moved = Ideal(points @ q.T + v)(x @ q.T + level[0] * v, *level)
    np.testing.assert_allclose(moved, Ideal(points)(x, *level) @ q.T + v, atol=1e-9)


@given(seed=seeds, level=levels, scale=st.floats(0.1, 10))
def test_scaling_data_and_noise_scales_the_answer_p10(seed, level, scale):
    points, x, _ = draw(seed, *level)
    scaled = Ideal(scale * points)(scale * x, level[0], scale * level[1])
    np.testing.assert_allclose(scaled, scale * Ideal(points)(x, *level), atol=1e-9)


@given(seed=seeds, level=levels)
def test_dividing_by_alpha_changes_nothing_p11(seed, level):
    points, x, _ = draw(seed, *level)
    alpha, sigma = level
    np.testing.assert_allclose(Ideal(points)(x / alpha, 1.0, sigma / alpha), Ideal(points)(x, *level), atol=1e-9)


@given(seed=seeds, level=levels, copies=st.integers(1, 4))
def test_order_and_copies_of_the_data_do_not_matter_p12(seed, level, copies):
    points, x, rng = draw(seed, *level)
    many = rng.permutation(np.concatenate([points] * copies))
    np.testing.assert_allclose(Ideal(many)(x, *level), Ideal(points)(x, *level), atol=1e-12)


@given(seed=seeds, level=levels, first=st.integers(1, 5))
def test_classes_answer_in_proportion_to_their_posterior_p12(seed, level, first):
    """D = sum_c p(c | x) D_c(x), p(c | x) from the densities of the classes."""
    points, x, _ = draw(seed, *level)
    answer = 0
    for part in (points[:first], points[first:]):
        log_p = log_density(part, x, *level) + math.log(len(part) / len(points)) - log_density(points, x, *level)
        answer = answer + np.exp(log_p)[:, None] * Ideal(part)(x, *level)
    np.testing.assert_allclose(Ideal(points)(x, *level), answer, atol=1e-9)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("sigma", [1e-8, 1e-3, 1e3])
def test_extreme_noise_levels_stay_finite_p13(dtype, sigma):
    points, x, _ = draw(0, 1.0, 1e-8, count=9)
    images, x = points.astype(dtype), (x + sigma / 10).astype(dtype)
    x0_hat = Ideal(images)(x, 1.0, sigma)
    assert x0_hat.dtype == dtype and np.isfinite(x0_hat).all()
    constant = Ideal(np.ones((7, 3), dtype))(x, 1.0, sigma)
    np.testing.assert_allclose(constant, 1, rtol=1e-6)  # the weights sum to 1


@given(seed=seeds, level=levels, chunk=st.integers(1, 12))
def test_any_chunk_and_batch_size_gives_the_same_answer_p13(seed, level, chunk):
    points, x, _ = draw(seed, *level, count=11, batch=5)
    whole = Ideal(points)(x, *level)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ideal, "CHUNK", chunk)
        np.testing.assert_allclose(Ideal(points)(x, *level), whole, atol=1e-12)
        one_by_one = [Ideal(points)(x[b : b + 1], *level)[0] for b in range(5)]
    np.testing.assert_allclose(one_by_one, whole, atol=1e-12)


@given(seed=seeds, sigma=st.sampled_from([1e-4, 0.1, 10.0]), first=st.integers(1, 10))
def test_shares_of_the_training_set_merge_p13(seed, sigma, first):
    """Also where one share's weights are exp(-1e8) of the other's."""
    points, x, _ = draw(seed, 1.0, sigma, count=11)
    _, num, den = merge([Ideal(share).partial(x, 1.0, sigma) for share in (points[:first], points[first:])])
    np.testing.assert_allclose(num / den[:, None], Ideal(points)(x, 1.0, sigma), atol=1e-9)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_little_noise_is_not_the_difference_of_large_numbers(dtype):
    """Two pictures that almost agree, and one far away: |x|^2 - 2 x.y + |y|^2 would mix up the first two."""
    rng = np.random.default_rng(0)
    step = {"f4": 2e-4, "f8": 2e-8}[dtype]
    sigma = 10 * step
    one = rng.uniform(-1, 1, 3072).astype(dtype)
    images = np.stack([one, one + step, -one]).astype(dtype)
    x = (one + step * (0.45 + 0.5 * rng.standard_normal((4, 3072)))).astype(dtype)
    squares = [[math.fsum((q.astype("f8") - y) ** 2) for y in images[:2].astype("f8")] for q in x]
    share = [1 / (1 + math.exp((b - a) / (2 * sigma**2))) for a, b in squares]  # of the second picture
    got = ((Ideal(images)(x, 1.0, sigma) - one) / step).mean(axis=1)
    assert 0.05 < np.mean(share) < 0.95
    np.testing.assert_allclose(got, share, atol=5e-3)


@pytest.mark.parametrize("level", [(0.9, 0.4), (0.5, 0.9)])
def test_stein_and_orthogonality_p14(level):
    """E s = 0, E s.x = -d, E |x0 - D|^2 = E tr Cov[x0 | x], and the error is orthogonal to every function of x."""
    alpha, sigma = level
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (5, 2))
    n = 40_000
    x0 = points[rng.integers(5, size=n)]
    x = alpha * x0 + sigma * rng.standard_normal((n, 2))
    x0_hat = Ideal(points)(x, alpha, sigma)
    s = forward.score_from_x0(x, x0_hat, alpha, sigma)
    logs = -np.square(x[:, None] - alpha * points).sum(-1) / (2 * sigma**2)
    weights = np.exp(logs - np.logaddexp.reduce(logs, axis=1, keepdims=True))
    trace = weights @ np.square(points).sum(1) - np.square(x0_hat).sum(1)
    error = x0 - x0_hat
    zero_mean = {
        "score": s,
        "score along x": (s * x).sum(1) + 2,
        "squared error and variance": np.square(error).sum(1) - trace,
        **{f"error times {g.__name__}": error * g(x) for g in (np.sin, np.abs, np.tanh, np.square)},
    }
    for name, values in zero_mean.items():
        standard_error = values.std(axis=0) / math.sqrt(n)
        assert (np.abs(values.mean(axis=0)) < 4.5 * standard_error).all(), name


@given(seed=seeds, level=levels)
def test_the_log_density_obeys_the_heat_equation_p15(seed, level):
    """d log p / d sigma = sigma (div s + |s|^2)."""
    alpha, sigma = level
    points, x, _ = draw(seed, *level)
    h = 1e-5 * sigma
    change = (log_density(points, x, alpha, sigma + h) - log_density(points, x, alpha, sigma - h)) / (2 * h)
    s = score(Ideal(points), x, *level)
    divergence = np.trace(jacobian(lambda q: score(Ideal(points), q, *level), x, h), axis1=1, axis2=2)
    np.testing.assert_allclose(change, sigma * (divergence + (s**2).sum(1)), rtol=1e-4, atol=1e-4 / sigma)


@every_schedule
@pytest.mark.parametrize("method", ["ddim", "heun", "ddpm"])
def test_the_ideal_score_memorizes_p27(schedule, method):
    """Every drawn picture is a training picture, and not always the same one."""
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (6, 4, 5, 2))
    x = reverse.start(schedule, (20, 4, 5, 2), rng)
    out = reverse.sample(Ideal(images), schedule, x, schedule.times(60), method=method, rng=rng)
    distances = np.abs(out[:, None] - images).max(axis=(2, 3, 4))
    assert (distances.min(1) < 1e-6 + 5 * schedule(0.0)[1]).all()
    assert len(set(distances.argmin(1))) > 3


@given(level=levels)
def test_on_the_line_it_is_the_law_of_atoms(level):
    """The package's denoiser against the one that the tests of the flow use (P18, P26)."""
    points = np.array([-0.9, -0.5, 0.1, 0.3, 1.0])
    x = np.linspace(-3, 3, 40)[:, None]
    np.testing.assert_allclose(Ideal(points[:, None])(x, *level), Atoms(points)(x, *level), atol=1e-12)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("chunk", [3, 7, 4096])
def test_many_candidates_that_nearly_tie_are_each_compared_exactly_p13(dtype, chunk):
    """Forty points within a few sigma of x, in chunks of fewer: the posterior mean by differences."""
    rng = np.random.default_rng(0)
    sigma = {"f4": 1e-4, "f8": 1e-7}[dtype]
    points = np.concatenate([0.9 + sigma * rng.standard_normal((40, 3)), rng.uniform(-1, 0, (60, 3))])
    points = rng.permutation(points).astype(dtype)
    x = (0.9 + sigma * rng.standard_normal((5, 3))).astype(dtype)
    logs = -np.square((x[:, None].astype(float) - points) / sigma).sum(-1) / 2
    weights = np.exp(logs - logs.max(1, keepdims=True))
    expected = weights @ points.astype(float) / weights.sum(1, keepdims=True)
    assert (weights / weights.sum(1, keepdims=True)).max() < 0.5
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ideal, "CHUNK", chunk)
        answer = Ideal(points)(x, 1.0, sigma)
    np.testing.assert_allclose(answer, expected, atol={"f4": 6e-8, "f8": 1e-4 * sigma}[dtype])


@pytest.mark.parametrize("error", [0.5, 5.0])
def test_every_candidate_that_rounding_may_have_kept_from_mattering_is_evaluated(error):
    """The best one may really be `error` lower and another `error` higher: beside it, or beside one seen before."""
    total = Softmax(np, (1,), 1, 4)
    logits = 100 - np.array([[0.0, total.margin + 1.99 * error, total.margin + 2.01 * error]])
    np.testing.assert_array_equal(ideal._leading(logits, total, error), [[True, True, False]])
    total.add(np.array([[120.0]]), np.zeros((1, 1)))
    below = 120 - np.array([[total.margin + 0.99 * error, total.margin + 1.01 * error]])
    np.testing.assert_array_equal(ideal._leading(below, total, error), [[True, False]])


def test_float32_images_are_compared_with_float64_in_float64():
    """Little noise around images that lie near each other and far from 0: a mean of float32 would move them all."""
    rng = np.random.default_rng(0)
    images = (0.7 + 0.01 * rng.standard_normal((50, 4, 4, 1))).astype("float32")
    x = 0.9 * images[:3].astype("float64") + 0.02 * rng.standard_normal((3, 4, 4, 1))
    narrow, wide = Ideal(images), Ideal(images.astype("float64"))
    np.testing.assert_allclose(narrow(x, 0.9, 0.01), wide(x, 0.9, 0.01), atol=3e-9, rtol=0)
