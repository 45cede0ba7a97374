"""Local scores against float64 loops that cut every window out: both code paths, every switch, all noise levels."""

import loops
import numpy as np
import pytest

from edudiff.denoisers import Ideal, Patch
from edudiff.support.backends import has_numba

BACKENDS = ["numpy", pytest.param("numba", marks=pytest.mark.skipif(not has_numba(), reason="needs Numba"))]
RATIOS = (0.02, 0.1, 0.5, 2.0, 80.0)
MACHINES = [("zero", True), ("zero", False), ("circular", True), ("circular", False)]


def level(ratio):
    """Variance preserving: alpha^2 + sigma^2 = 1."""
    alpha = 1 / np.sqrt(1 + ratio**2)
    return float(alpha), float(ratio * alpha)


def noisy(rng, images, batch, alpha, sigma, far):
    """Noisy pictures near the data; or pictures that have nothing to do with them."""
    shape = (batch, *images.shape[1:])
    if far:
        return rng.uniform(-1, 1, shape).astype(images.dtype)
    chosen = images[rng.integers(len(images), size=batch)]
    return (alpha * chosen + sigma * rng.standard_normal(shape)).astype(images.dtype)


@pytest.mark.parametrize("far", [False, True], ids=["near", "far"])
@pytest.mark.parametrize(("padding", "shifts"), MACHINES)
@pytest.mark.parametrize(("channels", "batch", "count"), [(1, 5, 5), (3, 1, 18)])
def test_windows_cut_out_one_by_one_give_the_same(channels, batch, count, padding, shifts, far):
    rng = np.random.default_rng(channels)
    rows, columns = 5, 7
    images = rng.uniform(-1, 1, (count, rows, columns, channels)).astype(np.float32)
    largest = 5 if padding == "circular" else 13
    for size in sorted({1, 3, 5, largest}):
        for ratio in RATIOS:
            alpha, sigma = level(ratio)
            x = noisy(rng, images, batch, alpha, sigma, far)
            expected = loops.patch(x, images, alpha, sigma, size, shifts, padding)
            for backend in ("numpy", "numba") if has_numba() else ("numpy",):
                answer = Patch(images, size, shifts=shifts, padding=padding, backend=backend)(x, alpha, sigma)
                assert answer.dtype == np.float32
                what = f"{backend}, size {size}, ratio {ratio}"
                np.testing.assert_allclose(answer, expected, atol=1e-5, rtol=0, err_msg=what)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("padding", "shifts"), MACHINES)
def test_float64_is_exact_to_its_own_rounding(backend, padding, shifts):
    rng = np.random.default_rng(3)
    images = rng.uniform(-1, 1, (6, 6, 5, 2))
    for ratio in RATIOS:
        alpha, sigma = level(ratio)
        x = noisy(rng, images, 2, alpha, sigma, far=True)
        answer = Patch(images, 3, shifts=shifts, padding=padding, backend=backend)(x, alpha, sigma)
        np.testing.assert_allclose(answer, loops.patch(x, images, alpha, sigma, 3, shifts, padding), atol=1e-9, rtol=0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_near_ties_far_off_the_data_are_resolved(backend):
    """Two windows equally far from x, at distances 10,000 times larger than what tells them apart."""
    rng = np.random.default_rng(4)
    y = rng.uniform(-1, 1, (5, 5, 1))
    images = np.stack([y, y]).astype(np.float32)
    images[1, 2, 2] += np.float32(3e-4)
    x = rng.uniform(-1, 1, (1, 5, 5, 1)).astype(np.float32)
    for sigma in (0.02, 0.05):
        answer = Patch(images, 5, shifts=False, backend=backend)(x, 1.0, sigma)
        np.testing.assert_allclose(answer, loops.patch(x, images, 1.0, sigma, 5, False, "zero"), atol=1e-6, rtol=0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_without_signal_every_candidate_counts_the_same(backend):
    rng = np.random.default_rng(5)
    images = rng.uniform(-1, 1, (3, 5, 6, 1)).astype(np.float32)
    x = rng.standard_normal((2, 5, 6, 1)).astype(np.float32)
    answer = Patch(images, 3, shifts=False, backend=backend)(x, 0.0, 1.0)
    np.testing.assert_allclose(answer, np.broadcast_to(images.mean(0), x.shape), atol=1e-6)
    answer = Patch(images, 3, padding="circular", backend=backend)(x, 0.0, 1.0)
    np.testing.assert_allclose(answer, np.full_like(x, images.mean()), atol=1e-6)


@pytest.mark.parametrize("ratio", [1e-6, *RATIOS])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_ideal_score_is_its_loop(ratio, dtype):
    rng = np.random.default_rng(6)
    images = rng.uniform(-1, 1, (40, 5, 4, 3)).astype(dtype)
    alpha, sigma = level(ratio)
    for far in (False, True):
        x = noisy(rng, images, 5, alpha, sigma, far)
        expected = loops.ideal(x, images, alpha, sigma)
        np.testing.assert_allclose(Ideal(images)(x, alpha, sigma), expected, atol=1e-5 if dtype == np.float32 else 1e-9)
