"""An error says what came, what was expected, and what to do."""

import math
from types import SimpleNamespace

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


def line(t):
    """A schedule: signal and noise change places at a steady rate."""
    return 1 - t, t


NUMBERS = {  # what is checked -> (takes, refuses)
    "alpha": (lambda v: checks.levels(v, 0.5), [0, 1, 0.5], [-1e-9, 1 + 1e-9, math.nan]),
    "sigma": (lambda v: checks.levels(0.5, v), [1e-12, 1e12], [0.9e-12, 1.1e12, 0, math.nan, math.inf]),
    "integer": (lambda v: checks.integer(v, "count"), [1, np.int64(7), 10**30], [0, -1]),
    "integer from 0 to 5": (lambda v: checks.integer(v, "count", 0, 5), [0, 5], [-1, 6, 10**400]),
    "integers": (lambda v: checks.integers(v, "sides"), [(), (1, 2), [3]], [(0,), (1, -1)]),
    "integers from 2 to 5": (lambda v: checks.integers(v, "sides", 2, 5), [(2, 5)], [(1,), (6,)]),
    "positive": (lambda v: checks.positive(v, "rate"), [1e-300, 1e300, 1], [0, -1, math.inf, math.nan]),
    "positive to 2": (lambda v: checks.positive(v, "rate", 2), [2, 0.1], [2.1, 0]),
    "share": (lambda v: checks.share(v, "dropout"), [0, 0.999], [1, -1e-9, math.nan]),
    "times": (checks.times, [0, 1, [0.0, 0.5, 1.0]], [-1e-9, 1 + 1e-9, math.nan, [0.5, 2.0]]),
    "alpha of a drift": (lambda v: checks.signal(v, 0.3, "mine"), [1e-9, [0.5, 1.0]], [0, [0.5, 0.0]]),
    "alpha of a pair": (lambda v: checks.pair(POINTS, POINTS, v, 1.0, signal=True), [1e-9], [0]),
    "alpha of any pair": (lambda v: checks.pair(POINTS, POINTS, v, 1.0), [0, 1], [2]),
    "eta": (
        lambda v: checks.method("ddim", ("ddim",), v, np.random.default_rng(0)),
        [0, 0.5, 1],
        [-0.1, 1.1, math.nan],
    ),
    "eta of ddpm": (lambda v: checks.method("ddpm", ("ddpm",), v, np.random.default_rng(0)), [0], [0.1]),
    "a number for each image": (
        lambda v: checks.per_image(v, POINTS, "alpha"),
        [0, 1e9, [0, 1, 2]],
        [-1, math.inf, [1]],
    ),
    "falling times": (
        lambda v: checks.grid(POINTS, line, v),
        [[1, 0], [0.9, 0.5, 0.1]],
        [[1], [0, 1], [1, 1], 1, [1, 0.5, 0.7]],
    ),
}


@pytest.mark.parametrize("check", NUMBERS)
def test_a_range_takes_its_ends_and_nothing_beyond(check):
    take, good, bad = NUMBERS[check]
    for value in good:
        take(value)
    for value in bad:
        with pytest.raises(ValueError, match=r"expected|must fall|start below|does not follow|which has none"):
            take(value)


@pytest.mark.parametrize("check", ["integer", "integers", "positive", "share"])
def test_what_is_no_number_is_of_a_wrong_type(check):
    for value in ("3", None, [1.5], {}):
        with pytest.raises(TypeError, match="expected"):
            getattr(checks, check)(value, "what")
    if check == "integer":
        for value in (True, 2.0):
            with pytest.raises(TypeError, match=f"what is {value}"):
                checks.integer(value, "what")


def test_numbers_come_back_as_those_of_python():
    assert type(checks.integer(np.int32(3), "n")) is int
    assert checks.integers([np.int64(3), 4], "n") == (3, 4)
    assert type(checks.positive(np.float32(3), "n")) is type(checks.share(np.float32(0.5), "n")) is float
    assert checks.times([0, 1]).dtype == np.float64
    assert checks.per_image(2, POINTS, "n") == 2.0 and type(checks.per_image(2, POINTS, "n")) is float


def test_numbers_of_each_image_multiply_images():
    found = checks.per_image([1, 2], PICTURES.astype("f4"), "alpha")
    assert (found.shape, found.dtype) == ((2, 1, 1, 1), np.float32)
    np.testing.assert_array_equal((found * PICTURES)[1], 2 * PICTURES[1])


def test_pixels_lie_within_2_and_points_anywhere():
    for far in (2.0, -2.0):
        checks.training_set(np.full((1, 5, 5, 1), far))
        for images in (np.full((1, 5, 5, 1), 1.01 * far), np.where(np.arange(25).reshape(1, 5, 5, 1), 0.0, 1.01 * far)):
            with pytest.raises(ValueError, match=r"expected pixels in \[-1, 1\]"):
                checks.training_set(images)
        checks.training_set(np.full((3, 2), 100 * far))


@pytest.mark.parametrize(
    ("shape", "first"),
    [((4, 5, 5), True), ((5, 5, 5), False), ((4, 4, 5), False), ((4, 5, 4), False), ((1, 5, 9), True)],
)
def test_four_rows_or_fewer_of_more_columns_and_channels_have_channels_first(shape, first):
    images = np.zeros((2, *shape))
    if first:
        with pytest.raises(ValueError, match="channels last"):
            checks.channels_last(images, "images")
    else:
        checks.channels_last(images, "images")
    checks.channels_last(images.reshape(2, -1), "points")


def test_images_of_a_batch_have_the_channels_that_are_wanted():
    assert checks.image_batch(PICTURES, 3) is np
    for x in (PICTURES[..., :1], PICTURES.reshape(2, -1), POINTS):
        with pytest.raises(ValueError, match=r"expected images \(B, H, W, 3\)"):
            checks.image_batch(x, 3)


@pytest.mark.parametrize(
    ("values", "classes", "count", "says"),
    [
        ([0, 1, 2], 3, 3, ""),
        (2, 3, None, ""),
        ([], 3, None, ""),
        (["a", "b"], None, 2, ""),
        ([5, -7], None, 2, ""),
        ([0, 3], 3, 2, "lie in 0 to 3, expected 0 to 2"),
        ([-1, 0], 3, 2, "lie in -1 to 0, expected 0 to 2"),
        (3, 3, None, "is 3, expected an integer from 0 to 2"),
        ([0, 1], 3, 3, r"shape \(2,\).*expected \(3,\) integers from 0 to 2"),
        ([[0, 1]], 3, None, r"shape \(1, 2\).*one for each item, from 0 to 2"),
        ([0.0, 1.0], 3, 2, "dtype float64"),
        (["a", "b"], 3, 2, "expected"),
        ([0.5, 1.0], None, 2, "or strings"),
    ],
)
def test_labels_are_integers_below_the_number_of_classes(values, classes, count, says):
    if not says:
        np.testing.assert_array_equal(
            checks.labels(np.asarray(values, int if values == [] else None), classes, count), values
        )
        return
    with pytest.raises(ValueError, match=says):
        checks.labels(np.asarray(values), classes, count)


def test_what_was_probably_meant_is_named():
    for word, says in (
        ("cosin", "; did you mean cosine?"),
        ("linaer", "; did you mean linear?"),
        ("FLOW", "; did you mean Flow?"),
        ("xyz", ""),
    ):
        assert checks.meant(word, ("cosine", "linear", "Flow")) == says


@pytest.mark.parametrize(
    ("method", "eta", "draws"), [("ddim", 0, False), ("ddim", 0.1, True), ("ddpm", 0, True), ("heun", 0, False)]
)
def test_noise_is_drawn_by_ancestral_steps_and_needs_a_generator(method, eta, draws):
    methods = ("ddim", "ddpm", "heun")
    assert checks.method(method, methods, eta, np.random.default_rng(0)) == draws
    if draws:
        with pytest.raises(ValueError, match="draws noise: pass rng="):
            checks.method(method, methods, eta, None)
    else:
        assert not checks.method(method, methods, eta, None)


def test_a_walk_is_its_levels_and_only_the_last_is_free_of_noise():
    assert checks.grid(POINTS, line, [0.75, 0.5, 0.0]) == [(0.25, 0.75, 0.75), (0.5, 0.5, 0.5), (1.0, 0.0, 0.0)]
    with pytest.raises(ValueError, match=r"sigma is 0 at t = 0\.5, before the last"):
        checks.grid(POINTS, lambda t: (1 - t, max(t - 0.5, 0.0)), [0.75, 0.5, 0.0])


def test_an_answer_has_the_shape_and_dtype_of_what_was_asked():
    now = SimpleNamespace(t=0.5, sigma=0.7)
    checks.answer(POINTS, POINTS, 0, now)
    for wrong in (POINTS[:1], POINTS.astype("f8"), None, 3.0, np.where(POINTS == 0, np.inf, 0).astype("f4")):
        with pytest.raises(ValueError, match=r"step 3.*the denoiser returned"):
            checks.answer(wrong, POINTS, 3, now)
