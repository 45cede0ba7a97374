"""Tests of assignment 11 that the student has."""

import numpy as np
import pytest

from edudiff.course.answers import agree

NOW, THEN, END = (0.5, 0.8), (0.7, 0.6), (1.0, 0.0)


def class_denoiser(x, alpha, sigma):
    """The denoiser of normal data with mean 0.5 and variance 0.1."""
    return (0.5 + 0.1 * alpha * (x - alpha * 0.5) / (0.1 * alpha**2 + sigma**2)).astype(x.dtype)


def all_denoiser(x, alpha, sigma):
    """The denoiser of standard normal data."""
    return (alpha * x / (alpha**2 + sigma**2)).astype(x.dtype)


def batch(dtype="float64"):
    return np.random.default_rng(0).standard_normal((3, 4)).astype(dtype)


@pytest.mark.guide
def test_known_numbers(student):
    """Class 2, all 1: weight 1 is 2, weight 0 is 1, weight 3 is 1 + 3 = 4."""
    for weight, wanted in ((1.0, 2.0), (0.0, 1.0), (3.0, 4.0)):
        agree(student.guide(np.array([[2.0]]), np.array([[1.0]]), weight), np.array([[wanted]]), what=f"at {weight:g}")


@pytest.mark.guide
def test_where_both_agree_guidance_does_nothing(student):
    """The same answer twice is the answer, whatever the weight; it may be large."""
    x = 7 * batch()
    for weight in (-1.0, 0.5, 7.5):
        agree(student.guide(x, x.copy(), weight), x, what=f"the answer at weight {weight:g}")


@pytest.mark.guide
def test_guide_keeps_float32(student):
    a, b = batch("float32"), 3 * batch("float32")[::-1]
    agree(student.guide(a, b, 2.5), b + np.float32(2.5) * (a - b), 1e-5)


@pytest.mark.guided_step
def test_without_guidance_it_is_a_step_of_the_class(student):
    x = batch()
    x0_hat = class_denoiser(x, *NOW)
    wanted = 0.7 * x0_hat + 0.6 * (x - 0.5 * x0_hat) / 0.8
    agree(student.guided_step(class_denoiser, all_denoiser, x, NOW, THEN, 1.0, 0.0, 9.0), wanted)


@pytest.mark.guided_step
def test_a_step_to_no_noise_is_the_guided_answer(student):
    """At alpha = 1, sigma = 0: 3 times the class's answer less 2 times that of all."""
    x = batch()
    wanted = 3 * class_denoiser(x, *NOW) - 2 * all_denoiser(x, *NOW)
    agree(student.guided_step(class_denoiser, all_denoiser, x, NOW, END, 3.0, 0.0, 9.0), wanted)


@pytest.mark.guided_step
def test_a_guided_step_in_full(student):
    """In both precisions, at another scale of the noise too."""
    for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-4)):
        x = batch(dtype)
        for now, then in ((NOW, THEN), ((0.9, 0.002), (0.9, 0.001))):
            x0_hat = 3 * class_denoiser(x, *now) - 2 * all_denoiser(x, *now)
            wanted = then[0] * x0_hat + then[1] / now[1] * (x - now[0] * x0_hat)
            answer = student.guided_step(class_denoiser, all_denoiser, x, now, then, 3.0, 0.0, 9.0)
            agree(answer, wanted, tolerance, f"the {dtype} answer from {now}")


@pytest.mark.guided_step
def test_beyond_the_interval_the_class_answers_alone(student):
    """sigma / alpha is 1.6 here: an interval that ends at 1.5 or begins at 1.7 leaves it out, from 1.55 to 1.65 not."""
    x = batch()
    alone, both = class_denoiser(x, *NOW), 3 * class_denoiser(x, *NOW) - 2 * all_denoiser(x, *NOW)
    for low, high, wanted in ((0.0, 1.5, alone), (1.7, 9.0, alone), (1.55, 1.65, both), (1.0, 1.61, both)):
        answer = student.guided_step(class_denoiser, all_denoiser, x, NOW, END, 3.0, low, high)
        agree(answer, wanted, what=f"the answer for ({low}, {high})")


@pytest.mark.guided_step
def test_an_interval_around_the_next_level_is_elsewhere(student):
    """sigma / alpha is 1.6 now and 0.857 then."""
    x = batch()
    alone = class_denoiser(x, *NOW)
    wanted = 0.7 * alone + 0.6 * (x - 0.5 * alone) / 0.8
    agree(student.guided_step(class_denoiser, all_denoiser, x, NOW, THEN, 3.0, 0.82, 0.9), wanted)


@pytest.mark.guided_step
def test_both_ends_belong_to_the_interval(student):
    """At alpha = 0.5, sigma = 1 the noise level is 2, exactly."""
    x, now = batch(), (0.5, 1.0)
    both = 3 * class_denoiser(x, *now) - 2 * all_denoiser(x, *now)
    for low, high in ((2.0, 9.0), (0.0, 2.0)):
        answer = student.guided_step(class_denoiser, all_denoiser, x, now, END, 3.0, low, high)
        agree(answer, both, what=f"the answer for ({low}, {high})")


@pytest.mark.guided_variance
def test_without_guidance_it_is_that_of_the_class(student):
    """From a level of 1000, up to a millionth."""
    v1, v0 = np.array([0.1, 0.5, 2.0]), np.array([1.0, 0.3, 2.0])
    agree(student.guided_variance(v1, v0, 1.0, 1000.0), v1, 1e-5)
    agree(student.guided_variance(v1, v0, 0.0, 1000.0), v0, 1e-5)


@pytest.mark.guided_variance
def test_from_far_away_it_is_a_geometric_mean(student):
    """v1 = 1/4, v0 = 1, weight 2: 1/16. The tilted density has 1/7."""
    v1, v0 = np.array([0.25]), np.array([1.0])
    agree(student.guided_variance(v1, v0, 2.0, 1e4), np.array([1 / 16]), 1e-5)


@pytest.mark.guided_variance
def test_noise_of_a_level_that_is_not_large(student):
    """One axis, v1 = v0 = 1, first = 1: from variance 1 at the level 1, by 1 / 2; in float32 it stays float32."""
    for dtype in ("float64", "float32"):
        one = np.ones(2, dtype)
        agree(student.guided_variance(one, one.copy(), 2.5, 1.0), np.full(2, 0.5, dtype), 1e-5, f"the {dtype} answer")
    agree(student.guided_variance(np.array([3.0]), np.array([1.0]), 2.0, 1.0), np.array([9 / 8]))
