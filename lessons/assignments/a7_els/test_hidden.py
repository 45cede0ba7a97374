"""Tests of assignment 7 that the grader has."""

import numpy as np
import pytest

import edudiff as ed
from edudiff.course.answers import agree

CASES = (
    ((4, 4, 1), 3, 0.9, 0.4),
    ((5, 6, 2), 3, 0.5, 1.2),
    ((5, 5, 1), 5, 0.8, 0.9),
    ((3, 4, 3), 1, 0.7, 0.7),
    ((4, 5, 1), 3, 1.0, 1e-3),
    ((4, 4, 2), 3, 0.05, 1.0),
)


def pair(shape, seed):
    """Training pictures within [-1, 1] and noisy pictures."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (3, *shape)), rng.standard_normal((2, *shape))


@pytest.mark.els_circular
def test_els_circular_equals_the_package(student):
    """edudiff.denoisers.Patch, over shapes, windows and levels."""
    for shape, window, alpha, sigma in CASES:
        images, x = pair(shape, 71)
        expected = ed.denoisers.Patch(images, window, padding="circular", backend="numpy")(x, alpha, sigma)
        agree(student.els_circular(x, images, alpha, sigma, window), expected, what=f"shape {shape}, window {window}")


@pytest.mark.els_circular
def test_a_covering_window_is_the_ideal_score_of_all_shifts(student):
    """On 3 x 3 pictures, window 3 sees everything: the ideal score of the training set moved everywhere."""
    images, x = pair((3, 3, 1), 72)
    moved = np.concatenate([np.roll(images, (i, j), axis=(1, 2)) for i in range(3) for j in range(3)])
    agree(student.els_circular(x, images, 0.7, 0.8, 3), ed.denoisers.Ideal(moved)(x, 0.7, 0.8))


def any_scale_and_precision(function, padding):
    """Pictures, x and sigma c times as large: the answer is c times as large. float32 stays float32."""
    images, x = pair((4, 5, 2), 75)
    images[2] = images[1]
    expected = ed.denoisers.Patch(images, 3, padding=padding, backend="numpy")(x, 0.7, 0.8)
    for c in (3.0, 0.003, 2e-4):
        agree(function(c * x, c * images, 0.7, c * 0.8, 3) / c, expected, 1e-4, f"the answer over {c:g}")
    single = function(x.astype("float32"), images.astype("float32"), 0.7, 0.8, 3)
    agree(single, expected.astype("float32"), 1e-4, "the answer to float32")


@pytest.mark.els_circular
def test_els_circular_at_any_scale_and_precision(student):
    """Everything three times larger, up to five thousand times smaller, and float32."""
    any_scale_and_precision(student.els_circular, "circular")


@pytest.mark.alike
def test_alike_against_the_package(student):
    """How far a window sticks out at both ends, for all pairs of places on many axes."""
    for length in (1, 2, 5, 8):
        for radius in range(5):
            sides = [(max(0, radius - u), max(0, u + radius - length + 1)) for u in range(length)]
            for u in range(length):
                for v in range(length):
                    found = bool(student.alike(u, v, length, radius))
                    agree(found, sides[u] == sides[v], what=f"alike({u}, {v}, {length}, {radius})")


@pytest.mark.els_zero
def test_els_zero_equals_the_package(student):
    """edudiff.denoisers.Patch, over shapes, windows and levels."""
    for shape, window, alpha, sigma in CASES:
        images, x = pair(shape, 73)
        expected = ed.denoisers.Patch(images, window, padding="zero", backend="numpy")(x, alpha, sigma)
        agree(student.els_zero(x, images, alpha, sigma, window), expected, what=f"shape {shape}, window {window}")


@pytest.mark.els_zero
def test_wide_windows_know_everything(student):
    """With a window that covers the picture from every pixel, every place is like itself alone: the ideal score."""
    images, x = pair((3, 3, 2), 74)
    agree(student.els_zero(x, images, 0.7, 0.8, 5), ed.denoisers.Ideal(images)(x, 0.7, 0.8))


@pytest.mark.els_zero
def test_els_zero_at_any_scale_and_precision(student):
    """Everything three times larger, up to five thousand times smaller, and float32."""
    any_scale_and_precision(student.els_zero, "zero")
