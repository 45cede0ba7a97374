"""Tests of assignment 2 that the grader has."""

import numpy as np
import pytest

import edudiff as ed
from edudiff.course.answers import agree

CONVERSIONS = ("noise_from_x0", "score_from_x0", "x0_from_score", "x0_from_velocity")


def equals_the_package(student, name):
    """One conversion against that of edudiff, at many levels, shapes and precisions."""
    rng = np.random.default_rng(CONVERSIONS.index(name))
    for shape in ((4, 3), (2, 5, 4, 3)):
        for dtype, tolerance in (("float64", 1e-10), ("float32", 1e-4)):
            x, other = rng.standard_normal((2, *shape)).astype(dtype)
            for alpha, sigma in ((0.9, 0.2), (0.5, 0.5), (0.2, 3.0), (1.0, 1.0)):
                expected = getattr(ed.forward, name)(x, other, alpha, sigma)
                agree(getattr(student, name)(x, other, alpha, sigma), expected, tolerance)
    for alpha, sigma in ((0.9, 1e-3), (0.01, 1.0), (0.02, 80.0)):
        x, other = rng.standard_normal((2, 3, 4))
        expected = getattr(ed.forward, name)(x, other, alpha, sigma)
        size = np.abs(expected).max()  # what is large has large rounding errors, what is small must not hide
        agree(
            getattr(student, name)(x, other, alpha, sigma) / size,
            expected / size,
            1e-5,
            f"at {sigma = }, over {size:.3g},",
        )


@pytest.mark.noise_from_x0
def test_noise_equals_the_package(student):
    """noise_from_x0 of edudiff."""
    equals_the_package(student, "noise_from_x0")


@pytest.mark.score_from_x0
def test_score_equals_the_package(student):
    """score_from_x0 of edudiff."""
    equals_the_package(student, "score_from_x0")


@pytest.mark.score_from_x0
def test_score_of_a_training_set(student):
    """The slope of log p of a mixture of Gaussians, by differences."""
    rng = np.random.default_rng(21)
    data, x, step = rng.uniform(-1, 1, (6, 2)), rng.standard_normal((1, 2)), 1e-5
    alpha, sigma = 0.7, 0.5

    def log_p(x):
        return np.logaddexp.reduce(-((x - alpha * data) ** 2).sum(axis=1) / (2 * sigma**2))

    slope = [(log_p(x + step * d) - log_p(x - step * d)) / (2 * step) for d in np.eye(2)]
    x0_hat = ed.denoisers.Ideal(data)(x, alpha, sigma)
    agree(student.score_from_x0(x, x0_hat, alpha, sigma), np.array([slope]), 1e-6, "the score")


@pytest.mark.x0_from_score
def test_tweedie_equals_the_package(student):
    """x0_from_score of edudiff."""
    equals_the_package(student, "x0_from_score")


@pytest.mark.x0_from_velocity
def test_velocity_equals_the_package(student):
    """x0_from_velocity of edudiff."""
    equals_the_package(student, "x0_from_velocity")
