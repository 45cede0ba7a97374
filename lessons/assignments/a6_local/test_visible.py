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


@pytest.mark.box_sums
def test_a_window_that_is_larger_than_the_picture(student):
    """Every window holds all of a 2 x 3 picture; stacks of any depth; float32 stays float32."""
    a = random_images(2, 2, 3).transpose(0, 3, 1, 2)  # (2, 2, 2, 3): two channels of two pictures
    expected = np.broadcast_to(a.sum(axis=(2, 3), keepdims=True), a.shape)
    agree(student.box_sums(a, 7), expected)
    agree(student.box_sums(a.astype("float32"), 7), expected.astype("float32"), 1e-5, "the sums of float32")


@pytest.mark.local
def test_two_pictures_make_a_hyperbolic_tangent(student):
    """Pictures {m, -m}: m(u) tanh(alpha / sigma^2 times the sum of m x over the window of u), not NaN."""
    [m], x = random_images(1), random_images(2, seed=1)
    x[1, 3, 4] = 80.0  # far from both: all logits there are far below those of other pixels
    for alpha, sigma, window in ((0.8, 0.7, 3), (0.5, 2.0, 3), (0.6, 1.5, 5), (0.03, 1.0, 3)):
        product, r = (m * x).sum(axis=-1), window // 2  # (B, H, W)
        padded = np.pad(product, ((0, 0), (r, r), (r, r)))
        sums = sum(padded[:, i : i + 4, j : j + 5] for i in range(window) for j in range(window))
        expected = m * np.tanh(alpha * sums / sigma**2)[..., None]
        agree(student.local(x, np.stack([m, -m]), alpha, sigma, window), expected, what=f"at {sigma = }, {window = }")


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


@pytest.mark.local
def test_far_from_every_picture(student):
    """x is 0.1 off everywhere at sigma = 0.001: all exponents are below -1000, and the nearest picture still wins."""
    images = random_images(4)
    agree(student.local(0.9 * images[1:3] + 0.1, images, 0.9, 0.001, 3), images[1:3])


@pytest.mark.local
def test_pictures_that_are_as_close_as_the_noise(student):
    """Pictures, x and sigma a thousand times smaller: so is the answer. float32 stays float32."""
    images, x = random_images(3), random_images(2, seed=1)
    whole = student.local(x, images, 0.8, 1.5, 3)
    agree(student.local(0.001 * x, 0.001 * images, 0.8, 0.0015, 3) / 0.001, whole, 1e-5, "the small answer times 1000")
    single = student.local(x.astype("float32"), images.astype("float32"), 0.8, 1.5, 3)
    agree(single, whole.astype("float32"), 1e-4, "the answer to float32")


@pytest.mark.local
def test_a_picture_that_is_there_twice_counts_twice(student):
    """Window 1, pictures of one channel, {m, m, -m}: m tanh(alpha m x / sigma^2 + log(2) / 2) at each pixel."""
    [m], x = random_images(1, channels=1), random_images(2, channels=1, seed=1)
    expected = m * np.tanh(0.5 * m * x / 1.1**2 + np.log(2) / 2)
    agree(student.local(x, np.stack([m, m, -m]), 0.5, 1.1, 1), expected)
