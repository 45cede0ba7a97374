"""A batch of different classes: each picture is answered as it would be alone, by the denoiser of its class."""

from functools import partial

import numpy as np
import pytest

from edudiff.denoisers import ByLabel, Ideal, Linear, Patch, merge

RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.uniform(-1, 1, (9, 6, 5, 1)), np.array([2, 0, 2, 1, 0, 1, 1, 0, 2])
X, WANTED, LEVEL = RNG.standard_normal((4, 6, 5, 1)), np.array([1, 2, 1, 0]), (0.8, 0.6)


@pytest.mark.parametrize("kind", (Ideal, partial(Patch, window=3)))
def test_each_picture_is_answered_by_its_class(kind, any_cupy):
    x, images = any_cupy.asarray(X), any_cupy.asarray(IMAGES)
    answer = ByLabel(kind(images, labels=LABELS).conditional, WANTED)(x, *LEVEL)
    assert type(answer) is type(x)
    for i, label in enumerate(WANTED):
        alone = kind(IMAGES[label == LABELS])(X[i : i + 1], *LEVEL)
        np.testing.assert_allclose(any_cupy.asnumpy(answer[i : i + 1]), alone, atol=1e-12)


def test_all_window_sizes_in_one_sweep():
    mixed = ByLabel(Patch(IMAGES, 3, labels=LABELS).conditional, WANTED)
    swept = mixed.sweep(X, *LEVEL, [1, 3, 5])
    assert set(swept) == {1, 3, 5}
    np.testing.assert_allclose(swept[3], mixed(X, *LEVEL), atol=1e-12)


def test_a_batch_of_another_size_is_refused():
    with pytest.raises(ValueError, match="batch of 3 for 4 labels"):
        ByLabel(Ideal(IMAGES, labels=LABELS).conditional, WANTED)(X[:3], *LEVEL)


def test_a_label_without_pictures_is_refused():
    with pytest.raises(ValueError, match="label is 7, expected one of 0, 1, 2"):
        ByLabel(Ideal(IMAGES, labels=LABELS).conditional, [0, 7])


def test_denoisers_without_parts_answer_for_their_class_too():
    mixed = ByLabel(lambda label: Linear.fit(IMAGES[label == LABELS]), WANTED)
    answer = mixed(X, *LEVEL)
    for i, label in enumerate(WANTED):
        alone = Linear.fit(IMAGES[label == LABELS])(X[i : i + 1], *LEVEL)
        np.testing.assert_allclose(answer[i : i + 1], alone, atol=1e-12)


def test_parts_of_shares_merge_class_by_class():
    whole = ByLabel(Patch(IMAGES, 3, labels=LABELS).conditional, WANTED)
    halves = [Patch(IMAGES[s], 3, labels=LABELS[s]).conditional for s in (slice(0, 5), slice(5, 9))]
    _, num, den = merge([ByLabel(conditional, WANTED).partial(X, *LEVEL) for conditional in halves])
    np.testing.assert_allclose(num / den[..., None], whole(X, *LEVEL), atol=1e-7)


def test_one_of_the_classes_for_the_whole_batch():
    mixed = ByLabel(Ideal(IMAGES, labels=LABELS).conditional, [1, 2])
    expected = Ideal(IMAGES[LABELS == 2])(X, *LEVEL)
    np.testing.assert_allclose(mixed.conditional(2)(X, *LEVEL), expected, atol=1e-12)
    with pytest.raises(ValueError, match="label is 0, expected one of 1, 2"):
        mixed.conditional(0)
