"""Tests of assignment 7 that the student has."""

import numpy as np
import pytest

from edudiff.course.answers import agree


def random_images(count, rows=4, columns=5, channels=1, seed=0):
    """Random pictures, (count, rows, columns, channels)."""
    return np.random.default_rng(seed).standard_normal((count, rows, columns, channels))


@pytest.mark.els_circular
def test_black_and_white(student):
    """Pictures all -1 and all 1: tanh(alpha times the sum of the wrapping window and its channels / sigma^2)."""
    for window, channels in ((3, 1), (3, 2), (5, 2)):
        x, r = random_images(2, 5, 6, channels), window // 2
        places = [(i, j) for i in range(-r, r + 1) for j in range(-r, r + 1)]
        sums = sum(np.roll(x, place, axis=(1, 2)) for place in places).sum(axis=-1, keepdims=True)  # (B, H, W, 1)
        images = np.stack([np.ones(x.shape[1:]), -np.ones(x.shape[1:])])
        expected = np.tanh(0.6 * sums / 2.5**2) * np.ones(channels)
        agree(
            student.els_circular(x, images, 0.6, 2.5, window), expected, what=f"{window = }, {channels = }: the answer"
        )


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


def small_and_single(function):
    """Pictures, x and sigma a thousand times smaller: so is the answer. float32 stays float32."""
    images, x = random_images(3, channels=2), random_images(2, channels=2, seed=1)
    whole = function(x, images, 0.8, 1.5, 3)
    agree(function(0.001 * x, 0.001 * images, 0.8, 0.0015, 3) / 0.001, whole, 1e-5, "the small answer times 1000")
    single = function(x.astype("float32"), images.astype("float32"), 0.8, 1.5, 3)
    agree(single, whole.astype("float32"), 1e-4, "the answer to float32")


def twins_count_twice(function):
    """Window 1, all of {m, m, -m} of one gray: m tanh(alpha m x / sigma^2 + log(2) / 2)."""
    m, x = 0.7 * np.ones((5, 5, 1)), random_images(2, 5, 5, seed=1)
    expected = m * np.tanh(0.5 * m * x / 1.1**2 + np.log(2) / 2)
    agree(function(x, np.stack([m, m, -m]), 0.5, 1.1, 1), expected, what="the answer with twins")


@pytest.mark.els_circular
def test_a_picture_that_is_there_twice_counts_twice(student):
    """Two alike and one other."""
    twins_count_twice(student.els_circular)


@pytest.mark.els_circular
def test_small_pictures_and_single_precision(student):
    """Pictures that are as close as the noise, and float32."""
    small_and_single(student.els_circular)


@pytest.mark.els_circular
def test_little_noise_finds_the_picture(student):
    """With sigma = 0.001 a rolled training picture comes back, and not NaN."""
    images = random_images(3)
    x = np.roll(images[:1], (1, 3), axis=(1, 2))
    agree(student.els_circular(0.9 * x + 0.0005, images, 0.9, 0.001, 3), x, 1e-6)
    agree(student.els_circular(0.9 * x + 0.1, images, 0.9, 0.001, 3), x, 1e-6, "the answer for an x that is far off")


@pytest.mark.alike
def test_a_row_of_seven_pixels(student):
    """radius 2: places 2, 3, 4 are inside and alike, all others are like themselves alone."""
    classes = [0, 1, 2, 2, 2, 3, 4]
    found = np.array([[float(student.alike(u, v, 7, 2)) for v in range(7)] for u in range(7)])
    agree(found, np.equal.outer(classes, classes).astype(float), what="the table of alike(u, v, 7, 2)")


@pytest.mark.alike
def test_a_window_wider_than_the_row(student):
    """Four pixels, radius 2, or five, radius 4: every window sticks out in its own way. Radius 0: none does."""
    for u in range(4):
        for v in range(4):
            agree(bool(student.alike(u, v, 4, 2)), u == v, what=f"alike({u}, {v}, 4, 2)")
            agree(bool(student.alike(u, v, 4, 0)), True, what=f"alike({u}, {v}, 4, 0)")
    agree(bool(student.alike(0, 0, 1, 3)), True, what="alike(0, 0, 1, 3)")
    for u, v in ((0, 1), (1, 2), (0, 4), (1, 3)):
        agree(bool(student.alike(u, v, 5, 4)), False, what=f"alike({u}, {v}, 5, 4)")


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
    """A pixel whose window lies in the picture: the softmax over all such windows of all training pictures."""
    for rows, columns, window in ((3, 4, 3), (4, 3, 3), (5, 6, 5), (6, 5, 5)):
        images, x, alpha, sigma = random_images(3, rows, columns), random_images(1, rows, columns, seed=1), 0.8, 2.0
        r, places = window // 2, [(i, j) for i in range(rows - window + 1) for j in range(columns - window + 1)]
        patches = np.concatenate([images[:, i : i + window, j : j + window].reshape(3, -1) for i, j in places])
        centers = np.concatenate([images[:, i + r, j + r] for i, j in places])
        own = x[0, :window, :window].ravel()
        weights = np.exp(-((own - alpha * patches) ** 2).sum(axis=1) / (2 * sigma**2))
        found = student.els_zero(x, images, alpha, sigma, window)[0, r, r]
        agree(found, weights @ centers / weights.sum(), what=f"pixel ({r}, {r}) of {rows} x {columns}, {window = },")


@pytest.mark.els_zero
def test_a_window_that_sees_all_from_everywhere(student):
    """2 x 3 pictures of two channels {m, -m}, window 5: every place is alone, m tanh(alpha m.x / sigma^2)."""
    [m], x = random_images(1, 2, 3, 2), random_images(2, 2, 3, 2, seed=1)
    for alpha, sigma in ((0.6, 2.5), (0.03, 1.0)):
        expected = np.tanh(alpha * (m * x).sum(axis=(1, 2, 3), keepdims=True) / sigma**2) * m
        agree(student.els_zero(x, np.stack([m, -m]), alpha, sigma, 5), expected, what=f"the answer at {alpha = }")


@pytest.mark.els_zero
def test_little_noise_finds_the_picture_with_a_border(student):
    """With sigma = 0.001 a training picture comes back, also where x is far from all of them, and not NaN."""
    images = random_images(3)
    for off in (0.0005, 0.05):
        agree(
            student.els_zero(0.9 * images[:2] + off, images, 0.9, 0.001, 3), images[:2], 1e-6, f"the answer, {off = }"
        )


@pytest.mark.els_zero
def test_a_picture_that_is_there_twice_counts_twice_with_a_border(student):
    """Two alike and one other."""
    twins_count_twice(student.els_zero)


@pytest.mark.els_zero
def test_small_pictures_and_single_precision_with_a_border(student):
    """Pictures that are as close as the noise, and float32."""
    small_and_single(student.els_zero)
