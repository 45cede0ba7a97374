"""Entropy and variance of the posterior over training items and windows."""

import math
from functools import cache

import loops
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_patch_loops import BACKENDS, MACHINES, level

from edudiff.denoisers import ByLabel, Ideal, Linear, Patch, merge
from edudiff.denoisers.base import SoftmaxDenoiser
from edudiff.support.softmax import Softmax

ratios = st.sampled_from([0.1, 0.3, 1.0, 3.0, 30.0])
seeds = st.integers(0, 2**16)


def case(seed, count=4, shape=(6, 5, 2), batch=2):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (count, *shape)), rng.standard_normal((batch, *shape))


@cache
def listed(ratio, size, shifts, padding):
    """Variance and entropy at each pixel of `case(0)`, (B, H, W) each, from a list of all candidates."""
    images, x = case(0)
    alpha, sigma = level(ratio)
    _, rows, columns, _ = images.shape
    variance, entropy = np.empty(x.shape[:3]), np.empty(x.shape[:3])
    for i in range(rows):
        for j in range(columns):
            places = loops.candidates(i, j, rows, columns, size // 2, shifts, padding)
            others = np.array([loops.window(image, p, q, size // 2, padding) for image in images for p, q in places])
            centers = np.array([image[p, q] for image in images for p, q in places])  # (n, C)
            for b in range(len(x)):
                own = loops.window(x[b], i, j, size // 2, padding)
                logits = -((own - alpha * others) ** 2).sum((1, 2, 3)) / (2 * sigma**2)  # (n,)
                p = np.exp(logits - logits.max())
                p /= p.sum()
                mean = p @ centers
                variance[b, i, j] = p @ ((centers - mean) ** 2).sum(-1)
                entropy[b, i, j] = -(p[p > 0] * np.log(p[p > 0])).sum()
    return variance, entropy


@pytest.mark.parametrize(("padding", "shifts"), MACHINES)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("dtype", "near"), [("float64", 1e-6), ("float32", 2e-5)])
@pytest.mark.parametrize("ratio", [0.1, 0.4, 1.5, 20.0])
def test_the_posterior_is_that_of_all_candidates_listed(backend, padding, shifts, dtype, near, ratio):
    images, x = case(0)
    for size in (1, 3, 5):
        variance, entropy = listed(ratio, size, shifts, padding)
        patch = Patch(images.astype(dtype), size, shifts=shifts, padding=padding, backend=backend)
        found = patch.posterior(x.astype(dtype), *level(ratio))
        assert found.entropy.dtype == found.variance.dtype == dtype
        np.testing.assert_allclose(found.entropy, entropy, atol=near, rtol=0)
        np.testing.assert_allclose(found.variance, variance, atol=near, rtol=0)
        np.testing.assert_array_equal(found.mean, patch(x.astype(dtype), *level(ratio)))
        np.testing.assert_allclose(found.effective, np.exp(found.entropy))
        np.testing.assert_array_equal(patch.entropy(x.astype(dtype), *level(ratio)), found.entropy)


@pytest.mark.parametrize("backend", BACKENDS)
def test_in_pure_noise_all_candidates_compete_and_without_noise_one_is_left(backend):
    images, _ = case(1, shape=(6, 6, 1))
    patch = Patch(images, 3, backend=backend)
    drowned = patch.entropy(images[:1], 1e-9, 1.0)
    inside, edge, corner = math.log(4 * 16), math.log(4 * 4), math.log(4)
    expected = np.full((1, 6, 6), edge)
    expected[:, 1:-1, 1:-1] = inside
    expected[:, [0, 0, -1, -1], [0, -1, 0, -1]] = corner
    np.testing.assert_allclose(drowned, expected, atol=1e-7)
    for sigma in (1e-2, 1e-6, 1e-12):
        assert patch.entropy(images[:2], 1.0, sigma).max() < 1e-12
    assert Ideal(images).entropy(images, 1.0, 1e-9) == pytest.approx(np.zeros(4), abs=1e-12)
    assert Ideal(images).entropy(images, 0.0, 1.0) == pytest.approx(np.full(4, math.log(4)))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_two_equal_items_share_one_nat_times_log_two_however_little_the_noise(backend, dtype):
    images, _ = case(2, count=1, shape=(5, 5, 1))
    twins = np.concatenate([images, images]).astype(dtype)
    for sigma in (1e-1, 1e-3, 1e-8):
        local = Patch(twins, 3, shifts=False, backend=backend).posterior(twins[:1], 1.0, sigma)
        np.testing.assert_allclose(local.entropy, math.log(2), atol=1e-6)
        np.testing.assert_allclose(local.variance, 0, atol=1e-6)
        assert Ideal(twins).entropy(twins[:1], 1.0, sigma) == pytest.approx(math.log(2), abs=1e-6)


@given(seed=seeds, ratio=ratios)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_covering_window_has_the_posterior_of_the_ideal_score(backend, seed, ratio):
    images, x = case(seed, count=5)
    whole = Ideal(images).posterior(x, *level(ratio))
    local = Patch(images, 11, shifts=False, backend=backend).posterior(x, *level(ratio))
    np.testing.assert_allclose(local.entropy, np.broadcast_to(whole.entropy[:, None, None], (2, 6, 5)), atol=1e-6)
    np.testing.assert_allclose(local.variance.sum((1, 2)), whole.variance, atol=1e-6)


@given(seed=seeds, ratio=ratios)
@pytest.mark.parametrize("backend", BACKENDS)
def test_merged_shares_have_the_posterior_of_the_whole(backend, seed, ratio):
    images, x = case(seed, count=7)
    for whole, make in ((Ideal(images), Ideal), (Patch(images, 3, backend=backend), lambda a: Patch(a, 3))):
        shares = [
            make(share).partials(x, *level(ratio), moments=True)[0] for share in (images[:1], images[1:5], images[5:])
        ]
        together = merge([shares[2], merge(shares[:2])])
        _, _, den, squares, fall = together
        found = whole.posterior(x, *level(ratio))
        np.testing.assert_allclose(np.log(den) - fall / den, found.entropy, atol=1e-6)
        mean = together[1] / den[..., None]
        np.testing.assert_allclose(squares / den - (mean**2).sum(-1), found.variance, atol=1e-6)
    empty = tuple(np.full_like(a, -np.inf if i == 0 else 0.0) for i, a in enumerate(together))
    for a, b in zip(merge([empty, together]), together, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_sweep_has_the_posteriors_of_its_single_windows(backend):
    images, x = case(3, count=20)
    patch = Patch(images, 3, backend=backend)
    for size, found in patch.posteriors(x, 0.8, 0.6, [1, 3, 5]).items():
        alone = Patch(images, size, backend=backend).posterior(x, 0.8, 0.6)
        np.testing.assert_allclose(found.entropy, alone.entropy, atol=1e-7)
        np.testing.assert_allclose(found.variance, alone.variance, atol=1e-7)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_posterior_of_a_class_is_that_of_its_images_alone(backend):
    images, x = case(4, count=40)
    labels = np.arange(40) % 3
    patch, ideal = Patch(images, 3, labels=labels, backend=backend), Ideal(images, labels=labels)
    for denoise, alone in (
        (patch, Patch(images[labels == 1], 3, backend=backend)),
        (ideal, Ideal(images[labels == 1])),
    ):
        np.testing.assert_allclose(denoise.conditional(1).entropy(x, 0.8, 0.6), alone.entropy(x, 0.8, 0.6), atol=1e-7)
    both = ByLabel(patch.conditional, [0, 2]).posterior(x, 0.8, 0.6)
    np.testing.assert_allclose(both.entropy[1], patch.conditional(2).entropy(x[1:], 0.8, 0.6)[0], atol=1e-7)


def test_the_variance_of_the_posterior_is_the_error_that_the_denoiser_expects():
    """E|x0 - x0_hat|^2 over the law of the data is the mean of the posterior variance (P3's trace)."""
    rng = np.random.default_rng(5)
    points = rng.uniform(-1, 1, (12, 2))
    x0 = points[rng.integers(12, size=20_000)]
    x = 0.8 * x0 + 0.6 * rng.standard_normal(x0.shape)
    found = Ideal(points).posterior(x, 0.8, 0.6)
    error = ((x0 - found.mean) ** 2).sum(1)
    spread = error.std() / math.sqrt(len(x0))
    assert error.mean() == pytest.approx(found.variance.mean(), abs=4 * spread)


@pytest.mark.parametrize("make", [Ideal, lambda images: Patch(images, 3, backend="numpy")], ids=["ideal", "els"])
@pytest.mark.parametrize("level", [(0.8, 0.5), (0.3, 1.2)])
def test_the_divergence_is_the_sum_of_the_slopes(make, level):
    """By central differences, one value of x at a time; it is float64 for float32 too."""
    images, x = case(8, shape=(3, 2, 2))
    denoise, h = make(images), 1e-5
    steps = h * np.eye(12).reshape(12, 3, 2, 2)
    slopes = [(denoise(x + step, *level) - denoise(x - step, *level))[:, step > 0] / (2 * h) for step in steps]
    found = denoise.divergence(x, *level)
    assert found.shape == (2,)
    np.testing.assert_allclose(found, sum(slopes)[:, 0], rtol=1e-6)
    narrow = x.astype("float32")
    np.testing.assert_array_equal(
        denoise.divergence(narrow, *level), denoise.divergence(narrow.astype("float64"), *level)
    )


def test_what_weighs_no_items_has_no_posterior():
    images, x = case(6)
    assert not isinstance(Linear.fit(images), SoftmaxDenoiser)
    with pytest.raises(TypeError, match="Linear weighs no training items"):
        ByLabel(lambda label: Linear.fit(images), [0, 0]).entropy(x, 0.8, 0.6)


def test_entropy_is_exact_where_logits_of_both_precisions_come_together():
    """The top of a float64 chunk is no float32 number: what it loses by rounding is given back."""
    rng = np.random.default_rng(7)
    wide, narrow = -1e5 - 0.1234 - rng.random((1, 5)), (-1e5 - 0.5 - rng.random((1, 40))).astype("float32")
    total = Softmax(np, (1,), 1, 45, moments=True)
    for logits in (wide, narrow):
        total.add(logits, np.zeros((logits.shape[1], 1), logits.dtype))
    logits = np.concatenate([wide, narrow.astype("float64")], axis=1)  # (1, 45)
    p = np.exp(logits - logits.max())
    p /= p.sum()
    _, fall = total.moments
    assert np.log(total.den) - fall / total.den == pytest.approx(-(p * np.log(p)).sum(1), abs=2e-6)
