"""Tests of assignment 5 that the grader has."""

import numpy as np
import pytest

import edudiff as ed
from edudiff.course.answers import agree


def random_set(seed, count, width):
    """Correlated training points with a mean."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, width)) @ rng.standard_normal((width, width)) + rng.standard_normal(width)


@pytest.mark.moments
def test_moments_equal_those_of_numpy(student):
    """np.cov with bias, for few and for many points."""
    for count, width in ((2, 3), (5, 5), (40, 4)):
        data = random_set(count, count, width)
        agree(student.moments(data), (data.mean(axis=0), np.cov(data.T, bias=True)), what=f"moments of {data.shape}")


@pytest.mark.moments
def test_one_point_does_not_vary(student):
    """A training set of one point has covariance 0."""
    agree(student.moments(np.array([[1.0, 2.0, 4.0]])), (np.array([1.0, 2.0, 4.0]), np.zeros((3, 3))))


@pytest.mark.linear
def test_linear_equals_the_package(student):
    """edudiff.denoisers.Linear, for full and for flat covariances."""
    rng = np.random.default_rng(51)
    for count, width in ((3, 6), (30, 5)):
        data = random_set(count, count, width)
        mean, covariance, x = data.mean(axis=0), np.cov(data.T, bias=True), rng.standard_normal((4, width))
        for alpha, sigma in ((1.0, 0.1), (0.7, 0.7), (0.2, 1.0), (0.0, 1.0)):
            expected = ed.denoisers.Linear(mean, covariance)(x, alpha, sigma)
            agree(student.linear(x, mean, covariance, alpha, sigma), expected, 1e-8, f"at {alpha = }, {sigma = }")


@pytest.mark.flow
def test_flow_is_the_limit_of_many_small_steps(student):
    """Heun with 200 steps along the cosine schedule comes within a thousandth."""
    data, schedule = random_set(52, 12, 3), ed.schedule.cosine()
    x, times = np.random.default_rng(53).standard_normal((3, 3)), np.linspace(0.9, 0.1, 201)
    expected = ed.reverse.sample(ed.denoisers.Linear.fit(data), schedule, x, times, "heun")
    moments = data.mean(axis=0), np.cov(data.T, bias=True)
    agree(student.flow(x, *moments, schedule(0.9), schedule(0.1)), expected, 1e-3)


@pytest.mark.flow
def test_flow_carries_the_law(student):
    """Points spread as the noisy data at one level are spread as them at the other."""
    rng, now, then = np.random.default_rng(54), (0.4, 0.8), (0.9, 0.2)
    data = random_set(55, 9, 4)
    mean, covariance = data.mean(axis=0), np.cov(data.T, bias=True)
    before, after = (a**2 * covariance + s**2 * np.eye(4) for a, s in (now, then))
    moved = student.flow(0.4 * mean + rng.standard_normal((3, 4)), mean, covariance, now, then)
    agree(student.flow(0.4 * mean[None], mean, covariance, now, then), 0.9 * mean[None], what="the mean, carried")
    steps = student.flow(0.4 * mean + np.eye(4), mean, covariance, now, then) - 0.9 * mean
    agree(steps.T @ before @ steps, after, 1e-8, "the covariance, carried")
    agree(moved.shape, (3, 4), what="the shape")
