"""From noise to picture on the device, or the stand-in for it: every denoiser, against the host."""

from functools import partial

import numpy as np
import pytest

from edudiff import reverse
from edudiff import schedule as schedules
from edudiff.denoisers import Ideal, Linear, Patch, WindowSchedule, merge
from edudiff.support import random

LEVELS = [(0.999, 0.02), (0.8, 0.6), (0.0125, 0.9999), (1.0, 50.0), (0.0, 1.0)]
MAKE = {
    "ideal": Ideal,
    "linear": Linear.fit,
    "local": partial(Patch, window=3, shifts=False),
    "ELS": partial(Patch, window=3),
    "ELS on a torus": partial(Patch, window=3, padding="circular"),
    "local on a torus": partial(Patch, window=5, shifts=False, padding="circular"),
    "ELS, scales": partial(Patch, window=WindowSchedule([0.1, 1.0], [3, 5])),
}
every_denoiser = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)


def pictures(dtype):
    return np.random.default_rng(0).uniform(-1, 1, (7, 5, 6, 2)).astype(dtype)


def host_twin(make, images):
    """The same denoiser in NumPy: the formula that the device must equal."""
    return make(images, backend="numpy") if isinstance(make, partial) else make(images)


@every_denoiser
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_denoisers_answer_on_the_device(any_cupy, make, dtype):
    images = pictures(dtype)
    denoise, twin = make(any_cupy.asarray(images)), host_twin(make, images)
    z = np.random.default_rng(1).standard_normal((2, 5, 6, 2))
    for alpha, sigma in LEVELS:
        x = (alpha * images[:2] + sigma * z).astype(dtype)
        x0_hat = denoise(any_cupy.asarray(x), alpha, sigma)
        assert type(x0_hat) is any_cupy.ndarray and x0_hat.dtype == dtype and x0_hat.shape == x.shape
        np.testing.assert_allclose(x0_hat.get(), twin(x, alpha, sigma), atol=1e-10 if dtype == "f8" else 1e-6)


@every_denoiser
def test_a_whole_walk_on_the_device(any_cupy, make):
    schedule, images = schedules.cosine(), pictures("f4")

    def draw(denoise, like):
        rngs = random.streams(3, 2)
        x = reverse.start(schedule, (2, 5, 6, 2), rngs, like=like)
        return reverse.sample(denoise, schedule, x, schedule.times(6), method="ddpm", rng=rngs)

    there = draw(make(any_cupy.asarray(images)), any_cupy.asarray(images))
    np.testing.assert_allclose(there.get(), draw(host_twin(make, images), images), atol=1e-5)


@every_denoiser
def test_training_set_and_batch_live_in_one_place(any_cupy, make):
    images = pictures("f4")
    with pytest.raises(TypeError, match="different places"):
        make(any_cupy.asarray(images))(images, 0.8, 0.6)
    with pytest.raises(TypeError, match="different places"):
        make(images)(any_cupy.asarray(images), 0.8, 0.6)


@pytest.mark.parametrize("name", ["ideal", "ELS", "local on a torus"])
def test_partial_answers_merge_on_the_device(any_cupy, name):
    images = pictures("f8")
    x = any_cupy.asarray(images[:2] + 0.5)
    parts = [MAKE[name](any_cupy.asarray(share)).partial(x, 0.8, 0.6) for share in (images[:3], images[3:])]
    _, num, den = merge(parts)
    twin = host_twin(MAKE[name], images)(x.get(), 0.8, 0.6)
    np.testing.assert_allclose((num / den[..., None]).get().reshape(twin.shape), twin, atol=1e-10)


def test_linear_from_mean_and_covariance_on_the_device(any_cupy):
    rng = np.random.default_rng(0)
    root, mean, x = rng.standard_normal((4, 4)), rng.standard_normal(4), rng.standard_normal((3, 4))
    there = Linear(*map(any_cupy.asarray, (mean, root @ root.T)))(any_cupy.asarray(x), 0.8, 0.6)
    np.testing.assert_allclose(there.get(), Linear(mean, root @ root.T)(x, 0.8, 0.6), atol=1e-10)


def test_inputs_are_never_written_to(any_cupy):
    images = pictures("f4")
    there, x = any_cupy.asarray(images), any_cupy.asarray(images[:2])
    for make in MAKE.values():
        make(there)(x, 0.8, 0.6)
    assert np.array_equal(there.get(), images) and np.array_equal(x.get(), images[:2])
