"""Tests of assignment 3 that the student has."""

from itertools import pairwise

import numpy as np
import pytest

from edudiff.course.answers import agree

NOW, THEN, END = (0.5, 0.8), (0.7, 0.6), (1.0, 0.0)


def gaussian(x, alpha, sigma):
    """The denoiser of standard normal data."""
    return (alpha * x / (alpha**2 + sigma**2)).astype(x.dtype)


def batch():
    """A picture, noise, and their mixture at the level NOW."""
    x0, noise = np.random.default_rng(0).standard_normal((2, 3, 4))
    return x0, noise, NOW[0] * x0 + NOW[1] * noise


@pytest.mark.ddim
def test_the_true_picture_keeps_its_noise(student):
    """If the denoiser is right, the next x is the same picture with the same noise, less of it."""
    x0, noise, x = batch()
    agree(student.ddim(x, x0, NOW, THEN), 0.7 * x0 + 0.6 * noise)


@pytest.mark.ddim
def test_no_noise_at_the_end_leaves_the_answer(student):
    """At alpha = 1, sigma = 0 the step returns x0_hat."""
    x0, _, x = batch()
    agree(student.ddim(x, x0, NOW, END), x0)


@pytest.mark.ddim
def test_a_step_to_the_same_level_stays(student):
    """From NOW to NOW nothing moves, whatever the denoiser says."""
    x0, _, x = batch()
    agree(student.ddim(x, x0 - 1, NOW, NOW), x)


@pytest.mark.ddim
def test_small_noise_is_taken_for_what_it_is(student):
    """Half of a noise of 0.002 is a noise of 0.001, and float32 comes back as float32."""
    x0, noise, _ = batch()
    for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-5)):
        x, x0, then = ((x0 + sigma * noise).astype(dtype) for sigma in (0.002, 0.0, 0.001))
        agree(student.ddim(x, x0, (1.0, 0.002), (1.0, 0.001)), then, tolerance, f"the {dtype} answer")


@pytest.mark.sample
def test_each_level_is_asked_once(student):
    """The denoiser is asked at every level but the last, from the first on."""
    asked = []

    def denoise(x, alpha, sigma):
        asked.append((alpha, sigma))
        return gaussian(x, alpha, sigma)

    levels = [(0.1, 0.99), (0.4, 0.9), NOW, THEN, END]
    x = student.sample(denoise, batch()[2], levels)
    agree(asked, levels[:-1], what="the list of levels asked")
    agree(x.shape, (3, 4), what="the shape")


@pytest.mark.sample
def test_known_factor_of_each_step(student):
    """Standard normal data: each DDIM step multiplies x by (a a' + s s') / (a^2 + s^2)."""
    x = batch()[2]
    for levels in ([NOW, THEN, (0.9, 0.3)], [NOW, THEN, (0.9, 0.3), END]):
        factor = 1.0
        for (a, s), (b, r) in pairwise(levels):
            factor *= (a * b + s * r) / (a**2 + s**2)
        agree(student.sample(gaussian, x, levels), factor * x, what=f"x after {len(levels) - 1} steps")


@pytest.mark.sample
def test_a_walk_in_single_precision(student):
    """float32 noise becomes a float32 picture, and the x that came in stays as it was."""
    x = batch()[2].astype("float32")
    agree(student.sample(gaussian, x, [NOW, THEN, END]), (83 / 89 * 70 / 85 * x).astype("float32"), 1e-5)


@pytest.mark.heun
def test_last_step_is_ddim(student):
    """To sigma = 0 the answer is the denoiser's, and not NaN."""
    x = batch()[2]
    agree(student.heun(gaussian, x, NOW, END), gaussian(x, *NOW))


@pytest.mark.heun
def test_one_point_is_exact(student):
    """Data of one point m: the noise stays what it is along the way."""
    m, (_, noise, _) = 0.7, batch()
    x = NOW[0] * m + NOW[1] * noise
    agree(student.heun(lambda x, alpha, sigma: 0 * x + m, x, NOW, THEN), THEN[0] * m + THEN[1] * noise)


@pytest.mark.heun
def test_error_falls_with_the_square_of_the_step(student):
    """Standard normal data on the unit circle: x stays as it is. Half the step, an eighth of the error of one step."""
    x, errors = np.ones((1, 1)), []
    for turn in (0.2, 0.1):
        now, then = (np.cos(0.9), np.sin(0.9)), (np.cos(0.9 - turn), np.sin(0.9 - turn))
        errors.append(abs(float(student.heun(gaussian, x, now, then)[0, 0]) - 1))
    agree(errors[0] / errors[1], 8.0, 0.1, "the error of a step over that of half the step")


@pytest.mark.heun
def test_known_factor_of_a_step(student):
    """Standard normal data: from NOW to THEN, the step multiplies x by 0.995...; float32 comes back as float32."""
    x = 3 * batch()[2]
    agree(student.heun(gaussian, x, NOW, THEN), 0.995135492399207 * x)
    x = x.astype("float32")
    agree(student.heun(gaussian, x, NOW, THEN), 0.995135492399207 * x, 1e-5, "the answer to float32")
    agree(student.heun(gaussian, x, NOW, END), np.float32(50 / 89) * x, 1e-5, "the answer to float32, to the end")


@pytest.mark.heun
def test_steps_at_little_noise(student):
    """One point m, and a thousandth of the noise: what is left of it is its share, not more."""
    m, (_, noise, _) = 0.7, batch()
    then = student.heun(lambda x, alpha, sigma: 0 * x + m, m + 0.002 * noise, (1.0, 0.002), (1.0, 0.001))
    agree((then - m) / 0.001, noise, 1e-6, "the noise that is left, over 0.001,")
