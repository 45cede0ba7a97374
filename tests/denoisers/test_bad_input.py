"""Bad input to denoisers: the error says what came, what was expected and what to do."""

import numpy as np
import pytest

import edudiff as ed
from edudiff.denoisers import (
    Bottleneck,
    Composite,
    Ideal,
    Linear,
    Masked,
    Mixture,
    Patch,
    Smoothed,
    WindowSchedule,
    merge,
)

IMAGES = np.random.default_rng(0).uniform(-1, 1, (3, 5, 4, 1))
X = np.zeros((2, 5, 4, 1))
MAKERS = [Ideal, Linear.fit, lambda images: Patch(images, 3)]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("images", "error", "says"),
    [
        (IMAGES[:0], ValueError, "empty"),
        (IMAGES[0, :, :, 0][None], ValueError, r"\(N, H, W, C\)"),
        (np.zeros((3, 5, 4, 1), np.uint8), TypeError, "uint8"),
        (np.where(IMAGES > 0, np.nan, IMAGES), ValueError, "NaN"),
        (np.round(IMAGES * 100 + 100), ValueError, r"\[-1, 1\]"),
    ],
)
def test_training_sets(make, images, error, says):
    with pytest.raises(error, match=says):
        make(images)


RNG = np.random.default_rng(0)
LEARNERS = {
    "ideal": Ideal,
    "linear": Linear.fit,
    "bottleneck": lambda images: Bottleneck.fit(images, 2),
    "patch": lambda images: Patch(images, 3),
    "masked": lambda images: Masked(images, 0.02),
    "smoothed": lambda images: Smoothed(images, 0.3, rng=RNG),
    "composite": lambda images: Composite(images, 3),
    "page, ideal": ed.scores.ideal,
    "page, linear": ed.scores.linear,
    "page, local": lambda images: ed.scores.local(images, 3),
    "page, els": lambda images: ed.scores.els(images, 3),
    "page, network": lambda images: next(
        ed.convnet.train(ed.convnet.init(RNG, channels=2), images, ed.schedule.cosine(), rng=RNG, steps=1)
    ),
    "network": lambda images: next(
        ed.nn.train(ed.nn.ResNet(2, 1, rng=RNG), images, ed.schedule.cosine(), RNG, 1, batch=2)
    ),
}


@pytest.mark.parametrize("make", LEARNERS.values(), ids=LEARNERS)
def test_whatever_learns_from_images_wants_pixels_in_minus_one_to_one(make):
    """Floats of 0 to 255 would be taken for data so far apart that every answer is a training image."""
    for images in (255 * np.abs(IMAGES), 128 * IMAGES, np.where(IMAGES.max() > IMAGES, IMAGES, -2.1)):
        with pytest.raises(ValueError, match=r"expected pixels in \[-1, 1\].* / 127.5 - 1"):
            make(images.astype(np.float32))
    with pytest.raises(TypeError, match="from_uint8"):
        make((128 + 127 * IMAGES).astype(np.uint8))
    make((1.9 * IMAGES).astype(np.float32))


def test_points_may_lie_anywhere():
    points = 100 * IMAGES.reshape(3, -1)
    for make in (Ideal, Linear.fit, ed.scores.ideal, ed.scores.linear):
        make(points)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("x", "alpha", "sigma", "error", "says"),
    [
        (X[0], 0.8, 0.6, ValueError, r"x\[None\]"),
        (X[:, :4], 0.8, 0.6, ValueError, r"\(2, 4, 4, 1\)"),
        (X + np.inf, 0.8, 0.6, ValueError, "infinite"),
        (X.astype(int), 0.8, 0.6, TypeError, "int64"),
        (X, 0.8, 0.0, ValueError, "sigma is 0"),
        (X, 0.8, np.nan, ValueError, "sigma is nan"),
        (X, 1.2, 0.6, ValueError, "alpha is 1.2"),
        (X, -0.1, 0.6, ValueError, "alpha is -0.1"),
        (X, np.ones(2), 0.6, TypeError, "two numbers"),
    ],
)
def test_noisy_batches_and_levels(make, x, alpha, sigma, error, says):
    with pytest.raises(error, match=says):
        make(IMAGES)(x, alpha, sigma)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"window": 4}, ValueError, "odd"),
        ({"window": -3}, ValueError, "-3"),
        ({"window": 3.0}, TypeError, "odd integer"),
        ({"window": 5, "padding": "circular"}, ValueError, "larger"),
        ({"window": 3, "padding": "mirror"}, ValueError, "'zero', 'circular'"),
        ({}, TypeError, "missing 1 required positional argument: 'window'"),
        ({"window": 3, "backend": "fortran"}, ValueError, "fortran"),
    ],
)
def test_patch_arguments(arguments, error, says):
    with pytest.raises(error, match=says):
        Patch(IMAGES, **arguments)


def test_points_have_no_windows():
    with pytest.raises(ValueError, match="use Ideal"):
        Patch(np.zeros((3, 2)), 3)


@pytest.mark.parametrize("table", [([], []), ([1, 2], [3]), ([1, 1], [3, 5]), ([0.0], [3]), ([1.0], [4])])
def test_window_schedules_are_checked(table):
    with pytest.raises(ValueError, match="window"):
        WindowSchedule(*table)


def test_window_schedules_take_the_nearest_entry_on_a_logarithmic_axis():
    window = WindowSchedule([10, 0.1, 1], [15, 3, 7])
    assert [window(1.0, s) for s in (0.01, 0.3, 0.33, 3.1, 3.3, 99)] == [3, 3, 7, 7, 15, 15]
    assert window(0.0, 1.0) == 15
    assert WindowSchedule.from_dict(window.to_dict()) == window
    answer = Patch(IMAGES, window=window)(X, 0.5, 0.5)
    np.testing.assert_array_equal(answer, Patch(IMAGES, 7)(X, 0.5, 0.5))


def test_linear_wants_a_covariance():
    with pytest.raises(ValueError, match="expected \\(2, 2\\)"):
        Linear(np.zeros(2), np.eye(3))
    with pytest.raises(ValueError, match="symmetric"):
        Linear(np.zeros(2), np.array([[1.0, 0.5], [0.0, 1.0]]))
    with pytest.raises(ValueError, match="eigenvalue"):
        Linear(np.zeros(2), -np.eye(2))


def test_nothing_to_merge():
    with pytest.raises(ValueError, match="no parts"):
        merge([])
    one, two = Ideal(IMAGES).partial(X, 0.8, 0.6), Ideal(IMAGES).partial(X[:1], 0.8, 0.6)
    with pytest.raises(ValueError, match="same noisy batch"):
        merge([one, two])


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("dtype", ["float16", ">f4", "longdouble"])
def test_other_floats_than_of_32_and_64_bits(make, dtype):
    with pytest.raises(TypeError, match="expected float32 or float64; use"):
        make(IMAGES.astype(dtype))
    with pytest.raises(TypeError, match="expected float32 or float64; use"):
        make(IMAGES)(X.astype(dtype), 0.8, 0.6)


@pytest.mark.parametrize("sigma", [1e-200, 1e200])
def test_levels_whose_square_is_no_number(sigma):
    with pytest.raises(ValueError, match="expected 1e-12 to 1e12"):
        Ideal(IMAGES)(X, 0.8, sigma)


def test_mixtures():
    means, covariances = np.zeros((1, 2)), np.eye(2)[None]
    with pytest.raises(ValueError, match="not symmetric"):
        Mixture(np.ones(1), means, np.array([[[1, 0.9], [0, 1]]]))
    with pytest.raises(ValueError, match="the sum 1, not 2"):
        Mixture(np.full(1, 2.0), means, covariances)
    weights = np.random.default_rng(0).dirichlet(np.ones(5)).astype(np.float32)
    law = Mixture(weights, np.zeros((5, 2)), np.broadcast_to(np.eye(2), (5, 2, 2)))
    assert law.weights.sum() == pytest.approx(1, abs=1e-15)
