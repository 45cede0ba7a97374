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


@pytest.mark.sample
def test_sample_equals_the_package(student):
    """edudiff.reverse.sample with the ideal denoiser of a training set."""
    rng = np.random.default_rng(32)
    denoise = ed.denoisers.Ideal(rng.standard_normal((5, 6)))
    for schedule, steps in ((ed.schedule.cosine(), 1), (ed.schedule.cosine(), 7), (ed.schedule.log_linear(), 10)):
        x = rng.standard_normal((3, 6))
        pairs = [level[:2] for level in levels(schedule, steps)]
        expected = ed.reverse.sample(denoise, schedule, x, schedule.times(steps))
        agree(student.sample(denoise, x, pairs), expected, 1e-8, f"x after {steps} steps")


@pytest.mark.heun
def test_heun_equals_the_package(student):
    """edudiff.reverse.heun with the ideal denoiser, at every step of a grid, the last one too."""
    rng = np.random.default_rng(33)
    denoise = ed.denoisers.Ideal(rng.standard_normal((5, 4)))
    for schedule in (ed.schedule.cosine(), ed.schedule.log_linear()):
        grid, x = levels(schedule, 8), rng.standard_normal((3, 4))
        for now, then in pairwise(grid[1:]):
            expected = ed.reverse.heun(x, denoise(x, now.alpha, now.sigma), now, then, denoise)
            agree(student.heun(denoise, x, now[:2], then[:2]), expected, 1e-8)
