"""Each item of a batch is answered by the formula of all training items but its own."""

from functools import partial

import numpy as np
import pytest

from edudiff.denoisers import Ideal, LeaveOneOut, Patch

RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.uniform(-1, 1, (9, 6, 5, 1)), np.array([2, 0, 2, 1, 0, 1, 1, 0, 2])
LEFT_OUT, LEVEL = [7, 0, 3, 8], (0.8, 0.6)
X = 0.8 * IMAGES[LEFT_OUT] + 0.6 * RNG.standard_normal((4, 6, 5, 1))
KINDS = pytest.mark.parametrize("kind", (Ideal, partial(Patch, window=3)))


@KINDS
@pytest.mark.parametrize("labels", (None, LABELS))
def test_each_item_is_answered_by_all_others_of_its_class(kind, labels, any_cupy):
    x, images = any_cupy.asarray(X), any_cupy.asarray(IMAGES)
    denoiser = LeaveOneOut(images, LEFT_OUT, kind, labels)
    found = denoiser.posterior(x, *LEVEL)
    assert type(found.mean) is type(x)
    for i, n in enumerate(LEFT_OUT):
        others = np.arange(9) != n if labels is None else (np.arange(9) != n) & (labels == labels[n])
        expected = kind(IMAGES[others]).posterior(X[i : i + 1], *LEVEL)
        for name in ("mean", "variance", "entropy"):
            one = any_cupy.asnumpy(getattr(found, name)[i : i + 1])
            np.testing.assert_allclose(one, getattr(expected, name), atol=1e-6)


def test_all_items_may_be_left_out_in_their_turn():
    x = 0.8 * IMAGES + 0.6 * RNG.standard_normal(IMAGES.shape)
    answer = LeaveOneOut(IMAGES, range(9), Ideal)(x, *LEVEL)
    for n in range(9):
        others = np.delete(IMAGES, n, 0)
        np.testing.assert_allclose(answer[n : n + 1], Ideal(others)(x[n : n + 1], *LEVEL), atol=1e-12)


def test_all_window_sizes_in_one_sweep():
    denoiser = LeaveOneOut(IMAGES, LEFT_OUT, partial(Patch, window=3), LABELS)
    swept = denoiser.sweep(X, *LEVEL, [1, 3, 5])
    np.testing.assert_allclose(swept[3], denoiser(X, *LEVEL), atol=1e-12)
    one = LeaveOneOut(IMAGES, LEFT_OUT, partial(Patch, window=5), LABELS)
    np.testing.assert_allclose(swept[5], one(X, *LEVEL), atol=1e-6)


def test_without_noise_no_item_is_its_own_answer():
    kept, lone = (denoiser(X, 1.0, 1e-3) for denoiser in (Ideal(IMAGES), LeaveOneOut(IMAGES, LEFT_OUT, Ideal)))
    assert not np.isclose(lone, IMAGES[LEFT_OUT]).all((1, 2, 3)).any()
    assert all(np.isclose(one, IMAGES).all((1, 2, 3)).sum() == 1 for one in (*kept, *lone))


@pytest.mark.parametrize(
    ("left_out", "labels", "message"),
    [
        ([1, 9], None, "left_out is 9, expected an integer <= 8"),
        ([-1], None, "left_out is -1, expected an integer >= 0"),
        ([1, 2, 1], None, r"left_out is \[1, 2, 1\], expected different numbers"),
        (
            [0, 1],
            np.array([2, 0, 2, 1, 1, 1, 1, 1, 2]),
            "item 1 is the only one of its class, which leaves none; leave out another",
        ),
        ([0], LABELS[:8], r"labels has shape \(8,\) and dtype int64, expected \(9,\) integers or strings"),
    ],
)
def test_what_cannot_be_left_out_is_refused(left_out, labels, message):
    with pytest.raises(ValueError, match=message):
        LeaveOneOut(IMAGES, left_out, Ideal, labels)


def test_images_are_looked_at_first():
    with pytest.raises(ValueError, match="images"):
        LeaveOneOut(IMAGES[:0], [0], Ideal)


def test_a_batch_of_another_size_is_refused():
    with pytest.raises(ValueError, match="a batch of 3 for 4 items that are left out; expected one for each"):
        LeaveOneOut(IMAGES, LEFT_OUT, Ideal)(X[:3], *LEVEL)
    with pytest.raises(TypeError, match=r"left_out is 1\.5, expected an integer >= 0"):
        LeaveOneOut(IMAGES, [1.5], Ideal)
