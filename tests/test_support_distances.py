"""Squared distances of all pairs, by a matrix product, against their differences."""

import numpy as np
import pytest

from edudiff.support import distances


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("block", [1, 20, 1 << 20])
def test_they_are_the_squares_of_the_differences(any_cupy, monkeypatch, dtype, block):
    monkeypatch.setattr(distances, "BLOCK", block)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((7, 5)).astype(dtype), rng.standard_normal((9, 5)).astype(dtype)
    expected = ((x[:, None].astype("f8") - y) ** 2).sum(-1)
    found = distances.squared_distances(any_cupy.asarray(x), any_cupy.asarray(y))
    assert found.dtype == "f8"
    np.testing.assert_allclose(found.get(), expected, rtol=1e-12)
    index, squares = distances.nearest(any_cupy.asarray(x), any_cupy.asarray(y))
    np.testing.assert_array_equal(index.get(), expected.argmin(1))
    np.testing.assert_allclose(squares.get(), expected.min(1), rtol=1e-14)


def test_nothing_is_lost_far_from_the_origin():
    """Items that differ by 1e-6 around 1: float32, or a product that is not centered, would see noise."""
    y = 1 + 1e-6 * np.random.default_rng(0).standard_normal((20, 50))
    expected = ((y[:, None] - y) ** 2).sum(-1)
    np.testing.assert_allclose(distances.squared_distances(y, y), expected, rtol=1e-9)
    assert (np.diag(distances.squared_distances(y, y)) == 0).all()


def test_no_row_is_its_own_neighbor_if_left_out():
    y = np.random.default_rng(0).standard_normal((6, 3))
    squares = ((y[:, None] - y) ** 2).sum(-1) + np.diag(np.full(6, np.inf))
    index, found = distances.nearest(y, y, leave_out=True)
    np.testing.assert_array_equal(index, squares.argmin(1))
    np.testing.assert_allclose(found, squares.min(1))
