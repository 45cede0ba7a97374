"""Tests of assignment 5 that the student has."""

import numpy as np
import pytest

from edudiff.course.answers import agree

MEAN = np.array([0.5, -1.0, 0.2])
COVARIANCE = np.array([[1.3, 0.4, 0.0], [0.4, 0.8, -0.2], [0.0, -0.2, 0.3]])


def points(count=4, seed=0):
    """Random points, (count, 3)."""
    return np.random.default_rng(seed).standard_normal((count, 3))


@pytest.mark.moments
def test_four_points_of_a_rectangle(student):
    """The corners (+-3, +-1) moved by (10, 20): mean (10, 20), covariance diag(9, 1)."""
    data = np.array([[13.0, 21.0], [13.0, 19.0], [7.0, 21.0], [7.0, 19.0]])
    agree(student.moments(data), (np.array([10.0, 20.0]), np.diag([9.0, 1.0])), what="(mean, covariance)")
    twice = data[[0, 0, 0, 2]]  # (13, 21) three times, (7, 21) once
    agree(student.moments(twice), (np.array([11.5, 21.0]), np.diag([6.75, 0.0])), what="(mean, covariance) with twins")


@pytest.mark.moments
def test_a_linear_map_of_the_data(student):
    """Data A x have the mean A mean and the covariance A S A^T."""
    data, a = points(7), points(2, seed=1)
    mean, covariance = student.moments(data)
    agree(student.moments(data @ a.T), (a @ mean, a @ covariance @ a.T), what="(mean, covariance) of A x")


@pytest.mark.moments
def test_shapes_and_precision(student):
    """Points on a line have a 1 x 1 covariance, one point alone has none, and float32 stays float32."""
    line = np.array([[1.0], [2.0], [6.0]])
    agree(student.moments(line), (np.array([3.0]), np.array([[14 / 3]])), what="(mean, covariance) on a line")
    agree(student.moments(line[:1]), (np.array([1.0]), np.array([[0.0]])), what="(mean, covariance) of one point")
    single = np.array([3.0], "float32"), np.array([[14 / 3]], "float32")
    agree(student.moments(line.astype("float32")), single, 1e-5, "(mean, covariance) of float32")


@pytest.mark.linear
def test_one_dimension(student):
    """D = 1 with variance v: mean + alpha v / (alpha^2 v + sigma^2) (x - alpha mean)."""
    x = np.array([[0.3], [-2.0]])
    for alpha, sigma in ((0.8, 0.6), (0.3, 1.4)):
        answer = 0.5 + alpha * 2.0 / (alpha**2 * 2.0 + sigma**2) * (x - alpha * 0.5)
        agree(student.linear(x, np.array([0.5]), np.array([[2.0]]), alpha, sigma), answer)


@pytest.mark.linear
def test_residual_is_uncorrelated(student):
    """What is added to the mean, times alpha^2 S + sigma^2, is alpha S (x - alpha mean)."""
    alpha, sigma, x = 0.7, 0.9, points()
    added = student.linear(x, MEAN, COVARIANCE, alpha, sigma) - MEAN
    left = added @ (alpha**2 * COVARIANCE + sigma**2 * np.eye(3))
    agree(left, (x - alpha * MEAN) @ (alpha * COVARIANCE), what="the left side")


@pytest.mark.linear
def test_flat_data(student):
    """Data without variance in one direction: the mean there, and nothing divides by 0."""
    x = points()
    agree(
        student.linear(x, MEAN, np.diag([1.0, 0.0, 0.0]), 1.0, 0.1)[:, 1], np.full(4, -1.0), what="the flat direction"
    )


@pytest.mark.linear
def test_small_data_and_single_precision(student):
    """Data and noise a thousand times smaller: so is the answer. float32 stays float32. No signal: the mean."""
    x = points()
    whole = student.linear(x, MEAN, COVARIANCE, 0.7, 0.9)
    tiny = student.linear(0.001 * x, 0.001 * MEAN, 1e-6 * COVARIANCE, 0.7, 0.0009)
    agree(tiny / 0.001, whole, 1e-5, "the answer for data a thousand times smaller, times 1000,")
    single = student.linear(*(a.astype("float32") for a in (x, MEAN, COVARIANCE)), 0.7, 0.9)
    agree(single, whole.astype("float32"), 1e-4, "the answer to float32")
    agree(student.linear(x, MEAN, COVARIANCE, 0.0, 1.0), np.tile(MEAN, (4, 1)), what="the answer at alpha = 0")


@pytest.mark.flow
def test_quantiles_stay(student):
    """In one dimension: the same number of standard deviations from the mean."""
    now, then, x = (0.3, 0.9), (0.8, 0.5), np.array([[1.0], [-0.5]])
    before, after = (a**2 * 4.0 + s**2 for a, s in (now, then))
    answer = 0.8 * 0.7 + (x - 0.3 * 0.7) * (after / before) ** 0.5
    agree(student.flow(x, np.array([0.7]), np.array([[4.0]]), now, then), answer)


@pytest.mark.flow
def test_there_and_back_again(student):
    """Forth and back is no move, and two moves are one."""
    x, a, b, c = points(), (0.2, 1.0), (0.6, 0.8), (0.9, 0.3)
    there = student.flow(x, MEAN, COVARIANCE, a, b)
    agree(student.flow(there, MEAN, COVARIANCE, b, a), x, what="x forth and back")
    agree(student.flow(there, MEAN, COVARIANCE, b, c), student.flow(x, MEAN, COVARIANCE, a, c), what="x by way of b")


@pytest.mark.flow
def test_flat_directions_end_at_the_mean(student):
    """Without variance and without noise at the end only the mean is left."""
    x = student.flow(points(), MEAN, np.outer([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), (0.1, 1.0), (1.0, 0.0))
    agree((x - MEAN) @ np.array([2.0, -1.0, 0.0]), np.zeros(4), 1e-5, "the flat direction")


@pytest.mark.flow
def test_small_data_and_single_precision_flow(student):
    """Data and noise a thousand times smaller: so is the answer. float32 stays float32."""
    x, now, then = points(), (0.3, 0.9), (0.8, 0.5)
    whole = student.flow(x, MEAN, COVARIANCE, now, then)
    tiny = student.flow(0.001 * x, 0.001 * MEAN, 1e-6 * COVARIANCE, (0.3, 0.0009), (0.8, 0.0005))
    agree(tiny / 0.001, whole, 1e-5, "the answer for data a thousand times smaller, times 1000,")
    single = student.flow(*(a.astype("float32") for a in (x, MEAN, COVARIANCE)), now, then)
    agree(single, whole.astype("float32"), 1e-4, "the answer to float32")
