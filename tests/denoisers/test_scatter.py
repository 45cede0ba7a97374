"""The sums of a linear denoiser merge, and what they make is the denoiser of the whole set."""

import numpy as np
import pytest

from edudiff.denoisers import Linear, Scatter

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", ((50, 4), (9, 3, 4, 2), (1, 3)))
def test_scatter_is_the_covariance_times_the_number(shape):
    images = RNG.uniform(-1, 1, shape)
    found, flat = Scatter.of(images), images.reshape(len(images), -1)
    np.testing.assert_allclose(found.mean, images.mean(0), atol=1e-14)
    if len(images) > 1:
        np.testing.assert_allclose(found.scatter, np.cov(flat.T, bias=True) * len(images), atol=1e-12)
    x = RNG.standard_normal((2, *shape[1:]))
    for alpha, sigma in ((0.6, 0.8), (1.0, 0.01), (0.0, 1.0)):
        np.testing.assert_allclose(found.linear()(x, alpha, sigma), Linear.fit(images)(x, alpha, sigma), atol=1e-9)
        ridged = Linear.fit(images, ridge=0.3)
        np.testing.assert_allclose(found.linear(0.3)(x, alpha, sigma), ridged(x, alpha, sigma), atol=1e-9)


def test_parts_of_any_size_merge_to_the_whole_in_any_order():
    images = 100 + RNG.uniform(-1, 1, (60, 5))  # far from zero, where a difference of sums of squares loses digits
    whole = Scatter.of(images)
    for cuts in ([1], [20, 21, 59], [30]):
        parts = [Scatter.of(part) for part in np.split(images, cuts)]
        for some in (parts, parts[::-1], [Scatter.merged(parts[:1]), Scatter.merged(parts[1:])]):
            merged = Scatter.merged(some)
            assert merged.count == 60
            np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-14)
            np.testing.assert_allclose(merged.scatter, whole.scatter, atol=1e-10)


def test_more_items_than_a_chunk_are_all_counted(monkeypatch):
    images = RNG.uniform(-1, 1, (25, 3)).astype(np.float32)
    whole = Scatter.of(images)
    monkeypatch.setattr("edudiff.denoisers.scatter.CHUNK", 4)
    np.testing.assert_allclose(Scatter.of(images).scatter, whole.scatter, atol=1e-12)
    assert Scatter.of(images).scatter.dtype == np.float64
    np.testing.assert_allclose(Scatter.of(images).mean, images.astype(np.float64).mean(0), rtol=1e-14)


def test_items_of_different_shapes_do_not_merge():
    with pytest.raises(ValueError, match=r"items have shapes \[\(3,\), \(4,\)\]"):
        Scatter.merged([Scatter.of(RNG.uniform(-1, 1, (2, d))) for d in (3, 4)])
    with pytest.raises(ValueError, match="expected at least one"):
        Scatter.merged([])
    with pytest.raises(TypeError, match="uint8"):
        Scatter.of(np.zeros((2, 3), np.uint8))


def test_scatter_lives_where_its_images_do(any_cupy):
    images = RNG.uniform(-1, 1, (6, 3, 3, 1))
    there = Scatter.merged([Scatter.of(any_cupy.asarray(part)) for part in np.split(images, [2])])
    assert isinstance(there.scatter, any_cupy.ndarray)
    x = RNG.standard_normal((2, 3, 3, 1))
    wanted = Linear.fit(images)(x, 0.8, 0.6)
    np.testing.assert_allclose(any_cupy.asnumpy(there.linear()(any_cupy.asarray(x), 0.8, 0.6)), wanted, atol=1e-9)
