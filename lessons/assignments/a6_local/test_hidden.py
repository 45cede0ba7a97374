"""Tests of assignment 6 that the grader has."""

import numpy as np
import pytest

import edudiff as ed
from edudiff.course.answers import agree


@pytest.mark.box_sums
def test_sums_in_plain_loops(student):
    """Against loops over the pixels, for windows smaller and larger than the picture."""
    rng = np.random.default_rng(61)
    for shape, window in (((4, 6), 3), ((2, 5, 5), 5), ((3, 2, 3, 4), 3), ((4, 3), 7), ((1, 1), 3)):
        a, r = rng.standard_normal(shape), window // 2
        expected = np.empty(shape)
        for i in range(shape[-2]):
            for j in range(shape[-1]):
                expected[..., i, j] = a[..., max(0, i - r) : i + r + 1, max(0, j - r) : j + r + 1].sum(axis=(-2, -1))
        agree(student.box_sums(a, window), expected, what=f"shape {shape}, window {window}")
        single = student.box_sums(a.astype("float32"), window)
        agree(single, expected.astype("float32"), 1e-5, f"float32, shape {shape}, window {window}")


@pytest.mark.local
def test_local_equals_the_package(student):
    """edudiff.denoisers.Patch, over shapes, windows and levels."""
    rng = np.random.default_rng(62)
    for shape, window in (((4, 4, 1), 3), ((4, 5, 3), 5), ((3, 6, 2), 1)):
        images, x = rng.uniform(-1, 1, (3, *shape)), rng.standard_normal((2, *shape))
        for alpha, sigma in ((0.9, 0.3), (0.4, 1.0), (0.03, 1.0)):
            expected = ed.denoisers.Patch(images, window, shifts=False, backend="numpy")(x, alpha, sigma)
            agree(student.local(x, images, alpha, sigma, window), expected, what=f"shape {shape}, window {window}")


@pytest.mark.local
def test_a_covering_window_is_the_ideal_score(student):
    """A window that covers the picture from every pixel sees everything."""
    rng = np.random.default_rng(63)
    images, x = rng.uniform(-1, 1, (6, 4, 4, 2)), rng.standard_normal((3, 4, 4, 2))
    agree(student.local(x, images, 0.6, 0.9, 7), ed.denoisers.Ideal(images)(x, 0.6, 0.9))


@pytest.mark.local
def test_tiny_noise(student):
    """sigma = 1e-6: the answer is finite, and each pixel that of a training picture."""
    rng = np.random.default_rng(64)
    images, x = rng.uniform(-1, 1, (6, 4, 4, 1)), rng.standard_normal((2, 4, 4, 1))
    expected = ed.denoisers.Patch(images, window=3, shifts=False, backend="numpy")(x, 1.0, 1e-6)
    agree(student.local(x, images, 1.0, 1e-6, 3), expected)


@pytest.mark.local
def test_local_at_any_scale_and_precision(student):
    """Pictures, x and sigma c times as large: the answer is c times as large. float32 stays float32. Twins count."""
    rng = np.random.default_rng(65)
    images, x = rng.uniform(-1, 1, (4, 3, 5, 2)), rng.uniform(-1, 1, (2, 3, 5, 2))
    images[3] = images[1]
    expected = ed.denoisers.Patch(images, window=3, shifts=False, backend="numpy")(x, 0.7, 0.8)
    for c in (3.0, 1.0, 0.003, 2e-4):
        agree(student.local(c * x, c * images, 0.7, c * 0.8, 3) / c, expected, 1e-4, f"the answer over {c:g}")
    single = student.local(x.astype("float32"), images.astype("float32"), 0.7, 0.8, 3)
    agree(single, expected.astype("float32"), 1e-4, "the answer to float32")
