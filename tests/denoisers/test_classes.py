"""One class of a training set: the denoiser of its pictures alone, and the mixture of all classes."""

import math

import numpy as np
import pytest
from test_patch_loops import BACKENDS, level

from edudiff.denoisers import Ideal, Patch
from edudiff.denoisers.base import SoftmaxDenoiser
from edudiff.denoisers.classes import Classes

LABELS = np.array([2, 0, 2, 1, 0, 2, 2, 0, 1, 2, 2, 0, 2, 0, 1, 0, 2, 2, 2, 1])
WAYS = [
    Ideal,
    *(pytest.param(b.values[0] if hasattr(b, "values") else b, marks=getattr(b, "marks", ())) for b in BACKENDS),
]


def build(way, images, labels=None):
    return Ideal(images, labels) if way is Ideal else Patch(images, 3, labels=labels, backend=way)


def case(dtype=np.float64):
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (20, 5, 6, 2)).astype(dtype), rng.standard_normal((3, 5, 6, 2)).astype(dtype)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ratio", [0.02, 0.5, 3.0])
def test_one_class_is_its_pictures_alone(way, dtype, ratio):
    images, x = case(dtype)
    whole = build(way, images, LABELS)
    for label in (0, 1, 2):
        alone = build(way, images[label == LABELS])(x, *level(ratio))
        np.testing.assert_allclose(
            whole.conditional(label)(x, *level(ratio)), alone, atol=1e-5 if dtype == np.float32 else 1e-8
        )
    np.testing.assert_allclose(whole(x, *level(ratio)), build(way, images)(x, *level(ratio)), atol=1e-5)


@pytest.mark.parametrize("way", WAYS)
def test_classes_mix_by_their_posterior_p12(way):
    """D = sum over classes of p(class given x) D_class, with p in proportion to den * exp(top)."""
    images, x = case()
    whole = build(way, images, LABELS)
    alpha, sigma = level(1.0)
    parts = [whole.conditional(label).partial(x, alpha, sigma) for label in (0, 1, 2)]
    evidence = np.stack([den * np.exp(top - parts[0][0]) for top, _, den in parts])  # (classes, ...)
    posterior = evidence / evidence.sum(0)  # (classes, ...)
    answers = np.stack([num / den[..., None] for _, num, den in parts])  # (classes, ..., width)
    mixture = (posterior[..., None] * answers).sum(0).reshape(x.shape)
    np.testing.assert_allclose(whole(x, alpha, sigma), mixture, atol=1e-7)


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_copied_for_a_class(way):
    images, x = case(np.float32)
    whole = build(way, images, LABELS)
    whole(x, 0.6, 0.8)
    before = dict(whole._flat) if way is Ideal else whole._engine.images
    one = whole.conditional(1)
    one(x, 0.6, 0.8)
    if way is Ideal:
        assert one._flat is whole._flat
        assert before.keys() == one._flat.keys() and all(before[key] is one._flat[key] for key in before)
    else:
        assert one._engine is whole._engine
        assert one._engine.images is before


@pytest.mark.parametrize("way", WAYS)
def test_wrong_labels_are_named(way):
    images, _ = case()
    with pytest.raises(ValueError, match="build it with labels="):
        build(way, images).conditional(0)
    with pytest.raises(ValueError, match="expected one of 0, 1, 2"):
        build(way, images, LABELS).conditional(7)
    with pytest.raises(ValueError, match=r"shape \(19,\) and dtype int64, expected \(20,\) integers or strings"):
        build(way, images, LABELS[:-1])
    with pytest.raises(ValueError, match="dtype float64"):
        build(way, images, LABELS * math.pi)


def test_names_are_labels_too():
    images, x = case()
    names = np.array(["cat", "dog"])[LABELS % 2]
    expected = Ideal(images[LABELS % 2 == 1])(x, 0.6, 0.8)
    np.testing.assert_allclose(Ideal(images, names).conditional("dog")(x, 0.6, 0.8), expected, atol=1e-8)


def test_images_of_a_class_stay_in_their_order():
    """However many they are."""
    labels = np.random.default_rng(0).integers(3, size=5000)
    classes = Classes(labels, 5000)
    np.testing.assert_array_equal(classes.order, [i for label in range(3) for i in np.flatnonzero(labels == label)])
    for label, places in enumerate(classes.places()):
        np.testing.assert_array_equal(places, np.flatnonzero(labels == label))


def test_a_denoiser_without_classes_says_so():
    class Mean(SoftmaxDenoiser):
        def _parts(self, x, alpha, sigma, windows, moments):
            return [(np.zeros(len(x)), 0 * x, np.ones(len(x)))]

    with pytest.raises(ValueError, match="a Mean has no classes: make a denoiser for each class on its own"):
        Mean().conditional(0)
