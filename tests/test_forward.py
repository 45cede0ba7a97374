"""Adding noise, and that x0, noise, score and velocity say the same thing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known import Gaussian, read_only

from edudiff import forward
from edudiff.support import random

angles = st.floats(0.02, math.pi / 2 - 0.02)  # alpha = cos, sigma = sin
scales = st.floats(0.5, 2)  # of sigma: 1 is variance preserving
seeds = st.integers(0, 2**32)


def noisy(seed, angle, scale=1.0, shape=(3, 4, 5, 2)):
    rng = np.random.default_rng(seed)
    x0, noise = rng.uniform(-1, 1, shape), rng.standard_normal(shape)
    alpha, sigma = math.cos(angle), scale * math.sin(angle)
    return x0, noise, alpha, sigma, forward.add_noise(x0, alpha, sigma, noise)


@given(seed=seeds, angle=angles, scale=scales, mean=st.floats(-1, 1), variance=st.floats(0.01, 4))
def test_tweedie_p1(seed, angle, scale, mean, variance):
    """The score of a law and its posterior mean, each from its own formula, are linked by x + sigma^2 s = alpha D."""
    _, _, alpha, sigma, x = noisy(seed, angle, scale)
    law = Gaussian(mean, variance)
    score, x0_hat = law.score(x, alpha, sigma), law(x, alpha, sigma)
    np.testing.assert_allclose(forward.x0_from_score(x, score, alpha, sigma), x0_hat, atol=1e-9)
    np.testing.assert_allclose(forward.score_from_x0(x, x0_hat, alpha, sigma), score, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(forward.noise_from_x0(x, x0_hat, alpha, sigma), -sigma * score, atol=1e-9)


@given(seed=seeds, angle=angles, scale=scales)
def test_conversions_return_what_was_put_in(seed, angle, scale):
    """x0 and noise themselves pass through every conversion, whether or not alpha^2 + sigma^2 = 1."""
    x0, noise, alpha, sigma, x = noisy(seed, angle, scale)
    velocity = alpha * noise - sigma * x0
    close = lambda got, expected: np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-8)  # noqa: E731
    close(forward.noise_from_x0(x, x0, alpha, sigma), noise)
    close(forward.x0_from_noise(x, noise, alpha, sigma), x0)
    close(forward.velocity_from_x0(x, x0, alpha, sigma), velocity)
    close(forward.x0_from_velocity(x, velocity, alpha, sigma), x0)
    close(forward.score_from_x0(x, x0, alpha, sigma), -noise / sigma)
    close(forward.x0_from_score(x, -noise / sigma, alpha, sigma), x0)


@given(seed=seeds, angle=angles)
def test_velocity_is_the_speed_along_the_circle(seed, angle):
    """On x(phi) = cos(phi) x0 + sin(phi) noise, v = dx / dphi (Salimans & Ho 2022, appendix D)."""
    x0, noise, alpha, sigma, x = noisy(seed, angle)
    h = 1e-5
    ahead, behind = (forward.add_noise(x0, math.cos(p), math.sin(p), noise) for p in (angle + h, angle - h))
    velocity = forward.velocity_from_x0(x, x0, alpha, sigma)
    np.testing.assert_allclose(velocity, (ahead - behind) / (2 * h), atol=1e-6)


@given(seed=seeds, angle=angles)
def test_dividing_by_alpha_makes_it_variance_exploding_p11(seed, angle):
    """x / alpha at noise sigma / alpha holds the same x0 and the same noise; its score is alpha times as large."""
    x0, _, alpha, sigma, x = noisy(seed, angle)
    y, ratio = x / alpha, sigma / alpha
    np.testing.assert_allclose(
        forward.noise_from_x0(x, x0, alpha, sigma), forward.noise_from_x0(y, x0, 1.0, ratio), atol=1e-8
    )
    np.testing.assert_allclose(
        alpha * forward.score_from_x0(x, x0, alpha, sigma), forward.score_from_x0(y, x0, 1.0, ratio), rtol=1e-6
    )


@pytest.mark.parametrize("convert", [forward.x0_from_score, forward.x0_from_noise])
def test_without_signal_x0_does_not_follow(convert):
    x = np.ones((1, 2))
    with pytest.raises(ValueError, match="alpha is 0: x holds no signal"):
        convert(x, x, 0.0, 1.0)


def test_without_signal_velocity_still_tells_x0():
    x0, noise, x = np.full((1, 2), 0.5), np.ones((1, 2)), np.ones((1, 2))
    velocity = forward.velocity_from_x0(x, x0, 0.0, 1.0)
    np.testing.assert_allclose(velocity, 0.0 * noise - x0)
    np.testing.assert_allclose(forward.x0_from_velocity(x, velocity, 0.0, 1.0), x0)


@given(seed=seeds)
def test_each_picture_has_its_own_noise_level(seed):
    """Batch size equal to the width and the height: a level broadcast along the wrong axis would go unseen."""
    rng = np.random.default_rng(seed)
    x0, noise = rng.standard_normal((2, 4, 4, 4, 1))
    alpha, sigma = rng.uniform(0, 1, (2, 4))
    x = forward.add_noise(x0, alpha, sigma, noise)
    for b in range(4):
        np.testing.assert_array_equal(x[b], alpha[b] * x0[b] + sigma[b] * noise[b])


def test_noise_with_a_missing_axis_is_refused():
    """(4, 4, 4) noise would silently broadcast against (4, 4, 4, 1) pictures."""
    with pytest.raises(ValueError, match=r"x0 has shape \(4, 4, 4, 1\) and noise \(4, 4, 4\)"):
        forward.add_noise(np.zeros((4, 4, 4, 1)), 0.5, 0.5, np.zeros((4, 4, 4)))


@pytest.mark.parametrize("alpha", [np.zeros(3), np.zeros((4, 1)), np.zeros((4, 1, 1, 1))])
def test_one_level_per_image_or_one_for_all(alpha):
    with pytest.raises(ValueError, match=r"expected a number or \(4,\)"):
        forward.add_noise(np.zeros((4, 2, 2, 1)), alpha, 0.5, np.zeros((4, 2, 2, 1)))


def test_whole_number_pictures_are_refused():
    """The level of each picture would be rounded to their dtype: 0."""
    with pytest.raises(TypeError, match=r"dtype uint8.*from_uint8"):
        forward.add_noise(np.ones((2, 3), "u1"), np.array([0.5, 0.5]), 0.5, np.ones((2, 3)))


CONVERSIONS = [
    forward.score_from_x0, forward.x0_from_score, forward.noise_from_x0, forward.x0_from_noise,
    forward.velocity_from_x0, forward.x0_from_velocity,
]  # fmt: skip
every_conversion = pytest.mark.parametrize("convert", CONVERSIONS, ids=lambda f: f.__name__)


@every_conversion
@pytest.mark.parametrize(
    ("alpha", "sigma", "error", "says"),
    [
        (0.5, 0.0, ValueError, "sigma is 0.0, expected 1e-12 to 1e12"),
        (0.5, -1.0, ValueError, "sigma is -1.0"),
        (0.5, math.nan, ValueError, "sigma is nan"),
        (1.5, 0.5, ValueError, "alpha is 1.5, expected 0 <= alpha <= 1"),
        (-0.1, 0.5, ValueError, "alpha is -0.1"),
        (math.nan, 0.5, ValueError, "alpha is nan"),
        ("a", 0.5, TypeError, "expected two numbers"),
        (None, 0.5, TypeError, "expected two numbers"),
    ],
)
def test_impossible_levels_are_refused(convert, alpha, sigma, error, says):
    with pytest.raises(error, match=says):
        convert(np.zeros((1, 2)), np.zeros((1, 2)), alpha, sigma)


@every_conversion
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("number", [float, np.float64])
def test_dtype_in_is_dtype_out_and_inputs_stay(convert, dtype, number):
    """A NumPy scalar for a level must not turn float32 into float64."""
    x, other = read_only(np.ones((2, 3), dtype)), read_only(np.zeros((2, 3), dtype))
    assert convert(x, other, number(0.6), number(0.8)).dtype == dtype
    assert forward.add_noise(x, number(0.6), number(0.8), other).dtype == dtype
    assert forward.add_noise(x, np.array([0.6, 0.5]), np.array([0.8, 0.9]), other).dtype == dtype


def test_the_noise_is_standard_normal():
    z = random.standard_normal(random.streams(0, 4), (4, 50, 50, 2))
    n = z.size
    assert abs(z.mean()) < 4 / math.sqrt(n) and abs(z.var() - 1) < 4 * math.sqrt(2 / n)
    assert np.abs(np.corrcoef(z.reshape(4, -1)) - np.eye(4)).max() < 4 / math.sqrt(n / 4)


@given(seed=st.integers(0, 2**63), batch=st.integers(8, 12))
def test_picture_7_is_the_same_in_every_batch(seed, batch):
    alone = random.standard_normal(random.streams(seed, [7]), (1, 3, 2, 1))
    assert np.array_equal(random.standard_normal(random.streams(seed, batch), (batch, 3, 2, 1))[7], alone[0])
    assert np.array_equal(random.standard_normal(random.streams(seed, range(5, 9)), (4, 3, 2, 1))[2], alone[0])


def test_picture_7_of_a_generator_is_the_same_in_every_batch():
    """Also in the second draw: what the batch took the first time must not depend on its size."""
    small, large = np.random.default_rng(3), np.random.default_rng(3)
    for _ in range(2):
        a, b = (random.standard_normal(rng, (count, 5)) for rng, count in ((small, 8), (large, 20)))
        assert np.array_equal(a[7], b[7])


def test_pictures_and_seeds_differ():
    z = np.concatenate([random.standard_normal(random.streams(seed, 20), (20, 2)) for seed in range(20)])
    assert len(np.unique(z)) == z.size


def test_a_stream_goes_on():
    rngs = random.streams(3, 2)
    assert not np.array_equal(random.standard_normal(rngs, (2, 4)), random.standard_normal(rngs, (2, 4)))


def test_float32_noise_is_float64_noise_rounded():
    exact = random.standard_normal(random.streams(3, 4), (4, 6))
    single = random.standard_normal(random.streams(3, 4), (4, 6), like=np.zeros(1, "f4"))
    assert exact.dtype == np.float64 and single.dtype == np.float32
    np.testing.assert_array_equal(single, exact.astype("f4"))


@pytest.mark.parametrize("rng", [None, 3, np.random, [1, 2], np.random.RandomState(0)])
def test_a_stream_must_be_a_generator(rng):
    with pytest.raises(TypeError, match=r"expected a numpy\.random\.Generator"):
        random.standard_normal(rng, (2, 3))


def test_every_picture_needs_a_stream():
    with pytest.raises(ValueError, match="rng has 3 streams for a batch of 2"):
        random.standard_normal(random.streams(0, 3), (2, 4))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_on_the_device_as_on_the_host(standin_cupy, dtype):
    cp = standin_cupy
    x0 = np.random.default_rng(0).uniform(-1, 1, (2, 3, 3, 1)).astype(dtype)
    on_host = random.standard_normal(random.streams(3, 2), x0.shape, like=x0)
    noise = random.standard_normal(random.streams(3, 2), x0.shape, like=cp.asarray(x0))
    assert type(noise) is cp.ndarray and noise.dtype == dtype
    np.testing.assert_array_equal(noise.get(), on_host)
    for alpha, sigma in ((0.6, 0.8), (np.array([0.6, 0.5]), np.array([0.8, 0.9]))):
        x = forward.add_noise(cp.asarray(x0), alpha, sigma, noise)
        np.testing.assert_array_equal(x.get(), forward.add_noise(x0, alpha, sigma, on_host))
    for convert in CONVERSIONS:
        assert type(convert(x, cp.asarray(x0), 0.6, 0.8)) is cp.ndarray
    with pytest.raises(TypeError, match="different places"):
        forward.add_noise(x0, 0.6, 0.8, noise)


def test_noise_is_no_whole_number_and_not_nan():
    with pytest.raises(TypeError, match="like has dtype uint8"):
        random.standard_normal(np.random.default_rng(0), (1, 3), like=np.zeros(1, np.uint8))
    with pytest.raises(ValueError, match="noise has 1 NaN"):
        forward.add_noise(np.zeros((1, 2)), 0.5, 0.5, np.array([[0, np.nan]]))


@every_conversion
@pytest.mark.parametrize("shape", [(4,), (1, 4), (3, 1), (4, 3), (3, 4, 1)])
def test_conversions_take_two_arrays_of_one_shape(convert, shape):
    """Each of these would broadcast, or be taken for another batch."""
    with pytest.raises(ValueError, match=r"\(3, 4\)"):
        convert(np.ones((3, 4)), np.ones(shape), 0.6, 0.8)
