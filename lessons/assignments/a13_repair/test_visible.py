"""Tests of assignment 13 that the student has."""

import numpy as np
import pytest

from edudiff.course.answers import agree

COVARIANCE = np.array([[1.0, 0.8], [0.8, 1.0]])


@pytest.mark.posterior
def test_two_pictures_and_one_value(student):
    """0 and 1 at the known place, measured 0 with noise 1: 1 to the root of 1/e."""
    images, share = np.array([[0.0, 5.0], [1.0, -5.0]]), 1 / (1 + np.exp(-0.5))
    agree(student.posterior(images, np.array([0]), np.array([0.0]), 1.0), np.array([share, 1 - share]))


@pytest.mark.posterior
def test_noise_is_a_standard_deviation(student):
    """With noise 1/2 the exponents are 4 times as large; what was not measured does not count."""
    images, shares = np.array([[0.0, 5.0], [1.0, -5.0], [2.0, -5.0]]), np.exp([0.0, -2.0, -8.0])
    agree(student.posterior(images, np.array([0]), np.array([0.0]), 0.5), shares / shares.sum())


@pytest.mark.posterior
def test_several_known_values_add_up(student):
    """Two values that are off by 1 each; float32 stays float32."""
    for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-5)):
        images = np.array([[0.0, 7.0, 0.0], [1.0, 8.0, -1.0]], dtype)
        share = 1 / (1 + np.exp(-1.0))
        answer = student.posterior(images, np.array([0, 2]), np.zeros(2, dtype), 1.0)
        agree(answer, np.array([share, 1 - share], dtype), tolerance, f"the {dtype} answer")


@pytest.mark.posterior
def test_far_from_all_the_nearest_is_still_one(student):
    """Every exponent is below -1000, and the first is the largest by 50."""
    images = np.array([[0.0], [-0.5]])
    agree(student.posterior(images, np.array([0]), np.array([50.0]), 0.7), np.array([1.0, 0.0]), 1e-9)


@pytest.mark.replaced
def test_what_is_known_is_put_in_its_place(student):
    """alpha = 1/2, sigma = 1/4: 1/2 * 2 + 1/4 * 4 = 2 at the known place; the other stays."""
    x, y, noise = np.array([[9.0, 9.0]]), np.array([[2.0, 100.0]]), np.array([[4.0, 100.0]])
    agree(student.replaced(x, y, np.array([True, False]), 0.5, 0.25, noise), np.array([[2.0, 9.0]]))


@pytest.mark.replaced
def test_without_noise_it_is_the_known_value(student):
    x, y, noise = np.random.default_rng(0).standard_normal((3, 2, 4))
    keep = np.array([False, True, True, False])
    wanted = np.stack([x[:, 0], y[:, 1], y[:, 2], x[:, 3]], 1)
    agree(student.replaced(x, y, keep, 1.0, 0.0, noise), wanted)


@pytest.mark.replaced
def test_replaced_keeps_float32_and_x(student):
    x, y, noise = 3 * np.random.default_rng(1).standard_normal((3, 2, 4))
    keep = np.array([True, False, True, False])
    for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-6)):
        given = [a.astype(dtype) for a in (x, y, noise)]
        before = given[0].copy()
        wanted = given[0].copy()
        wanted[:, ::2] = 0.8 * given[1][:, ::2] + 0.6 * given[2][:, ::2]
        answer = student.replaced(given[0], given[1], keep, 0.8, 0.6, given[2])
        agree(answer, wanted, tolerance, f"the {dtype} answer")
        agree(given[0], before, what="x after the call")


@pytest.mark.updated
def test_a_pair_of_numbers(student):
    """Correlation 0.8, the first is measured to be 1 without noise: the second is 0.8."""
    answer = student.updated(np.zeros((1, 2)), COVARIANCE, np.array([[1.0, 0.0]]), np.array([[1.0]]), 0.0)
    agree(answer, np.array([[1.0, 0.8]]))


@pytest.mark.updated
def test_noise_of_the_measurement(student):
    """tau^2 = 3: a quarter of the way. The answer of the denoiser counts where y agrees with it."""
    matrix, x0_hat = np.array([[1.0, 0.0]]), np.array([[0.5, -0.5]])
    answer = student.updated(x0_hat, COVARIANCE, matrix, np.array([[1.5]]), np.sqrt(3.0))
    agree(answer, np.array([[0.75, -0.3]]))
    agree(student.updated(x0_hat, COVARIANCE, matrix, np.array([[0.5]]), 0.7), x0_hat)


@pytest.mark.updated
def test_two_measurements_in_both_precisions(student):
    """Everything is measured, without noise: the answer is x0 itself; each item has its own."""
    matrix, x0 = np.array([[1.0, 0.5], [0.0, 2.0]]), np.array([[0.3, -0.7], [1.5, 0.2], [-4.0, 2.5]])
    for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-4)):
        given = np.zeros((3, 2), dtype), COVARIANCE.astype(dtype), matrix.astype(dtype), (x0 @ matrix.T).astype(dtype)
        agree(student.updated(*given, 0.0), x0.astype(dtype), tolerance, f"the {dtype} answer")
