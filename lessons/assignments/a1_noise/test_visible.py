"""Tests of assignment 1 that the student has."""

import numpy as np
import pytest

from edudiff.course.answers import agree


def pair(answer):
    """(alpha, sigma), also where they come as one array."""
    return tuple(answer) if isinstance(answer, np.ndarray) else answer


@pytest.mark.cosine
def test_alpha_and_sigma_lie_on_the_unit_circle(student):
    """Variance is preserved: alpha^2 + sigma^2 = 1."""
    t = np.linspace(0, 1, 7)
    alpha, sigma = student.cosine(t)
    agree(alpha**2 + sigma**2, np.ones(7), what="alpha^2 + sigma^2")


@pytest.mark.cosine
def test_times_of_known_angles(student):
    """Without stretch, t = 1/3 is an angle of 30 degrees: alpha = sqrt(3) / 2, sigma = 1 / 2."""
    agree(pair(student.cosine(1 / 3, 1.0)), (3**0.5 / 2, 0.5), what="(alpha, sigma) at t = 1/3, stretch = 1")
    agree(pair(student.cosine(0.0, 1.0)), (1.0, 0.0), what="(alpha, sigma) at t = 0, stretch = 1")


@pytest.mark.cosine
def test_times_of_any_shape(student):
    """Angles of 0, 30, 60 and 90 degrees in a 2 x 2 array; float32 times have float32 scales."""
    t, root = np.array([[0.0, 1 / 3], [2 / 3, 1.0]]), 3**0.5 / 2
    scales = np.array([[1.0, root], [0.5, 0.0]]), np.array([[0.0, 0.5], [root, 1.0]])
    agree(pair(student.cosine(t, 1.0)), scales, what="(alpha, sigma)")
    single = tuple(scale.astype("float32") for scale in scales)
    agree(pair(student.cosine(t.astype("float32"), 1.0)), single, 1e-5, "(alpha, sigma) of float32 times")


@pytest.mark.cosine
def test_stretch_leaves_a_little_signal(student):
    """At t = 1 a stretch of 1.008 leaves alpha = 0.012467."""
    agree(student.cosine(1.0)[0], 0.0124664, tolerance=1e-6, what="alpha at t = 1")


@pytest.mark.add_noise
def test_each_picture_has_its_own_level(student):
    """The batch axis is the first axis, also where B = C."""
    rng = np.random.default_rng(0)
    x0, noise = rng.standard_normal((2, 3, 4, 4, 3))
    alpha, sigma = np.array([0.9, 0.5, 0.02]), np.array([0.3, 0.8, 1.1])
    x = student.add_noise(x0, alpha, sigma, noise)
    for b in range(3):
        agree(x[b], alpha[b] * x0[b] + sigma[b] * noise[b], what=f"picture {b}")


@pytest.mark.add_noise
def test_numbers_do_for_a_whole_batch(student):
    """alpha and sigma may be plain numbers."""
    x0, noise = np.full((2, 5), 2.0), np.full((2, 5), 10.0)
    agree(student.add_noise(x0, 0.5, 0.1, noise), np.full((2, 5), 2.0))
    one = student.add_noise(x0, 0.5, np.array([0.1, 0.3]), noise)
    agree(one, np.array([[2.0] * 5, [4.0] * 5]), what="one alpha for all, a sigma for each")


@pytest.mark.add_noise
def test_single_precision_stays_single(student):
    """float32 in, float32 out, whatever alpha and sigma are."""
    x0 = np.ones((2, 2), dtype="float32")
    agree(student.add_noise(x0, np.array([0.5, 1.0]), np.array([0.5, 0.0]), x0), np.ones((2, 2), "float32"))
    agree(student.add_noise(x0, np.float64(0.5), 0.25, x0), np.full((2, 2), 0.75, "float32"), what="x of two numbers")


@pytest.mark.log_snr
def test_equal_powers_have_ratio_one(student):
    """log 1 = 0."""
    agree(student.log_snr(0.6, 0.6), 0.0)


@pytest.mark.log_snr
def test_it_falls_with_noise(student):
    """Ten times the noise is a hundredth of the ratio, log(1/100) = -4.605..."""
    alpha = np.array([0.9, 0.5])
    before, after = student.log_snr(alpha, np.array([0.05, 0.08])), student.log_snr(alpha, np.array([0.5, 0.8]))
    agree(after - before, np.full(2, -4.605170185988091), what="the change from ten times the noise")


@pytest.mark.log_snr
def test_almost_no_noise_and_almost_no_signal(student):
    """A ratio of 10^8 or 10^-8 is a logarithm of +-18.42..., and float32 scales give a float32 logarithm."""
    alpha, sigma = np.array([[1.0, 1e-4], [0.5, 1.0]]), np.array([[1e-4, 1.0], [0.5, 1.0]])
    expected = np.array([[18.420680743952367, -18.420680743952367], [0.0, 0.0]])
    agree(student.log_snr(alpha, sigma), expected, 1e-4)
    agree(student.log_snr(alpha.astype("float32"), sigma.astype("float32")), expected.astype("float32"), 1e-5)
