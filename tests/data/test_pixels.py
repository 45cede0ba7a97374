"""Bytes and floats, and pictures of another size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edudiff.data import from_uint8, resize, to_uint8
from edudiff.data.pixels import coverage, with_mirrored

sides = st.integers(1, 33)


def test_bytes_survive_the_way_to_floats_and_back():
    values = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    images = from_uint8(values)
    assert images.shape == (1, 16, 16, 1)
    assert images.dtype == np.float32
    assert (images.min(), images.max()) == (-1, 1)
    np.testing.assert_array_equal(to_uint8(images)[..., 0], values)
    assert to_uint8(np.array([-3.0, 3.0, 0.002])).tolist() == [0, 255, 128]


@given(seed=st.integers(0, 2**32), factor=st.integers(1, 4), side=st.integers(1, 9))
def test_a_whole_ratio_is_a_mean_of_squares(seed, factor, side):
    """28 -> 14 is the 2 x 2 mean, to the last bit of float64's rounding."""
    images = np.random.default_rng(seed).uniform(-1, 1, (3, side * factor, side * factor, 2))
    means = images.reshape(3, side, factor, side, factor, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(resize(images, side), means, atol=1e-14)


def test_halving_bytes_is_exact():
    images = from_uint8(np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8))
    means = images.astype(np.float64).reshape(5, 14, 2, 14, 2, 1).mean(axis=(2, 4))
    np.testing.assert_allclose(resize(images, 14), means, atol=1e-7)


@given(seed=st.integers(0, 2**32), old=st.tuples(sides, sides), new=st.tuples(sides, sides))
def test_any_ratio_keeps_the_mean_and_a_constant(seed, old, new):
    images = np.random.default_rng(seed).uniform(-1, 1, (2, *old, 3)).astype(np.float32)
    resized = resize(images, new)
    assert resized.shape == (2, *new, 3)
    assert resized.dtype == np.float32
    np.testing.assert_allclose(resized.mean(axis=(1, 2)), images.mean(axis=(1, 2)), atol=1e-6)
    np.testing.assert_allclose(resize(np.full_like(images, 0.3), new), 0.3, atol=1e-6)
    assert np.abs(resized).max() <= np.abs(images).max() + 1e-6


@given(old=sides, new=sides)
def test_coverage_is_the_overlap_of_pixels(old, new):
    """Against a count of 20 * old * new equal slices of the side, each in one old and one new pixel."""
    slices = (np.arange(20 * old * new) + 0.5) / (20 * old * new)
    counts = np.zeros((new, old))
    np.add.at(counts, ((slices * new).astype(int), (slices * old).astype(int)), 1)
    np.testing.assert_allclose(coverage(old, new), counts / counts.sum(axis=1, keepdims=True), atol=1e-9)


@given(old=sides, factor=st.integers(1, 4))
def test_enlarging_by_a_whole_factor_repeats_pixels(old, factor):
    images = np.random.default_rng(old).uniform(-1, 1, (1, old, old, 1))
    large = images.repeat(factor, axis=1).repeat(factor, axis=2)
    np.testing.assert_allclose(resize(images, old * factor), large, atol=1e-14)


def test_images_that_have_the_size_already_are_not_copied():
    images = np.random.default_rng(0).uniform(-1, 1, (2, 4, 6, 1))
    assert resize(images, (4, 6)) is images
    assert resize(images, (6, 4)).shape == (2, 6, 4, 1)
    assert resize(images, (4, 4)).shape == (2, 4, 4, 1)


def test_mirror_images_come_after_the_images_and_points_have_none():
    images = np.random.default_rng(0).uniform(-1, 1, (3, 4, 6, 2))
    both = with_mirrored(images)
    assert both.shape == (6, 4, 6, 2)
    np.testing.assert_array_equal(both[:3], images)
    for i in range(6):
        np.testing.assert_array_equal(both[3:, :, i], images[:, :, 5 - i])
    with pytest.raises(ValueError, match="points have no left and right"):
        with_mirrored(images[0, 0])
    with pytest.raises(TypeError):
        with_mirrored(np.zeros((3, 4, 6, 2), int))


def test_pixels_refuse():
    with pytest.raises(TypeError, match="dtype float64, expected uint8"):
        from_uint8(np.zeros((1, 2, 2)))
    with pytest.raises(ValueError, match=r"shape \(2, 2\), expected"):
        from_uint8(np.zeros((2, 2), np.uint8))
    with pytest.raises(TypeError, match="dtype uint8, expected floats"):
        to_uint8(np.zeros((1, 2, 2), np.uint8))
    with pytest.raises(ValueError, match="NaN or infinity"):
        to_uint8(np.array([np.nan]))
    with pytest.raises(ValueError, match="size is 0, expected an integer >= 1"):
        resize(np.zeros((1, 4, 4, 1)), 0)
    with pytest.raises(TypeError, match=r"size is 2\.0"):
        resize(np.zeros((1, 4, 4, 1)), 2.0)
    with pytest.raises(ValueError, match=r"expected \(N, H, W, C\)"):
        resize(np.zeros((4, 4)), 2)
