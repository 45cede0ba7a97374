"""The nearest training items alone: all of them are the ideal denoiser, one of them is the nearest, and a bound."""

import numpy as np
import pytest

from edudiff.data import with_mirrored
from edudiff.denoisers import Ideal, Neighbors

RNG = np.random.default_rng(0)
IMAGES, X = RNG.uniform(-1, 1, (30, 3, 4, 1)), RNG.standard_normal((5, 3, 4, 1))
LEVELS = [(0.99, 0.1), (0.8, 0.6), (0.1, 3.0)]


@pytest.mark.parametrize(("alpha", "sigma"), LEVELS)
def test_all_neighbors_are_ideal_and_one_is_the_nearest(alpha, sigma):
    np.testing.assert_allclose(Neighbors(IMAGES, 30)(X, alpha, sigma), Ideal(IMAGES)(X, alpha, sigma), atol=1e-7)
    nearest = ((X[:, None] - alpha * IMAGES) ** 2).sum((2, 3, 4)).argmin(1)
    np.testing.assert_array_equal(Neighbors(IMAGES, 1)(X, alpha, sigma), IMAGES[nearest])


@pytest.mark.parametrize(("alpha", "sigma"), LEVELS)
def test_what_is_left_out_weighs_no_more_than_the_bound(alpha, sigma):
    """|answer - ideal| <= diameter * share of what is left out, and the share is at most that of the bound."""
    squares = np.sort(((X[:, None] - alpha * IMAGES) ** 2).sum((2, 3, 4)), axis=1)
    diameter = np.sqrt(((IMAGES[:, None] - IMAGES) ** 2).sum((2, 3, 4))).max()
    for count in (3, 10, 29):
        share = np.minimum(1, (30 - count) * np.exp(-(squares[:, count] - squares[:, 0]) / (2 * sigma**2)))
        off = np.sqrt(
            ((Neighbors(IMAGES, count)(X, alpha, sigma) - Ideal(IMAGES)(X, alpha, sigma)) ** 2).sum((1, 2, 3))
        )
        assert (off <= diameter * share + 1e-7).all()


def test_neighbors_keep_dtype_and_device(standin_cupy):
    denoise = Neighbors(IMAGES.astype("f4"), 4)
    assert denoise(X.astype("f4"), 0.7, 0.7).dtype == np.float32
    assert repr(denoise) == "Neighbors(images=(30, 3, 4, 1), count=4)"
    device = Neighbors(standin_cupy.asarray(IMAGES), 4)(standin_cupy.asarray(X), 0.7, 0.7)
    np.testing.assert_allclose(device.get(), Neighbors(IMAGES, 4)(X, 0.7, 0.7), atol=1e-12)


@pytest.mark.parametrize(("count", "says"), [(0, "count is 0"), (31, "count is 31, expected an integer <= 30")])
def test_as_many_neighbors_as_there_are(count, says):
    with pytest.raises(ValueError, match=says):
        Neighbors(IMAGES, count)


def test_a_mirrored_training_set_makes_a_mirrored_denoiser():
    """Mirror x, and the answer is mirrored; without the mirror images it is not."""
    both = with_mirrored(IMAGES)
    assert both.shape == (60, 3, 4, 1)
    np.testing.assert_array_equal(both[30:, :, 0], IMAGES[:, :, 3])
    denoise = Ideal(both)
    np.testing.assert_allclose(denoise(X[:, :, ::-1], 0.7, 0.7), denoise(X, 0.7, 0.7)[:, :, ::-1], atol=1e-7)
    plain = Ideal(IMAGES)
    assert np.abs(plain(X[:, :, ::-1], 0.7, 0.7) - plain(X, 0.7, 0.7)[:, :, ::-1]).max() > 0.01
    with pytest.raises(ValueError, match="points have no left and right"):
        with_mirrored(IMAGES.reshape(30, -1))
