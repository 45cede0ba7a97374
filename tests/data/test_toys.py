"""Points in the plane: their shapes, their laws, and that they are reproducible."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edudiff.data import toys

ALL = [toys.ring, toys.two_moons, toys.eight_gaussians, toys.spiral, toys.checkerboard]


@pytest.mark.parametrize("toy", ALL)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 300))
def test_toys_are_points_of_unit_scale(toy, seed, count):
    points = toy(count, np.random.default_rng(seed))
    assert points.shape == (count, 2)
    assert points.dtype == np.float64
    assert np.abs(points).max() < 1.3
    np.testing.assert_array_equal(points, toy(count, np.random.default_rng(seed)))


@pytest.mark.parametrize("toy", ALL)
def test_toys_fill_the_square(toy):
    points = toy(4000, np.random.default_rng(0))
    assert 0.8 < np.abs(points).max() < 1.2
    assert np.abs(points.mean(axis=0)).max() < 0.2


def test_ring_without_noise_is_a_circle():
    points = toys.ring(1000, np.random.default_rng(0), noise=0)
    np.testing.assert_allclose(np.hypot(*points.T), 0.8)


def test_ring_noise_is_its_standard_deviation():
    radius = np.hypot(*toys.ring(50_000, np.random.default_rng(0), noise=0.05).T)
    assert abs(radius.std() - 0.05) < 0.001


def test_eight_gaussians_have_eight_equal_clouds():
    points = toys.eight_gaussians(8000, np.random.default_rng(0), noise=0.04)
    corner = np.rint(np.arctan2(points[:, 1], points[:, 0]) / (np.pi / 4)).astype(int) % 8
    counts = np.bincount(corner)
    assert abs(counts - 1000).max() < 150
    middles = np.array([points[corner == k].mean(axis=0) for k in range(8)])
    np.testing.assert_allclose(np.hypot(*middles.T), 0.8, atol=0.01)


def test_moons_do_not_touch():
    points = toys.two_moons(1000, np.random.default_rng(0), noise=0)
    upper, lower = 1.7 * points + [0.5, 0.25], [1, 0.5] - (1.7 * points + [0.5, 0.25])
    on_upper = np.isclose(np.hypot(*upper.T), 1) & (upper[:, 1] >= -1e-9)
    on_lower = np.isclose(np.hypot(*lower.T), 1) & (lower[:, 1] >= -1e-9)
    assert (on_upper ^ on_lower).all()
    assert 400 < on_upper.sum() < 600
    gaps = np.hypot(*(points[on_upper][:, None] - points[~on_upper]).transpose(2, 0, 1))
    assert gaps.min() > 0.15


def test_spiral_turns_twice():
    points = toys.spiral(3000, np.random.default_rng(0), noise=0)
    radius = np.hypot(*points.T)
    angle = np.arctan2(points[:, 1], points[:, 0])
    np.testing.assert_allclose(np.cos(angle - 4 * np.pi * radius / 0.9), 1, atol=1e-9)
    assert abs(np.mean(radius**2) - 0.81 / 2) < 0.02


@given(seed=st.integers(0, 2**32), half=st.integers(1, 5))
def test_checkerboard_is_on_the_dark_fields(seed, half):
    squares = 2 * half
    points = toys.checkerboard(2000, np.random.default_rng(seed), squares=squares)
    field = np.floor((points + 1) / 2 * squares).astype(int)
    assert (field.sum(axis=1) % 2 == 0).all()
    assert len(np.unique(field, axis=0)) == squares**2 // 2
    with pytest.raises(ValueError, match="squares is 3"):
        toys.checkerboard(5, np.random.default_rng(0), squares=3)
    for toy in (toys.ring, toys.two_moons, toys.eight_gaussians, toys.spiral, toys.checkerboard):
        with pytest.raises(ValueError, match="count is 0, expected an integer >= 1"):
            toy(0, np.random.default_rng(0))
        with pytest.raises(TypeError, match="default_rng"):
            toy(5, None)


def test_a_tree_of_classes_parts_at_its_forks():
    """Without noise: classes lie together up to the fork where they part, and are each other's mirror images."""
    points, labels = toys.tree(20_000, np.random.default_rng(0), forks=3, noise=0)
    assert points.shape == (20_000, 2) and np.abs(points).max() < 1.2
    counts = np.bincount(labels, minlength=8)
    assert len(counts) == 8 and abs(counts - 2500).max() < 250

    def apart(a, b):
        """The share of the points of class a that are far from all of class b."""
        gaps = np.abs(points[labels == a][:300, None] - points[labels == b]).max(-1).min(1)
        return (gaps > 0.02).mean()

    assert apart(0, 1) < apart(0, 2) < apart(0, 4) < 0.75
    assert apart(0, 1) > 0.05
    mirrored = np.abs(points[labels == 0][:300, None] * [-1, 1] - points[labels == 7]).max(-1).min(1)
    assert mirrored.max() < 0.02
    again, same = toys.tree(20_000, np.random.default_rng(0), forks=3, noise=0)
    np.testing.assert_array_equal(again, points)
    np.testing.assert_array_equal(same, labels)
