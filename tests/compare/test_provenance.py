"""Where each pixel comes from: all windows with their weights are the answer, and the first is the nearest."""

import numpy as np
import pytest

import edudiff as ed
from edudiff.compare import provenance
from edudiff.denoisers import Patch, loops

IMAGES = np.random.default_rng(0).uniform(-1, 1, (5, 5, 4, 2))
X = np.random.default_rng(1).standard_normal((2, 5, 4, 2))
LEVEL = (0.8, 0.6)
kinds = pytest.mark.parametrize(("border", "shifts"), [("zero", True), ("zero", False), ("wrap", True)])


@kinds
def test_all_windows_with_their_weights_are_the_answer(border, shifts, any_cupy):
    patch = Patch(any_cupy.asarray(IMAGES), 3, border=border, shifts=shifts)
    found = provenance(patch, any_cupy.asarray(X), *LEVEL, leading=5 * 5 * 4)
    picture, row, column, weight = (any_cupy.asnumpy(a) for a in (found.picture, found.row, found.column, found.weight))
    np.testing.assert_allclose(weight.sum(-1), 1, atol=1e-9)
    assert (weight[picture < 0] == 0).all()
    assert (np.diff(weight, axis=-1) <= 0).all()
    answer = (weight[..., None] * IMAGES[picture, row, column]).sum(-2)  # (B, H, W, C)
    np.testing.assert_allclose(answer, loops.patch(X, IMAGES, *LEVEL, 3, shifts, border), atol=1e-9)


@kinds
def test_the_first_is_the_first_of_many(border, shifts):
    patch = Patch(IMAGES, 3, border=border, shifts=shifts)
    one, many = (provenance(patch, X, *LEVEL, leading=k) for k in (1, 4))
    for name in ("picture", "row", "column", "weight"):
        np.testing.assert_array_equal(getattr(one, name)[..., 0], getattr(many, name)[..., 0])


def test_a_corner_has_one_candidate_of_each_picture_and_the_middle_has_many():
    found = provenance(Patch(IMAGES, 3), X, *LEVEL, leading=100)
    candidates = (found.picture >= 0).sum(-1)[0]  # (H, W)
    assert candidates[0, 0] == 5
    assert candidates[0, 1] == 5 * 2
    assert candidates[2, 1] == 5 * 3 * 2


def test_a_mosaic_is_taken_apart(monkeypatch):
    """Left half of picture 3 moved down by one, right half of picture 1: found again, whatever the chunks."""
    rng = np.random.default_rng(2)
    images = rng.uniform(-1, 1, (6, 9, 12, 1))
    mosaic = images[1:2].copy()
    mosaic[0, 1:, :6] = images[3, :-1, :6]
    monkeypatch.setattr(ed.compare.provenance.__globals__["windows"], "BLOCK", 1)
    monkeypatch.setitem(ed.compare.provenance.__globals__, "BLOCK", 2 * mosaic.size)
    found = provenance(Patch(images, 3), mosaic, 1.0, 0.02)
    assert (found.picture[0, 3:-2, 1:5, 0] == 3).all()
    assert (found.picture[0, 1:-1, 7:-1, 0] == 1).all()
    assert (found.row[0, 3:-2, 1:5, 0] == np.arange(2, 6)[:, None]).all()
    assert (found.column[0, 3:-2, 1:5, 0] == np.arange(1, 5)).all()
    assert (found.weight[0, 1:-1, 7:-1, 0] > 0.999).all()


def test_of_one_class_alone_by_the_numbers_in_the_training_set():
    labels = np.array([1, 0, 1, 0, 1])
    found = provenance(Patch(IMAGES, 3, labels=labels).given(0), X, *LEVEL)
    assert set(np.unique(found.picture)) <= {1, 3}


@pytest.mark.parametrize("leading", (0, -1, 1.5, True))
def test_a_bad_number_of_windows_is_refused(leading):
    with pytest.raises(ValueError, match="leading is"):
        provenance(Patch(IMAGES, 3), X, *LEVEL, leading=leading)
