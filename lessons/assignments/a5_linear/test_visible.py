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


@pytest.mark.moments
def test_a_linear_map_of_the_data(student):
    """Data A x have the mean A mean and the covariance A S A^T."""
    data, a = points(7), points(2, seed=1)
    mean, covariance = student.moments(data)
    agree(student.moments(data @ a.T), (a @ mean, a @ covariance @ a.T), what="(mean, covariance) of A x")


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
    agree((x - MEAN) @ np.array([2.0, -1.0, 0.0]), np.zeros(4), 1e-6, "the flat direction")
