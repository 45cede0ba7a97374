"""An error says what came, what was expected, and what to do."""

import math

import numpy as np
import pytest

from edudiff.support import checks

PICTURES = np.linspace(-1, 1, 2 * 4 * 5 * 3).reshape(2, 4, 5, 3)
POINTS = np.zeros((3, 2), "f4")
HOLED = np.where(PICTURES > 0.9, math.nan, PICTURES)


@pytest.mark.parametrize(
    "images",
    [
        PICTURES,
        POINTS,
        PICTURES[:1, :1, :1, :1],
        200.5 * POINTS,
        PICTURES * 1.5,
        np.zeros((2, 3, 9, 4)),
        np.zeros((2, 9, 1, 8)),
    ],
)
def test_good_training_sets_pass(images):
    assert checks.training_set(images) is np
    assert checks.batch(images, images) is np
    assert checks.batch(images) is np


@pytest.mark.parametrize(
    ("images", "error", "says"),
    [
        ([[1.0]], TypeError, "expected NumPy or CuPy arrays, got list; wrap it in numpy.asarray"),
        (PICTURES.astype("i8"), TypeError, r"images has dtype int64, expected floats in \[-1, 1\].*from_uint8"),
        (PICTURES.astype("u1"), TypeError, r"images has dtype uint8.*from_uint8"),
        (PICTURES > 0, TypeError, r"images has dtype bool"),
        (PICTURES + 0j, TypeError, r"images has dtype complex128"),
        (PICTURES[:0], ValueError, r"images is empty, its shape is \(0, 4, 5, 3\)"),
        (HOLED, ValueError, r"images has 6 NaN or infinite values of 120; remove them first"),
        (np.full((1, 2), math.inf), ValueError, r"2 NaN or infinite values of 2"),
        (PICTURES[..., 0], ValueError, r"shape \(2, 4, 5\), expected \(N, H, W, C\).*images\[\.\.\., None\]"),
        (np.zeros(3), ValueError, r"shape \(3,\), expected"),
        (np.zeros((2, 3, 8, 6)), ValueError, r"3 rows of 8 pixels with 6 channels.*moveaxis\(images, 1, -1\)"),
        (np.zeros((2, 1, 8, 8)), ValueError, r"expected \(N, H, W, C\), channels last"),
        (np.round(PICTURES * 127 + 128), ValueError, r"values from 1 to 255, expected pixels.*images / 127.5 - 1"),
    ],
)
def test_bad_training_sets_are_refused(images, error, says):
    with pytest.raises(error, match=says):
        checks.training_set(images)


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (PICTURES[0], r"shape \(4, 5, 3\), expected \(B, 4, 5, 3\).*x\[None\]"),
        (PICTURES[..., :1], r"shape \(2, 4, 5, 1\), expected \(B, 4, 5, 3\)"),
        (PICTURES.transpose(0, 3, 1, 2), r"shape \(2, 3, 4, 5\), expected \(B, 4, 5, 3\)"),
        (PICTURES.reshape(2, -1), r"shape \(2, 60\), expected \(B, 4, 5, 3\)"),
        (HOLED, r"x has 6 NaN"),
    ],
)
def test_batches_that_do_not_match_are_refused(x, says):
    with pytest.raises(ValueError, match=says):
        checks.batch(x, PICTURES)


def test_batch_and_training_set_live_in_one_place(standin_cupy):
    there = standin_cupy.asarray(PICTURES)
    assert checks.batch(there, there) is standin_cupy
    for x, images in ((there, PICTURES), (PICTURES, there)):
        with pytest.raises(TypeError, match="different places"):
            checks.batch(x, images)


def test_on_the_device_too(standin_cupy):
    assert checks.training_set(standin_cupy.asarray(PICTURES)) is standin_cupy
    with pytest.raises(ValueError, match="6 NaN or infinite values of 120"):
        checks.training_set(standin_cupy.asarray(HOLED))
    with pytest.raises(ValueError, match=r"images / 127.5 - 1"):
        checks.training_set(standin_cupy.asarray(np.round(PICTURES * 127 + 128)))


@pytest.mark.parametrize("number", [float, int, np.float32, np.float64, np.asarray])
def test_levels_become_python_floats(number):
    assert [type(v) for v in checks.levels(number(1), number(1))] == [float, float]


def test_window_sizes():
    assert checks.window(1) == 1 and checks.window(np.int64(5)) == 5
    assert checks.window(3, (3, 5), "circular") == 3 and checks.window(9, (3, 5), "zero") == 9


@pytest.mark.parametrize(
    ("args", "error", "says"),
    [
        ((4,), ValueError, "window size is 4, expected an odd integer >= 1"),
        ((0,), ValueError, "window size is 0"),
        ((-3,), ValueError, "window size is -3"),
        ((3.0,), TypeError, "window size is 3.0, expected an odd integer"),
        (("3",), TypeError, "window size is '3'"),
        ((True,), TypeError, "window size is True"),
        ((None,), TypeError, "window size is None"),
        ((5, (7, 4), "circular"), ValueError, "window size is 5 but the pictures are 7 x 4: .*padding='zero'"),
    ],
)
def test_bad_windows_are_refused(args, error, says):
    with pytest.raises(error, match=says):
        checks.window(*args)


def test_one_of():
    assert checks.one_of("a", ("a", "b"), "letter") == "a"
    with pytest.raises(ValueError, match="letter is 'c', expected one of 'a', 'b'"):
        checks.one_of("c", ("a", "b"), "letter")
