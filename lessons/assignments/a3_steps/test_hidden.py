"""Tests of assignment 3 that the grader has."""

from itertools import pairwise

import numpy as np
import pytest

import edudiff as ed
from edudiff.course.answers import agree


def levels(schedule, steps):
    """The levels of a schedule as edudiff.reverse has them, with times."""
    return [ed.reverse.Level(*schedule(t), t) for t in schedule.times(steps).tolist()]


@pytest.mark.ddim
def test_ddim_equals_the_package(student):
    """edudiff.reverse.ddim, on two schedules, in both precisions."""
    rng = np.random.default_rng(31)
    for schedule in (ed.schedule.cosine(), ed.schedule.log_linear()):
        grid = levels(schedule, 6)
        for dtype, tolerance in (("float64", 1e-10), ("float32", 1e-4)):
            x, x0_hat = rng.standard_normal((2, 4, 3, 3, 1)).astype(dtype)
            for now, then in ((grid[0], grid[1]), (grid[2], grid[3]), (grid[3], grid[5])):
                expected = ed.reverse.ddim(x, x0_hat, now, then)
                agree(student.ddim(x, x0_hat, now[:2], then[:2]), expected, tolerance)


def scaled(level, c):
    """A level with c times the noise."""
    return level[0], c * level[1]


@pytest.mark.ddim
def test_steps_at_any_scale(student):
    """Pictures and noise c times as large: the answer is c times as large, down to a thousandth."""
    x, x0_hat = np.random.default_rng(34).standard_normal((2, 3, 5))
    for c in (1.0, 1e-3):
        for now, then in (((0.8, 0.6), (0.9, 0.4)), ((0.9, 1.3), (1.0, 0.0)), ((0.3, 0.5), (0.3, 0.5))):
            expected = (then[0] - now[0] * then[1] / now[1]) * x0_hat + then[1] / now[1] * x
            answer = student.ddim(c * x, c * x0_hat, scaled(now, c), scaled(then, c))
            agree(answer / c, expected, 1e-6, f"the answer over {c:g}, from {now} to {then}")


@pytest.mark.sample
def test_sample_equals_the_package(student):
    """edudiff.reverse.sample with the ideal denoiser of a training set."""
    rng = np.random.default_rng(32)
    denoise = ed.denoisers.Ideal(rng.uniform(-1, 1, (5, 6)))
    for schedule, steps in ((ed.schedule.cosine(), 1), (ed.schedule.cosine(), 7), (ed.schedule.log_linear(), 10)):
        x = rng.standard_normal((3, 6))
        pairs = [level[:2] for level in levels(schedule, steps)]
        expected = ed.reverse.sample(denoise, schedule, x, schedule.times(steps))
        agree(student.sample(denoise, x, pairs), expected, 1e-8, f"x after {steps} steps")


@pytest.mark.sample
def test_walks_that_end_in_noise(student):
    """A walk may end before sigma = 0, or have no step at all; float32 stays float32."""
    data = np.random.default_rng(35).uniform(-1, 1, (4, 3))

    def denoise(x, alpha, sigma):
        return (3 * np.tanh(alpha * x / (0.3 + sigma))).astype(x.dtype)

    schedule, x = ed.schedule.log_linear(), data[:2] + 5.0
    for times in (np.linspace(0.9, 0.4, 6), np.linspace(0.7, 0.6, 2)):
        pairs = [schedule(t) for t in times.tolist()]
        for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-4)):
            expected = ed.reverse.sample(denoise, schedule, x, times).astype(dtype)
            agree(student.sample(denoise, x.astype(dtype), pairs), expected, tolerance, f"x, {dtype}")
    agree(student.sample(denoise, x, pairs[:1]), x, what="x after no step")


@pytest.mark.heun
def test_heun_equals_the_package(student):
    """edudiff.reverse.heun with the ideal denoiser, at every step of a grid, the last one too."""
    rng = np.random.default_rng(33)
    denoise = ed.denoisers.Ideal(rng.uniform(-1, 1, (5, 4)))
    for schedule in (ed.schedule.cosine(), ed.schedule.log_linear()):
        grid, x = levels(schedule, 8), rng.standard_normal((3, 4))
        for now, then in pairwise(grid[1:]):
            expected = ed.reverse.heun(x, denoise(x, now.alpha, now.sigma), now, then, denoise)
            agree(student.heun(denoise, x, now[:2], then[:2]), expected, 1e-8)


@pytest.mark.heun
def test_heun_at_any_scale_and_precision(student):
    """Normal data of standard deviation c, noise to match, down to a thousandth; float32 stays float32."""
    x = 4 * np.random.default_rng(36).standard_normal((2, 5))
    now, then = (0.4, 0.9), (0.7, 0.5)
    for c in (1.0, 1e-3):

        def denoise(x, alpha, sigma, c=c):
            return (alpha * c**2 / (alpha**2 * c**2 + sigma**2) * x).astype(x.dtype)

        levels = scaled(now, c), scaled(then, c)
        expected = ed.reverse.heun(
            c * x, denoise(c * x, *levels[0]), *(ed.reverse.Level(*v, 0.0) for v in levels), denoise
        )
        for dtype, tolerance in (("float64", 1e-6), ("float32", 1e-5)):
            answer = student.heun(denoise, (c * x).astype(dtype), *levels)
            agree(answer / c, (expected / c).astype(dtype), tolerance, f"the {dtype} answer over {c:g}")
