"""Tests of assignment 2 that the student has."""

import numpy as np
import pytest

from edudiff.course.answers import agree

LEVELS = ((0.8, 0.6), (0.3, 1.4), (1.0, 0.05), (0.01, 1.0), (0.9, 0.002))


def rounding(sigma):
    """How much an answer may be off: less noise, larger rounding errors."""
    return 1e-9 if sigma > 0.01 else 1e-6


def mixed(alpha, sigma, shape=(3, 2, 2, 1)):
    """A picture, noise, and the noisy picture."""
    x0, noise = np.random.default_rng(0).standard_normal((2, *shape))
    return x0, noise, alpha * x0 + sigma * noise


def stays_single(function, alpha, sigma, factors):
    """float32 pictures come back as float32: factors[0] * x + factors[1] * the other one."""
    x, other = np.random.default_rng(1).standard_normal((2, 2, 5)).astype("float32")
    agree(function(x, other, alpha, sigma), factors[0] * x + factors[1] * other, 1e-4, "the answer to float32")


@pytest.mark.noise_from_x0
def test_the_noise_that_was_added_comes_back(student):
    """Add noise to a picture; with the right picture in hand, the noise is found."""
    for alpha, sigma in LEVELS:
        x0, noise, x = mixed(alpha, sigma)
        agree(
            student.noise_from_x0(x, x0, alpha, sigma), noise, rounding(sigma), f"the noise at {alpha = }, {sigma = }"
        )


@pytest.mark.noise_from_x0
def test_noise_in_single_precision(student):
    """float32 in, float32 out: 4 x - 2 x0_hat at alpha = 0.5, sigma = 0.25."""
    stays_single(student.noise_from_x0, 0.5, 0.25, (4.0, -2.0))


@pytest.mark.score_from_x0
def test_score_is_the_slope_of_the_log_density(student):
    """One training point m: log p = -|x - alpha m|^2 / 2 sigma^2, its slope taken by differences."""
    m, x, step = np.array([[0.7, -0.2]]), np.array([[0.1, 0.5]]), 1e-4
    for alpha, sigma in LEVELS[:2]:

        def log_p(x, alpha=alpha, sigma=sigma):
            return -np.sum((x - alpha * m) ** 2) / (2 * sigma**2)

        slope = [(log_p(x + step * d) - log_p(x - step * d)) / (2 * step) for d in np.eye(2)]
        agree(
            student.score_from_x0(x, m, alpha, sigma), np.array([slope]), 1e-6, f"the score at {alpha = }, {sigma = }"
        )


@pytest.mark.score_from_x0
def test_score_in_single_precision(student):
    """float32 in, float32 out: 8 x0_hat - 16 x at alpha = 0.5, sigma = 0.25."""
    stays_single(student.score_from_x0, 0.5, 0.25, (-16.0, 8.0))


@pytest.mark.score_from_x0
def test_score_at_little_noise(student):
    """One standard deviation from the picture, the score is -1 / sigma, however small sigma is."""
    for sigma in (0.3, 0.002):
        x0_hat = np.array([[0.5, -1.0], [0.25, 0.0]])
        found = sigma * student.score_from_x0(0.75 * x0_hat + sigma, x0_hat, 0.75, sigma)
        agree(found, np.full((2, 2), -1.0), rounding(sigma), f"sigma times the score at {sigma = }")


@pytest.mark.x0_from_score
def test_gaussian_score_denoises(student):
    """Standard normal data: the score is -x / (alpha^2 + sigma^2), the mean alpha x / (alpha^2 + sigma^2)."""
    for alpha, sigma in LEVELS:
        x, variance = mixed(alpha, sigma)[2], alpha**2 + sigma**2
        agree(student.x0_from_score(x, -x / variance, alpha, sigma), alpha * x / variance, rounding(sigma), "x0_hat")


@pytest.mark.x0_from_score
def test_tweedie_in_single_precision(student):
    """float32 in, float32 out: 2 x + score / 8 at alpha = 0.5, sigma = 0.25."""
    stays_single(student.x0_from_score, 0.5, 0.25, (2.0, 0.125))


@pytest.mark.x0_from_velocity
def test_velocity_and_picture_determine_each_other(student):
    """Make a velocity from a known picture and known noise; the picture comes back, whatever alpha and sigma are."""
    for alpha, sigma in LEVELS:
        x0, noise, x = mixed(alpha, sigma)
        velocity = alpha * noise - sigma * x0
        agree(student.x0_from_velocity(x, velocity, alpha, sigma), x0, rounding(sigma), f"x0 at {alpha = }, {sigma = }")


@pytest.mark.x0_from_velocity
def test_velocity_in_single_precision(student):
    """float32 in, float32 out: (x - velocity) at alpha = sigma = 0.5."""
    stays_single(student.x0_from_velocity, 0.5, 0.5, (1.0, -1.0))
