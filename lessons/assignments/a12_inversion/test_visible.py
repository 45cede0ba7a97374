"""Tests of assignment 12 that the student has."""

from itertools import pairwise

import numpy as np
import pytest

from edudiff.course.answers import agree

UP = [(0.9, 0.2), (0.8, 0.5), (0.5, 0.9)]


def point(x, alpha, sigma):
    """The denoiser of a training set of one picture, 0.25 everywhere."""
    return np.full_like(x, 0.25)


def gaussian(x, alpha, sigma):
    """The denoiser of standard normal data."""
    return (alpha * x / (alpha**2 + sigma**2)).astype(x.dtype)


def batch(dtype="float64"):
    return np.random.default_rng(0).standard_normal((3, 4)).astype(dtype)


@pytest.mark.invert
def test_one_picture_is_inverted_exactly(student):
    """The noise in x never changes: (0.9 x0 - 0.9 / 4) / 0.2, whatever the levels between."""
    x0 = batch()
    noise = 0.9 * (x0 - 0.25) / 0.2
    agree(student.invert(point, x0, UP), 0.5 * 0.25 + 0.9 * noise)
    agree(student.invert(point, x0, [UP[0], UP[2]]), 0.5 * 0.25 + 0.9 * noise)


@pytest.mark.invert
def test_no_step_is_the_picture_at_the_first_level(student):
    x0 = batch()
    agree(student.invert(point, x0, UP[:1]), 0.9 * x0)


@pytest.mark.invert
def test_each_level_but_the_last_is_asked_once(student):
    asked = []

    def spy(x, alpha, sigma):
        asked.append((alpha, sigma))
        return gaussian(x, alpha, sigma)

    student.invert(spy, batch(), UP)
    assert asked == UP[:2], f"the denoiser is asked at {asked}, expected {UP[:2]}"


@pytest.mark.invert
def test_a_normal_law_has_a_factor_for_each_step(student):
    """(alpha alpha' + sigma sigma') / (alpha^2 + sigma^2), in both precisions."""
    for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-4)):
        x0, factor = batch(dtype), 0.9
        for (a, s), (b, r) in pairwise(UP):
            factor *= (a * b + s * r) / (a**2 + s**2)
        agree(
            student.invert(gaussian, x0, UP),
            (factor * x0.astype(float)).astype(dtype),
            tolerance,
            f"the {dtype} answer",
        )


@pytest.mark.slerp
def test_a_quarter_of_a_right_angle(student):
    """From (1, 0) to (0, 1): at 1/2 both are the root of 1/2."""
    a, b = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    agree(student.slerp(a, b, 0.5), np.full((1, 2), np.sqrt(0.5)))
    agree(student.slerp(a, b, 1 / 3), np.array([[np.cos(np.pi / 6), np.sin(np.pi / 6)]]))


@pytest.mark.slerp
def test_the_ends_are_the_two(student):
    a, b = batch(), 2 * batch()[:, ::-1]
    agree(student.slerp(a, b, 0.0), a)
    agree(student.slerp(a, b, 1.0), b)


@pytest.mark.slerp
def test_each_item_has_its_own_arc(student):
    """60 and 90 degrees, of lengths 2 and 3: the lengths stay; float32 stays float32."""
    for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-5)):
        a = np.array([[2.0, 0.0], [3.0, 0.0]], dtype)
        b = np.array([[1.0, np.sqrt(3.0)], [0.0, 3.0]], dtype)
        half = np.array([[np.sqrt(3.0), 1.0], [np.sqrt(4.5), np.sqrt(4.5)]], dtype)
        agree(student.slerp(a, b, 0.5), half, tolerance, f"the {dtype} answer")


@pytest.mark.divergence
def test_a_denoiser_that_scales(student):
    """x0_hat = x / 2 in 4 dimensions: the divergence is 2, whatever the signs."""
    signs = np.where(batch() > 0, 1.0, -1.0)
    answer = student.divergence(lambda x, alpha, sigma: x / 2, batch(), 0.7, 0.7, signs, 0.001)
    agree(answer, np.full(3, 2.0), 1e-8)


@pytest.mark.divergence
def test_off_the_diagonal_the_signs_count(student):
    """x0_hat = J x with J = ((1, 2), (3, 4)): 5 + 5 where the signs are alike, 5 - 5 where they differ."""
    matrix, signs = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    x = np.random.default_rng(1).standard_normal((3, 2))
    answer = student.divergence(lambda x, alpha, sigma: x @ matrix.T, x, 0.7, 0.7, signs, 0.01)
    agree(answer, np.array([10.0, 0.0, 10.0]), 1e-8)


@pytest.mark.divergence
def test_a_parabola_has_its_slope_in_the_middle(student):
    """x0_hat = x^2 + alpha x + sigma: the slope is 2 x + alpha, exactly for any step if it is taken on both sides."""
    x, signs = np.array([[0.5, -1.0]]), np.array([[1.0, 1.0]])
    for dtype, tolerance in (("float64", 1e-8), ("float32", 1e-4)):
        given = x.astype(dtype), 0.3, 0.8, signs.astype(dtype), 0.5
        answer = student.divergence(lambda x, alpha, sigma: x**2 + alpha * x + sigma, *given)
        agree(answer, np.array([-0.4], dtype), tolerance, f"the {dtype} answer")
