"""Tests of assignment 6 that the student has."""

import numpy as np
import pytest

from edudiff.course.answers import agree


def random_images(count, rows=4, columns=5, channels=2, seed=0):
    """Random pictures, (count, rows, columns, channels)."""
    return np.random.default_rng(seed).standard_normal((count, rows, columns, channels))


@pytest.mark.box_sums
def test_ones_count_the_pixels_in_the_window(student):
    """A picture of ones: 9 in the middle, 6 at an edge, 4 in a corner."""
    expected = np.array([[4.0, 6.0, 6.0, 4.0], [6.0, 9.0, 9.0, 6.0], [4.0, 6.0, 6.0, 4.0]])
    agree(student.box_sums(np.ones((3, 4)), 3), expected)


@pytest.mark.box_sums
def test_one_pixel_spreads_over_its_window(student):
    """A single 1 in a stack of pictures is seen by the 5 x 5 pixels around it, and by no other."""
    a = np.zeros((2, 7, 9))
    a[1, 1, 4] = 1.0
    expected = np.zeros((2, 7, 9))
    expected[1, :4, 2:7] = 1.0
    agree(student.box_sums(a, 5), expected)


@pytest.mark.box_sums
def test_a_window_of_one_pixel_changes_nothing(student):
    """window = 1."""
    a = random_images(2)[..., 0]
    agree(student.box_sums(a, 1), a)


@pytest.mark.local
def test_two_pictures_make_a_hyperbolic_tangent(student):
    """Pictures {m, -m}: m(u) tanh(alpha / sigma^2 times the sum of m x over the window of u), not NaN."""
    [m], x = random_images(1), random_images(2, seed=1)
    x[1, 3, 4] = 80.0  # far from both: all logits there are far below those of other pixels
    for alpha, sigma in ((0.8, 0.7), (0.5, 2.0)):
        product = (m * x).sum(axis=-1)  # (B, H, W)
        padded = np.pad(product, ((0, 0), (1, 1), (1, 1)))
        sums = sum(padded[:, i : i + 4, j : j + 5] for i in range(3) for j in range(3))
        expected = m * np.tanh(alpha * sums / sigma**2)[..., None]
        agree(student.local(x, np.stack([m, -m]), alpha, sigma, 3), expected, what=f"at {alpha = }, {sigma = }")


@pytest.mark.local
def test_nothing_outside_the_window_matters(student):
    """A change at the top right leaves the bottom left as it was, for each of two pictures."""
    images, x = random_images(5), random_images(2, seed=1)
    moved = x.copy()
    moved[:, 0, 4] += 3.0
    before, after = (student.local(y, images, 0.7, 0.8, 3) for y in (x, moved))
    agree(after[:, 2:, :], before[:, 2:, :], 1e-9, "the part that is far away")


@pytest.mark.local
def test_little_noise_finds_the_picture(student):
    """With sigma = 0.001 the training picture that made x comes back, and not NaN."""
    images = random_images(4)
    agree(student.local(0.9 * images[:2] + 0.001, images, 0.9, 0.001, 3), images[:2])
