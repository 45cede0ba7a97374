"""Where local scores end: locally consistent points (theorem 4.1 of Kamb & Ganguli 2024; P35, P36)."""

import math

import numpy as np
import pytest

from edudiff import reverse
from edudiff import schedule as schedules
from edudiff.denoisers import Patch


def black_and_white(rows, columns):
    return np.stack([np.ones((rows, columns, 1)), -np.ones((rows, columns, 1))])


def majority(images):
    """The sign that prevails in the 3 x 3 window around each pixel of a torus."""
    return np.sign(sum(np.roll(images, (i, j), (1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1)))


def end(denoise, shape, sigma_min, steps, seed=0):
    """The end of the reverse process from much noise down to `sigma_min`, in equal steps of log(sigma)."""
    schedule = schedules.log_linear(sigma_min, 80.0)
    x = reverse.start(schedule, shape, np.random.default_rng(seed))
    return reverse.sample(denoise, schedule, x, schedule.times(steps))


@pytest.mark.parametrize("shifts", [True, False])
def test_black_and_white_answers_the_tanh_of_the_window_sum_p35(shifts):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 5, 6, 1))
    sums = sum(np.roll(x, (i, j), (1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1))
    denoise = Patch(black_and_white(5, 6), 3, shifts=shifts, padding="circular", backend="numpy")
    for alpha, sigma in ((0.9, 0.4), (0.5, 0.9), (1.0, 5.0)):
        np.testing.assert_allclose(denoise(x, alpha, sigma), np.tanh(alpha * sums / sigma**2), atol=1e-12)


@pytest.mark.parametrize(
    ("length", "count"), [(3, 2), (4, 6), (5, 12), (6, 20), (7, 30), (8, 46), (9, 74), (10, 122), (11, 200)]
)
def test_two_pictures_make_exponentially_many_p35(length, count):
    """Fixed points among the 2^n black and white rings: Lucas(n) + 2 cos(n pi / 3), which grows like 1.618^n."""
    golden = (1 + math.sqrt(5)) / 2
    assert count == round(golden**length + (1 - golden) ** length + 2 * math.cos(length * math.pi / 3))
    bits = np.arange(2**length)[:, None] >> np.arange(length) & 1  # (2^n, n)
    rings = np.repeat((2.0 * bits - 1)[:, None, :, None], 3, axis=1)  # (2^n, 3, n, 1): three equal rows, a window high
    x0_hat = Patch(black_and_white(3, length), 3, shifts=False, padding="circular", backend="numpy")(rings, 1.0, 1e-3)
    assert (x0_hat == rings).all(axis=(1, 2, 3)).sum() == count


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_black_and_white_ends_where_every_pixel_has_its_majority_p36(seed):
    """New pictures, not the two; and at a larger last sigma some pixels are still undecided."""
    denoise = Patch(black_and_white(8, 8), 3, shifts=False, padding="circular", backend="numpy")
    coarse, fine = (end(denoise, (16, 8, 8, 1), sigma_min, 300, seed) for sigma_min in (0.1, 1e-8))
    assert (np.sign(coarse) != majority(np.sign(coarse))).any()
    assert (np.sign(fine) == majority(np.sign(fine))).all()
    np.testing.assert_allclose(fine, np.sign(fine), atol=0.01)
    assert (abs(np.sign(fine).mean(axis=(1, 2, 3))) < 1).sum() >= 8


@pytest.mark.parametrize("padding", ["zero", "circular"])
def test_the_last_picture_is_a_fixed_point_p36(padding):
    """|x - D(x)| goes to 0 with the last sigma."""
    images = np.random.default_rng(0).uniform(-1, 1, (3, 5, 6, 2))
    denoise = Patch(images, 3, shifts=False, padding=padding, backend="numpy")
    residuals = []
    for sigma_min in (0.1, 1e-4, 1e-8):
        x = end(denoise, (6, 5, 6, 2), sigma_min, 150)
        residuals.append(np.abs(x - denoise(x, 1.0, sigma_min)).max())
    assert residuals[0] > 0.1 > residuals[1] > 1e-5 > residuals[2]


def nearest_center(x, images, shifts, padding):
    """For each pixel, the center of the nearest 3 x 3 training window among those that stick out as its own does."""
    rows, columns = x.shape[:2]
    mode = "wrap" if padding == "circular" else "constant"
    own, *others = (np.pad(a, ((1, 1), (1, 1), (0, 0)), mode=mode) for a in (x, *images))
    outside = lambda i, j: () if padding == "circular" else (i == 0, i == rows - 1, j == 0, j == columns - 1)  # noqa: E731
    places = [(i, j) for i in range(rows) for j in range(columns)]
    answer = np.empty_like(x)
    for i, j in places:
        alike = [p for p in places if outside(*p) == outside(i, j)] if shifts else [(i, j)]
        windows = [a[p : p + 3, q : q + 3] for a in others for p, q in alike]
        distances = [((own[i : i + 3, j : j + 3] - w) ** 2).sum() for w in windows]
        answer[i, j] = windows[np.argmin(distances)][1, 1]
    return answer


@pytest.mark.parametrize(("shifts", "padding"), [(True, "zero"), (False, "zero"), (False, "circular")])
def test_every_pixel_is_the_center_of_its_nearest_training_window_p36(shifts, padding):
    """The theorem itself. Some pictures are mosaics, unlike every training picture."""
    images = np.random.default_rng(0).uniform(-1, 1, (3, 5, 6, 2))
    denoise = Patch(images, 3, shifts=shifts, padding=padding, backend="numpy")
    out = end(denoise, (6, 5, 6, 2), 1e-8, 120)
    for x in out:
        np.testing.assert_allclose(x, nearest_center(x, images, shifts, padding), atol=5e-3)
    assert np.abs(out[:, None] - images).max(axis=(2, 3, 4)).min(axis=1).max() > 0.1
