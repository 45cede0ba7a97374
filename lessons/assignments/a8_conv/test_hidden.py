"""Tests of assignment 8 that the grader has."""

import numpy as np
import pytest

from edudiff.course.answers import agree
from edudiff.nn import layers

SHAPES = (
    ((2, 5, 4, 3), (3, 3, 3, 2)),
    ((1, 3, 3, 1), (5, 5, 1, 1)),
    ((4, 2, 6, 2), (1, 1, 2, 4)),
    ((2, 2, 2, 2), (3, 3, 2, 2)),
    ((2, 2, 3, 2), (5, 5, 2, 3)),
)


def layer(seed):
    """x, w, b, dout of every shape, in both precisions, and what edudiff.nn.layers makes of them: out, dx, dw."""
    rng = np.random.default_rng(seed)
    for x_shape, w_shape in SHAPES:
        x, w, b = (rng.standard_normal(shape) for shape in (x_shape, w_shape, w_shape[3:]))
        out, cache = layers.conv(x, w, b, "zero")
        dout = rng.standard_normal(out.shape)
        dx, dw, _ = layers.conv_backward(dout, cache)
        for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-5)):
            yield tolerance, *(a.astype(dtype) for a in (x, w, b, dout, out, dx, dw))


@pytest.mark.conv
def test_conv_equals_the_package(student):
    """edudiff.nn.layers.conv, over many shapes."""
    for tolerance, x, w, b, _, out, _, _ in layer(81):
        agree(student.conv(x, w, b), out, tolerance, f"out for x {x.shape}, w {w.shape}, {x.dtype},")


@pytest.mark.conv_dw
def test_dw_equals_the_package(student):
    """edudiff.nn.layers.conv_backward, over many shapes."""
    for tolerance, x, w, _, dout, _, _, dw in layer(82):
        agree(student.conv_dw(dout, x, len(w)), dw, tolerance, f"dw for x {x.shape}, w {w.shape}, {x.dtype},")


@pytest.mark.conv_dx
def test_dx_equals_the_package(student):
    """edudiff.nn.layers.conv_backward, over many shapes."""
    for tolerance, x, w, _, dout, _, dx, _ in layer(83):
        agree(student.conv_dx(dout, w), dx, tolerance, f"dx for x {x.shape}, w {w.shape}, {x.dtype},")
