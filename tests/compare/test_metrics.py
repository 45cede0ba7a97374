"""The three measures are three measures (theory: r, r^2 and R^2 of one pair of pictures), and the nearest image is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edudiff.compare import metrics

SEEDS = st.integers(0, 10_000)


def batch(seed, shape=(4, 5, 6, 2)):
    return np.random.default_rng(seed).standard_normal(shape)


@given(seed=SEEDS, gain=st.floats(0.1, 10), shift=st.floats(-3, 3))
def test_correlation_ignores_brightness_and_contrast_and_R2_does_not(seed, gain, shift):
    a, b = batch(seed), batch(seed + 1)
    np.testing.assert_allclose(metrics.pearson_r(a, gain * b + shift), metrics.pearson_r(a, b), atol=1e-9)
    np.testing.assert_allclose(metrics.pearson_r(a, -b), -metrics.pearson_r(a, b), atol=1e-12)
    np.testing.assert_allclose(metrics.r2_score(a, a + shift), 1 - shift**2 / a.reshape(4, -1).var(axis=1), atol=1e-9)


@given(seed=SEEDS)
def test_measures_equal_numpys(seed):
    a, b = batch(seed), batch(seed + 1) + batch(seed)
    r = [np.corrcoef(p.ravel(), q.ravel())[0, 1] for p, q in zip(a, b, strict=True)]
    np.testing.assert_allclose(metrics.pearson_r(a, b), r, rtol=1e-9)
    np.testing.assert_allclose(metrics.r_squared(a, b), np.square(r), rtol=1e-9)
    r2_score = [1 - np.mean((p - q) ** 2) / np.var(p) for p, q in zip(a, b, strict=True)]
    np.testing.assert_allclose(metrics.r2_score(a, b), r2_score, rtol=1e-9)


@given(seed=SEEDS)
def test_R2_is_2r_minus_1_for_equal_means_and_variances(seed):
    def standard(x):
        flat = x.reshape(len(x), -1)
        flat = flat - flat.mean(axis=1, keepdims=True)
        return flat / flat.std(axis=1, keepdims=True)

    a, b = standard(batch(seed)), standard(batch(seed + 1) + batch(seed))
    np.testing.assert_allclose(metrics.r2_score(a, b), 2 * metrics.pearson_r(a, b) - 1, atol=1e-10)


def test_mean_of_the_truth_has_R2_zero_and_worse_is_negative():
    a = batch(0)
    mean = np.broadcast_to(a.mean(axis=(1, 2, 3), keepdims=True), a.shape)
    np.testing.assert_allclose(metrics.r2_score(a, mean), 0, atol=1e-12)
    assert (metrics.r2_score(a, -a) < 0).all()
    np.testing.assert_allclose(metrics.r2_score(a, a), 1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", (0.0, 0.1, -1.0, 1 / 3))
def test_an_image_of_one_value_has_no_correlation_and_the_others_keep_theirs(value):
    """0.1 and 1/3: the mean of many such values is not quite their value, and what is left correlates."""
    a, b = batch(0), batch(1)
    one = np.concatenate([np.full_like(a[:1], value), a[1:]])
    with np.errstate(all="raise"):
        for measure in (metrics.pearson_r, metrics.r_squared, metrics.r2_score):
            found = measure(one, b)
            assert np.isnan(found[0]), measure
            np.testing.assert_array_equal(found[1:], measure(a, b)[1:])
        assert np.isnan(metrics.pearson_r(b, one)[0])
        assert np.isfinite(metrics.r2_score(b, one)).all()
        assert np.isnan(metrics.cosine_similarity(0 * a, b)).all()


@given(seed=SEEDS, gain=st.floats(0.1, 10))
def test_cosine_is_scale_free_and_sees_the_mean(seed, gain):
    a = batch(seed)
    np.testing.assert_allclose(metrics.cosine_similarity(a, gain * a), 1)
    assert (metrics.cosine_similarity(a, a + 5) < 0.9).all()


@given(seed=SEEDS, chunk=st.integers(1, 9))
def test_nearest_is_brute_force(seed, chunk):
    x, images = batch(seed), batch(seed + 1, (9, 5, 6, 2))
    pairs, own = (np.sqrt(((a[:, None] - images) ** 2).mean(axis=(2, 3, 4))) for a in (x, images))
    np.fill_diagonal(own, np.inf)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edudiff.support.distances.BLOCK", 9 * chunk)
        for found, all_pairs in (
            (metrics.nearest(x, images), pairs),
            (metrics.nearest(images, images, leave_out=True), own),
        ):
            np.testing.assert_array_equal(found[0], all_pairs.argmin(axis=1))
            np.testing.assert_allclose(found[1], all_pairs.min(axis=1), rtol=1e-12)
    index, distance = metrics.nearest(images[[4, 2]], images)
    np.testing.assert_array_equal(index, [4, 2])
    np.testing.assert_array_equal(distance, 0)
    with pytest.raises(ValueError, match=r"an item of x has shape \(5, 6, 2\) and one of the images \(6, 5, 2\)"):
        metrics.nearest(images, images.swapaxes(1, 2))


@pytest.mark.parametrize("measure", ("pearson_r", "r_squared", "r2_score", "cosine_similarity"))
def test_other_shapes_are_refused(measure):
    with pytest.raises(ValueError, match="expected the same shape"):
        getattr(metrics, measure)(batch(0), batch(0)[:1])


def test_measures_on_the_device(any_cupy):
    a, b = batch(0), batch(1)
    for measure in ("pearson_r", "r_squared", "r2_score", "cosine_similarity"):
        device = getattr(metrics, measure)(any_cupy.asarray(a), any_cupy.asarray(b))
        np.testing.assert_allclose(device.get(), getattr(metrics, measure)(a, b))
    index, distance = metrics.nearest(any_cupy.asarray(a), any_cupy.asarray(b))
    assert (index.get() == metrics.nearest(a, b)[0]).all()
    np.testing.assert_allclose(distance.get(), metrics.nearest(a, b)[1])
