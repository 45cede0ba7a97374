"""Tests of assignment 7 that the student has."""

import numpy as np
import pytest

from edudiff.course.answers import agree


def random_images(count, rows=4, columns=5, channels=1, seed=0):
    """Random pictures, (count, rows, columns, channels)."""
    return np.random.default_rng(seed).standard_normal((count, rows, columns, channels))


@pytest.mark.els_circular
def test_black_and_white(student):
    """Pictures all -1 and all 1: tanh(alpha times the sum of the wrapping window / sigma^2)."""
    x = random_images(2)
    sums = sum(np.roll(x, (i, j), axis=(1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1))
    images = np.stack([np.ones((4, 5, 1)), -np.ones((4, 5, 1))])
    agree(student.els_circular(x, images, 0.6, 1.5, 3), np.tanh(0.6 * sums / 1.5**2))


@pytest.mark.els_circular
def test_moving_the_picture_moves_the_answer(student):
    """x rolled by (1, 2): the answer rolls along. The training pictures rolled: nothing changes."""
    images, x = random_images(3), random_images(2, seed=1)
    answer = student.els_circular(x, images, 0.8, 0.7, 3)
    rolled = np.roll(x, (1, 2), axis=(1, 2))
    agree(student.els_circular(rolled, images, 0.8, 0.7, 3), np.roll(answer, (1, 2), axis=(1, 2)), what="x rolled")
    other = np.roll(images, (2, 1), axis=(1, 2))
    agree(student.els_circular(x, other, 0.8, 0.7, 3), answer, what="training pictures rolled")


@pytest.mark.els_circular
def test_one_pixel_windows_are_a_histogram(student):
    """window = 1: the softmax over all training pixels, wherever they are."""
    images, x, alpha, sigma = random_images(2), random_images(1, seed=1), 0.7, 0.9
    weights = np.exp(-((x - alpha * images.ravel()) ** 2) / (2 * sigma**2))
    expected = (weights @ images.ravel() / weights.sum(axis=-1))[..., None]
    agree(student.els_circular(x, images, alpha, sigma, 1), expected)


@pytest.mark.els_circular
def test_little_noise_finds_the_picture(student):
    """With sigma = 0.001 a rolled training picture comes back, and not NaN."""
    images = random_images(3)
    x = np.roll(images[:1], (1, 3), axis=(1, 2))
    agree(student.els_circular(0.9 * x + 0.0005, images, 0.9, 0.001, 3), x, 1e-6)


@pytest.mark.alike
def test_a_row_of_seven_pixels(student):
    """radius 2: places 2, 3, 4 are inside and alike, all others are like themselves alone."""
    classes = [0, 1, 2, 2, 2, 3, 4]
    found = np.array([[float(student.alike(u, v, 7, 2)) for v in range(7)] for u in range(7)])
    agree(found, np.equal.outer(classes, classes).astype(float), what="the table of alike(u, v, 7, 2)")


@pytest.mark.alike
def test_a_window_wider_than_the_row(student):
    """Four pixels, radius 2: every window sticks out in its own way. Radius 0: none does."""
    for u in range(4):
        for v in range(4):
            agree(bool(student.alike(u, v, 4, 2)), u == v, what=f"alike({u}, {v}, 4, 2)")
            agree(bool(student.alike(u, v, 4, 0)), True, what=f"alike({u}, {v}, 4, 0)")


@pytest.mark.els_zero
def test_corners_know_their_place(student):
    """A corner's window is compared with the same corner of the training pictures alone."""
    images, x, alpha, sigma = random_images(3), random_images(2, seed=1), 0.8, 0.7
    answer = student.els_zero(x, images, alpha, sigma, 3)
    squares = ((x[:, None, :2, :2] - alpha * images[:, :2, :2]) ** 2).sum(axis=(2, 3, 4))
    weights = np.exp(-squares / (2 * sigma**2))
    expected = (weights @ images[:, 0, 0]) / weights.sum(axis=1, keepdims=True)
    agree(answer[:, 0, 0], expected, what="the top left corner")


@pytest.mark.els_zero
def test_edges_know_their_edge(student):
    """The top edge's windows are compared with those of the top edge, whatever lies below."""
    images, x = random_images(3), random_images(2, seed=1)
    other = images.copy()
    other[:, 2:] = 5.0
    before, after = (student.els_zero(x, i, 0.8, 0.7, 3) for i in (images, other))
    agree(after[:, 0], before[:, 0], what="the top row")


@pytest.mark.els_zero
def test_places_along_an_edge_are_alike(student):
    """3 x 4 pictures: the two inner places of the top row are compared with both."""
    images, x, alpha, sigma = random_images(3, 3, 4), random_images(1, 3, 4, seed=1), 0.8, 1.5
    patches = np.concatenate([images[:, :2, :3], images[:, :2, 1:]]).reshape(6, -1)
    centers = np.concatenate([images[:, 0, 1], images[:, 0, 2]])
    weights = np.exp(-((x[0, :2, :3].ravel() - alpha * patches) ** 2).sum(axis=1) / (2 * sigma**2))
    agree(student.els_zero(x, images, alpha, sigma, 3)[0, 0, 1], weights @ centers / weights.sum(), what="pixel (0, 1)")


@pytest.mark.els_zero
def test_inside_is_compared_with_inside(student):
    """3 x 4 pictures have two inner pixels: the softmax over the inner windows of all training pictures."""
    images, x, alpha, sigma = random_images(3, 3, 4), random_images(1, 3, 4, seed=1), 0.8, 1.5
    patches = np.concatenate([images[:, :, :3], images[:, :, 1:]]).reshape(6, -1)
    centers = np.concatenate([images[:, 1, 1], images[:, 1, 2]])
    weights = np.exp(-((x[0, :, :3].ravel() - alpha * patches) ** 2).sum(axis=1) / (2 * sigma**2))
    agree(student.els_zero(x, images, alpha, sigma, 3)[0, 1, 1], weights @ centers / weights.sum(), what="pixel (1, 1)")
