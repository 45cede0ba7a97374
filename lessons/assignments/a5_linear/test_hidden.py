"""Tests of assignment 5 that the grader has."""

import numpy as np
import pytest

import edudiff as ed
from edudiff.course.answers import agree


def random_set(seed, count, width):
    """Correlated training points with a mean, within [-1, 1]."""
    rng = np.random.default_rng(seed)
    data = rng.standard_normal((count, width)) @ rng.standard_normal((width, width)) + rng.standard_normal(width)
    return data / np.abs(data).max()


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


@pytest.mark.moments
def test_one_coordinate_and_single_precision(student):
    """Shapes (1,) and (1, 1) for D = 1; float32 stays float32."""
    for width in (1, 4):
        data = random_set(56, 9, width)
        data[7:] = data[2]  # who is there three times counts three times
        centered = data - data.mean(axis=0)
        expected = data.mean(axis=0), centered.T @ centered / 9
        agree(student.moments(data), expected, what=f"moments of {data.shape}")
        single = tuple(a.astype("float32") for a in expected)
        agree(student.moments(data.astype("float32")), single, 1e-5, f"moments of {data.shape} in float32")


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


@pytest.mark.linear
def test_linear_at_any_scale_and_precision(student):
    """Data and noise c times as large, flat directions too: the answer is c times as large. float32 stays float32."""
    rng = np.random.default_rng(57)
    for count, width in ((2, 5), (20, 4), (9, 1)):
        data, x = random_set(58, count, width), rng.uniform(-1, 1, (3, width))
        centered = data - data.mean(axis=0)
        moments = data.mean(axis=0), centered.T @ centered / count
        expected = ed.denoisers.Linear(*moments)(x, 0.8, 0.5)
        for c in (3.0, 1.0, 0.003):
            answer = student.linear(c * x, c * moments[0], c**2 * moments[1], 0.8, c * 0.5)
            agree(answer / c, expected, 1e-5, f"the answer over {c:g}")
        single = [a.astype("float32") for a in (x, *moments)]
        agree(student.linear(*single, 0.8, 0.5), expected.astype("float32"), 1e-4, "the answer to float32")


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


@pytest.mark.flow
def test_flow_at_any_scale_and_precision(student):
    """Along known axes: so many standard deviations from the mean before, as many after; float32 stays float32."""
    rng = np.random.default_rng(59)
    axes, deviations = np.linalg.qr(rng.standard_normal((4, 4)))[0], np.array([0.9, 0.5, 0.2, 0.1])
    mean, quantiles, now, then = rng.uniform(-1, 1, 4), rng.standard_normal((3, 4)), (0.3, 0.8), (0.9, 0.4)
    before, after = (np.sqrt(a**2 * deviations**2 + s**2) for a, s in (now, then))
    x, expected = (a * mean + quantiles * d @ axes.T for (a, _), d in ((now, before), (then, after)))
    covariance = axes * deviations**2 @ axes.T
    for c in (3.0, 1.0, 0.003):
        levels = [(a, c * s) for a, s in (now, then)]
        for dtype, tolerance in (("float64", 1e-9 if c >= 1 else 1e-5), ("float32", 1e-4)):
            arrays = [a.astype(dtype) for a in (c * x, c * mean, c**2 * covariance)]
            answer = student.flow(*arrays, *levels)
            agree(answer / c, expected.astype(dtype), tolerance, f"the {dtype} answer over {c:g}")


@pytest.mark.flow
def test_flow_to_no_noise_at_all(student):
    """A flat direction ends at the mean, the others keep their quantiles."""
    data = random_set(60, 3, 5)
    mean, covariance = data.mean(axis=0), np.cov(data.T, bias=True)
    x = student.flow(np.random.default_rng(61).standard_normal((4, 5)), mean, covariance, (0.2, 0.9), (1.0, 0.0))
    span = np.linalg.svd(data - mean, full_matrices=False)[2][:2]  # (2, 5)
    agree((x - mean) @ span.T @ span, x - mean, 1e-5, "what is left in the directions of the data")
