"""Tests of assignment 8 that the student has."""

import numpy as np
import pytest

from edudiff.course.answers import agree


def arrays(*shapes, seed=0):
    """Random arrays of these shapes."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


def loops(x, w, b):
    """The definition of the convolution, one pixel and one offset at a time."""
    r, (_, rows, columns, _) = len(w) // 2, x.shape
    out = np.zeros((*x.shape[:3], w.shape[3])) + b
    for i, j in np.ndindex(rows, columns):
        for s, t in np.ndindex(len(w), len(w)):
            if 0 <= i + s - r < rows and 0 <= j + t - r < columns:
                out[:, i, j] += x[:, i + s - r, j + t - r] @ w[s, t]
    return out


@pytest.mark.conv
def test_one_weight_shifts_the_picture(student):
    """A single 1 at the offset (0, 1) fetches the pixel on the right; beyond the border there is 0."""
    [x], w = arrays((1, 3, 4, 1)), np.zeros((3, 3, 1, 1))
    w[1, 2] = 1.0
    expected = np.concatenate([x[:, :, 1:], np.zeros((1, 3, 1, 1))], axis=2)
    agree(student.conv(x, w, np.zeros(1)), expected)


@pytest.mark.conv
def test_convolution_is_its_definition(student):
    """Against a loop over pixels and offsets, with more channels than one, and a bias."""
    x, w, b = arrays((2, 4, 3, 2), (3, 3, 2, 3), (3,))
    agree(student.conv(x, w, b), loops(x, w, b))


@pytest.mark.conv
def test_as_many_channels_out_as_in(student):
    """C = D and B = H = W, so that no mistake about axes shows up in the shapes."""
    x, w, b = arrays((3, 3, 3, 3), (3, 3, 3, 3), (3,), seed=1)
    agree(student.conv(x, w, b), loops(x, w, b))


@pytest.mark.conv
def test_sizes_one_and_five_and_single_precision(student):
    """Windows of one pixel, and windows larger than the picture; float32 stays float32."""
    for size in (1, 5):
        x, w, b = arrays((2, 2, 3, 2), (size, size, 2, 3), (3,), seed=2)
        expected = loops(x, w, b)
        agree(student.conv(x, w, b), expected, what=f"out for {size = }")
        single = student.conv(*(a.astype("float32") for a in (x, w, b)))
        agree(single, expected.astype("float32"), 1e-5, f"out for float32, {size = }")


@pytest.mark.conv_dw
def test_slope_in_the_weights(student):
    """Move w along a random direction: the loss changes by <dw, direction>."""
    for shapes in (((2, 4, 3, 2), (3, 3, 2, 3)), ((3, 3, 3, 3), (3, 3, 3, 3))):
        x, w, move = arrays(*shapes, shapes[1])
        [dout] = arrays((*shapes[0][:3], shapes[1][3]), seed=1)
        change = np.sum(dout * (loops(x, w + move, 0.0) - loops(x, w, 0.0)))
        agree(np.sum(student.conv_dw(dout, x, 3) * move), change, what="<dw, direction>")


@pytest.mark.conv_dw
def test_one_pixel_of_one_picture(student):
    """dout is a single 1: dw is the window of x around that pixel."""
    [x], dout = arrays((2, 4, 4, 1)), np.zeros((2, 4, 4, 1))
    dout[1, 2, 1] = 1.0
    agree(student.conv_dw(dout, x, 3)[..., 0, 0], x[1, 1:4, 0:3, 0])


@pytest.mark.conv_dw
def test_dw_of_sizes_one_and_five_and_single_precision(student):
    """One offset at a time: the loss changes by dw, as far as the window lies in the picture; float32 stays float32."""
    for size in (1, 5):
        x, dout = arrays((2, 2, 4, 2), (2, 2, 4, 3), seed=3)
        expected = np.empty((size, size, 2, 3))
        for i in np.ndindex(expected.shape):
            w = np.zeros(expected.shape)
            w[i] = 1.0
            expected[i] = np.sum(dout * loops(x, w, 0.0))
        agree(student.conv_dw(dout, x, size), expected, what=f"dw for {size = }")
        single = student.conv_dw(dout.astype("float32"), x.astype("float32"), size)
        agree(single, expected.astype("float32"), 1e-5, f"dw for float32, {size = }")


@pytest.mark.conv_dx
def test_slope_in_the_picture(student):
    """Move x along a random direction: the loss changes by <dx, direction>."""
    for shapes in (((2, 4, 3, 2), (3, 3, 2, 3)), ((3, 3, 3, 3), (3, 3, 3, 3))):
        x, w, move = arrays(*shapes, shapes[0])
        [dout] = arrays((*shapes[0][:3], shapes[1][3]), seed=1)
        change = np.sum(dout * (loops(x + move, w, 0.0) - loops(x, w, 0.0)))
        agree(np.sum(student.conv_dx(dout, w) * move), change, what="<dx, direction>")


@pytest.mark.conv_dx
def test_one_pixel_of_dout(student):
    """dout is a single 1 in the middle: dx is the window of w itself, not turned, around it."""
    [w], dout = arrays((3, 3, 1, 1)), np.zeros((1, 5, 5, 1))
    dout[0, 2, 2] = 1.0
    agree(student.conv_dx(dout, w)[0, 1:4, 1:4], w[..., 0])


@pytest.mark.conv_dx
def test_dx_of_sizes_one_and_five_and_single_precision(student):
    """One pixel at a time: the loss changes by dx, also where windows are larger than the picture."""
    for size in (1, 5):
        w, dout = arrays((size, size, 2, 3), (2, 2, 4, 3), seed=4)
        expected = np.empty((2, 2, 4, 2))
        for i in np.ndindex(expected.shape):
            x = np.zeros(expected.shape)
            x[i] = 1.0
            expected[i] = np.sum(dout * loops(x, w, 0.0))
        agree(student.conv_dx(dout, w), expected, what=f"dx for {size = }")
        single = student.conv_dx(dout.astype("float32"), w.astype("float32"))
        agree(single, expected.astype("float32"), 1e-5, f"dx for float32, {size = }")
