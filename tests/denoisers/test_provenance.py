"""Where each pixel comes from: all windows with their weights are the answer, and the first is the nearest."""

import runpy
import tracemalloc
from dataclasses import replace
from pathlib import Path

import loops
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edudiff.denoisers import Ideal, Patch, Provenance, WindowSchedule, origins, provenance

IMAGES = np.random.default_rng(0).uniform(-1, 1, (5, 5, 4, 2))
X = np.random.default_rng(1).standard_normal((2, 5, 4, 2))
LEVEL = (0.8, 0.6)
ALL = 5 * 5 * 4
FIELDS = ("image", "row", "column", "weight", "value")
KINDS = [(padding, shifts) for padding in ("zero", "circular") for shifts in (True, False)]
kinds = pytest.mark.parametrize(("padding", "shifts"), KINDS)


def windows_by_loops(x, i, j, images, size, shifts, padding):
    """All candidates of one pixel of one picture, as the paper writes them: {(image, row, column): logit}."""
    radius, (alpha, sigma) = size // 2, LEVEL
    own = loops.window(x, i, j, radius, padding)
    places = loops.candidates(i, j, *x.shape[:2], radius, shifts, padding)
    return {
        (n, p, q): -((own - alpha * loops.window(image, p, q, radius, padding)) ** 2).sum() / (2 * sigma**2)
        for n, image in enumerate(images)
        for p, q in places
    }


@kinds
def test_all_windows_with_their_weights_are_the_answer(padding, shifts, any_cupy):
    patch = Patch(any_cupy.asarray(IMAGES), 3, padding=padding, shifts=shifts)
    found = provenance(patch, any_cupy.asarray(X), *LEVEL, leading=ALL)
    image, row, column, weight, value = (any_cupy.asnumpy(getattr(found, name)) for name in FIELDS)
    np.testing.assert_allclose(weight.sum(-1), 1, atol=1e-9)
    assert (np.diff(weight, axis=-1) <= 0).all()
    answer = (weight[..., None] * value).sum(-2)  # (B, H, W, C)
    np.testing.assert_allclose(answer, loops.patch(X, IMAGES, *LEVEL, 3, shifts, padding), atol=1e-9)
    there = image >= 0
    np.testing.assert_array_equal(value[there], IMAGES[image, row, column][there])
    for absent in (row[~there] + 1, column[~there] + 1, weight[~there], value[~there]):
        assert (absent == 0).all()


def test_four_windows_lead_if_no_other_number_is_given():
    assert provenance(Patch(IMAGES, 3), X, *LEVEL).image.shape == (2, 5, 4, 4)


@kinds
def test_the_leading_windows_are_the_nearest_of_all_candidates_in_order(padding, shifts):
    found = provenance(Patch(IMAGES, 3, padding=padding, shifts=shifts), X, *LEVEL, leading=3)
    for b, i, j in np.ndindex(X.shape[:3]):
        logits = windows_by_loops(X[b], i, j, IMAGES, 3, shifts, padding)
        places = zip(found.image[b, i, j], found.row[b, i, j], found.column[b, i, j], strict=True)
        assert list(places) == sorted(logits, key=logits.get, reverse=True)[:3]


@kinds
def test_the_first_are_the_first_of_many(padding, shifts):
    patch = Patch(IMAGES, 3, padding=padding, shifts=shifts)
    many = provenance(patch, X, *LEVEL, leading=4)
    for k in (1, 2):
        few = provenance(patch, X, *LEVEL, leading=k)
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(few, name), getattr(many, name)[:, :, :, :k])


def test_a_corner_has_one_candidate_of_each_picture_and_the_middle_has_many():
    found = provenance(Patch(IMAGES, 3), X, *LEVEL, leading=100)
    candidates = (found.image >= 0).sum(-1)[0]  # (H, W)
    assert candidates[0, 0] == 5
    assert candidates[0, 1] == 5 * 2
    assert candidates[2, 1] == 5 * 3 * 2


def test_a_mosaic_is_taken_apart():
    """Left half of picture 3 moved down by one, right half of picture 1: found again."""
    images = np.random.default_rng(2).uniform(-1, 1, (6, 9, 12, 1))
    mosaic = images[1:2].copy()
    mosaic[0, 1:, :6] = images[3, :-1, :6]
    found = provenance(Patch(images, 3), mosaic, 1.0, 0.02)
    assert (found.image[0, 3:-2, 1:5, 0] == 3).all()
    assert (found.image[0, 1:-1, 7:-1, 0] == 1).all()
    assert (found.row[0, 3:-2, 1:5, 0] == np.arange(2, 6)[:, None]).all()
    assert (found.column[0, 3:-2, 1:5, 0] == np.arange(1, 5)).all()
    assert (found.weight[0, 1:-1, 7:-1, 0] > 0.999).all()
    np.testing.assert_array_equal(found.value[0, 3:-2, 1:5, 0], mosaic[0, 3:-2, 1:5])


def script():
    """The names of the figure's script, which its functions look up as they run."""
    return runpy.run_path(str(Path(__file__).parents[2] / "figures" / "mosaic.py"))["main"].__globals__


def test_the_figure_looks_into_the_step_whose_answer_is_the_drawn_picture(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    names, looked, drawn = script(), [], []
    monkeypatch.setitem(names, "provenance", lambda *a: looked.append(a[:4]) or provenance(*a))
    monkeypatch.setitem(names, "measure", lambda maps, pictures, images: drawn.append(pictures))
    monkeypatch.setattr(names["files"], "write_figure", lambda *a: None)
    names["main"](replace(names["JOBS"]["hands"], images=8, seeds=1, steps=4), out=tmp_path)
    for (patch, x, alpha, sigma), pictures in zip(looked, drawn[::2], strict=True):
        np.testing.assert_allclose(patch(x, alpha, sigma), pictures, atol=1e-6)


def test_pieces_are_joined_side_by_side_and_the_largest_counts():
    pixels = {(0, 0), (2, 2), (2, 3), (3, 3), (5, 5), (4, 4)}
    assert script()["largest_piece"](pixels) == {(2, 2), (2, 3), (3, 3)}


def test_the_tiles_of_the_figure_are_the_pieces_of_a_mosaic():
    """A square of picture 1 that was moved by (1, 2), in picture 0: two tiles, though any window fits a flat corner."""
    figure = script()
    images = np.random.default_rng(3).uniform(-1, 1, (2, 10, 10, 1))
    drawn = images[:1].copy()
    drawn[0, 3:8, 3:8] = images[1, 2:7, 1:6]
    source = provenance(Patch(images, 1), drawn, 1.0, 1e-4, leading=9)
    number, image, down, right = figure["tiles"](source, 0, 9)
    inside = np.zeros((10, 10), dtype=bool)
    inside[3:8, 3:8] = True
    for found, expected in ((number, inside), (image, inside), (down, 1 * inside), (right, 2 * inside)):
        np.testing.assert_array_equal(found, expected)
    found = figure["measure"]([(number, image, down, right)], drawn, images)
    assert (found["training_images"], found["tiles"], found["largest_tile"]) == ([2], [2], [75])
    assert found["unmoved"] == 0.75
    assert found["pearson_r_with_drawn"] == pytest.approx(1)
    assert found["share_of_pixels_in_tiles_of_at_least"] == {"2": 1, "4": 1, "8": 1, "16": 1}


def test_of_windows_that_weigh_enough_the_one_that_makes_a_larger_tile_is_laid():
    """Picture 1 gives all three pixels, once with a fifth of the leading weight; with a twentieth it does not."""
    figure = script()
    for second, expected in ((0.2, [1, 1, 1]), (0.05, [1, 0, 1])):
        image = np.array([[1, 0], [0, 1], [1, 0]]).reshape(1, 1, 3, 2)
        weight = np.array([[1, 0.0], [1, second], [1, 0.0]]).reshape(1, 1, 3, 2)
        row, column = np.zeros_like(image), np.broadcast_to(np.arange(3)[:, None], image.shape)
        number, found, down, right = figure["tiles"](Provenance(image, row, column, weight, None), 0, 2)
        np.testing.assert_array_equal(found[0], expected)
        assert number.max() == (0 if second > 0.1 else 2)
        assert not down.any()
        assert not right.any()
        np.testing.assert_array_equal(
            figure["tiles"](Provenance(image, row, column, weight, None), 0, 1)[1], [[1, 0, 1]]
        )


@pytest.mark.parametrize("padding", ["zero", "circular"])
@pytest.mark.parametrize("leading", [1, 3])
def test_of_equally_heavy_windows_the_nearest_leads_then_the_earlier_picture(padding, leading):
    """All training windows are alike, but for the last picture's."""
    images = np.zeros((4, 5, 6, 1))
    images[3] = 1
    found = provenance(Patch(images, 3, padding=padding), np.zeros((1, 5, 6, 1)), *LEVEL, leading=leading)
    assert (found.image[..., 0] == 0).all()
    assert (found.row[..., 0] == np.arange(5)[:, None]).all()
    assert (found.column[..., 0] == np.arange(6)).all()
    if leading > 1:
        assert (found.image[0, 2, 2] == [0, 1, 2]).all()
    only = provenance(Patch(images, 3, padding=padding, shifts=False), images[:1], *LEVEL, leading=4)
    assert (only.image == [0, 1, 2, 3]).all()


@pytest.mark.parametrize("turned", [False, True])
def test_on_a_torus_the_short_way_round_is_the_nearest(turned):
    """The last row is next to the first: nearer than the third, which comes first in the picture."""
    image = np.zeros((1, 6, 5, 1))
    image[0, 2, 0] = image[0, 5, 0] = 1  # what the corner looks for
    image = image.swapaxes(1, 2) if turned else image
    found = provenance(Patch(image, 1, padding="circular"), np.ones_like(image), *LEVEL)
    first = found.row[0, 0, 0, 0], found.column[0, 0, 0, 0]
    assert first == ((0, 5) if turned else (5, 0))


@given(st.integers(1, 40), st.booleans(), st.integers(1, 4))
def test_neither_chunks_nor_the_batch_change_anything(block, shifts, leading):
    images, x = np.sign(IMAGES[..., :1]), np.sign(X[..., :1])  # many windows tie
    patch = Patch(images, 3, shifts=shifts)
    whole = provenance(patch, x, *LEVEL, leading)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(origins, "BLOCK", block)
        parts = provenance(patch, x, *LEVEL, leading)
    alone = provenance(patch, x[1:], *LEVEL, leading)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
        np.testing.assert_array_equal(getattr(alone, name)[0], getattr(whole, name)[1])


@pytest.mark.parametrize("sigma", [0.02, 0.6])
def test_float32_pictures_have_the_weights_of_float64(sigma):
    """At little noise logits are large, and their differences decide."""
    images = IMAGES.astype("float32")
    x = (images[:1] + images[1:2]) / 2
    patches = Patch(images, 3), Patch(images.astype("float64"), 3)
    single, double = (provenance(p, a, 1.0, sigma) for p, a in zip(patches, (x, x.astype("float64")), strict=True))
    assert single.weight.dtype == single.value.dtype == np.float64
    np.testing.assert_allclose(single.weight, double.weight, atol=1e-9)
    np.testing.assert_array_equal(single.image, double.image)


def test_memory_does_not_grow_with_the_training_set(monkeypatch):
    pytest.importorskip("numba")  # the blocks that NumPy's own way takes are larger than these images
    monkeypatch.setattr(origins, "BLOCK", 1 << 14)
    images, x = np.random.default_rng(4).uniform(-1, 1, (4000, 6, 6, 1)), np.zeros((8, 6, 6, 1))
    patch = Patch(images, 5, shifts=False)
    patch(x, *LEVEL)  # what the denoiser keeps for itself
    tracemalloc.start()
    provenance(patch, x, *LEVEL)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * images.nbytes  # its distances to all windows alone are eight times the training set


def test_a_window_that_covers_the_picture_is_the_ideal_score_and_copies_unmoved():
    x = IMAGES[2:4] + 0.3 * X
    found = provenance(Patch(IMAGES, 9, shifts=False), x, 1.0, 0.3, leading=5)
    assert (found.image[..., 0] == np.array([2, 3])[:, None, None]).all()
    assert (found.row == np.arange(5)[:, None, None]).all()
    assert (found.column == np.arange(4)[:, None]).all()
    np.testing.assert_allclose((found.weight[..., None] * found.value).sum(-2), Ideal(IMAGES)(x, 1.0, 0.3), atol=1e-9)


def test_the_window_size_is_that_of_the_noise_level():
    by_level = Patch(IMAGES, window=WindowSchedule([0.1, 1.0], [1, 3]))
    for level, size in (((1.0, 0.1), 1), (LEVEL, 3)):
        found, expected = provenance(by_level, X, *level), provenance(Patch(IMAGES, size), X, *level)
        np.testing.assert_array_equal(found.weight, expected.weight)


def test_of_one_class_alone_by_the_numbers_in_the_training_set():
    labels = np.array([1, 0, 1, 0, 1])
    patch = Patch(IMAGES, 3, labels=labels)
    found = provenance(patch.conditional(0), X, *LEVEL, leading=2 * ALL)
    assert set(np.unique(found.image)) == {-1, 1, 3}
    np.testing.assert_allclose(found.weight.sum(-1), 1, atol=1e-9)
    alike = provenance(Patch(np.zeros_like(IMAGES), 3, labels=labels), X, *LEVEL)
    assert (alike.image[..., 0] == 0).all()  # of equally heavy ones the earlier, whatever its class
    for name in FIELDS:
        of_all = getattr(provenance(Patch(IMAGES, 3), X, *LEVEL), name)
        np.testing.assert_allclose(getattr(provenance(patch, X, *LEVEL), name), of_all, rtol=1e-9)


def test_nothing_is_written_to():
    images, x = IMAGES.copy(), X.copy()
    provenance(Patch(images, 3), x, *LEVEL)
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(x, X)


@pytest.mark.parametrize("leading", (0, -1, 1.5, True, "2"))
def test_a_bad_number_of_windows_is_refused(leading):
    with pytest.raises((TypeError, ValueError), match="leading is"):
        provenance(Patch(IMAGES, 3), X, *LEVEL, leading=leading)


@pytest.mark.parametrize(
    ("x", "level", "error"),
    [
        (X[0], LEVEL, ValueError),
        (X * np.nan, LEVEL, ValueError),
        (X.astype(int), LEVEL, TypeError),
        (X, (0.8, 0.0), ValueError),
        (X, (0.8, None), TypeError),
    ],
)
def test_bad_input_is_refused(x, level, error):
    with pytest.raises(error):
        provenance(Patch(IMAGES, 3), x, *level)
