"""P47: backprop against central differences along random directions, in float64; and each layer against plain loops."""

import itertools

import numpy as np
import pytest
from gradients import check_layer

from edudiff.backend import has_numba
from edudiff.nn import layers

PADDINGS = ("zero", "wrap")
SHAPES = ((2, 4, 5, 3), (1, 3, 3, 1), (3, 5, 4, 2))


def modules():
    """The definition, and its compiled twin where there is Numba."""
    if not has_numba():
        return [layers]
    from edudiff.fast import layers as compiled

    return [layers, compiled]


def convolutions():
    """Three ways to the same convolution: the definition, its compiled columns, and Winograd's."""
    if not has_numba():
        return [layers]
    from edudiff.fast import winograd

    return [*modules(), winograd]


def normal(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng((seed, *shape)).standard_normal(shape).astype(dtype)


def conv_loops(x, w, b, padding):
    count, height, width, _ = x.shape
    size, _, _, features = w.shape
    r = size // 2
    out = np.zeros((count, height, width, features))
    for n, u, v, i, j in itertools.product(*map(range, (count, height, width, size, size))):
        y, z = u + i - r, v + j - r
        if padding == "wrap":
            y, z = y % height, z % width
        if 0 <= y < height and 0 <= z < width:
            out[n, u, v] += x[n, y, z] @ w[i, j]
    return out + b


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", (1, 3))
def test_convolution_is_the_sum_over_offsets(shape, size, padding):
    x, w, b = normal(*shape), normal(size, size, shape[-1], 4), normal(4)
    for module in convolutions() if size == 3 else modules():
        out, _ = module.conv(x, w, b, padding)
        np.testing.assert_allclose(out, conv_loops(x, w, b, padding), atol=1e-12)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("shape", SHAPES)
def test_gradient_of_convolution_p47(shape, padding):
    w, b = normal(3, 3, shape[-1], 4), normal(4)
    for module in convolutions():
        check_layer(lambda x, w, b, m=module: m.conv(x, w, b, padding), module.conv_backward, normal(*shape), w, b)


@pytest.mark.parametrize("padding", PADDINGS)
def test_convolution_backward_is_the_adjoint(padding):
    """<conv(x), y> = <x, conv^T(y)>: exact for a linear map, unlike a difference quotient."""
    x, w, y = normal(2, 5, 4, 3), normal(3, 3, 3, 2), normal(2, 5, 4, 2, seed=1)
    for module in convolutions():
        out, cache = module.conv(x, w, np.zeros(2), padding)
        dx, dw, _ = module.conv_backward(y, cache)
        assert np.sum(out * y) == pytest.approx(np.sum(x * dx), rel=1e-12)
        assert np.sum(out * y) == pytest.approx(np.sum(w * dw), rel=1e-12)


def test_convolution_does_not_depend_on_its_blocks(monkeypatch):
    x, w, b = normal(7, 6, 5, 3), normal(3, 3, 3, 4), normal(4)
    whole, cache = layers.conv(x, w, b, "zero")
    whole_grads = layers.conv_backward(whole, cache)
    monkeypatch.setattr(layers, "COLUMN_BYTES", 1)
    out, cache = layers.conv(x, w, b, "zero")
    np.testing.assert_allclose(out, whole, rtol=1e-12)
    for one, other in zip(layers.conv_backward(out, cache), whole_grads, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11)


def test_gradient_of_dense():
    check_layer(layers.dense, layers.dense_backward, normal(5, 3), normal(3, 4), normal(4))


@pytest.mark.parametrize("name", ("relu", "silu"))
def test_gradient_of_activation(name):
    for module in modules():
        check_layer(getattr(module, name), getattr(module, name + "_backward"), normal(2, 3, 4, 5))


def test_gradient_of_modulation():
    for module in modules():
        check_layer(module.modulate, module.modulate_backward, normal(2, 3, 4, 5), normal(2, 5, seed=1), normal(2, 5))


def test_silu_is_x_times_the_logistic_function_and_never_overflows():
    x = np.array([[-1e4, -90.0, -1.0, 0.0, 1.0, 90.0, 1e4]])
    with np.errstate(over="ignore"):
        expected = x / (1 + np.exp(-x))
    for module, dtype in itertools.product(modules(), (np.float32, np.float64)):
        with np.errstate(all="raise", under="ignore"):
            out, _ = module.silu(x.astype(dtype))
        np.testing.assert_allclose(out, expected, rtol=1e-6, atol=1e-6)


def test_compiled_layers_equal_the_definition_in_float32():
    pytest.importorskip("numba")
    definition, compiled = modules()
    x, dout = normal(3, 6, 5, 16, dtype=np.float32), normal(3, 6, 5, 16, seed=1, dtype=np.float32)
    scale, shift = normal(3, 16, dtype=np.float32), normal(3, 16, seed=1, dtype=np.float32)
    w, b = normal(3, 3, 16, 16, dtype=np.float32), normal(16, dtype=np.float32)
    assert compiled.suits_winograd(w)
    calls = {"silu": (x,), "relu": (x,), "modulate": (x, scale, shift), "conv": (x, w, b, "zero")}
    for name, arguments in calls.items():
        (out, cache), (fast_out, fast_cache) = (getattr(m, name)(*arguments) for m in (definition, compiled))
        np.testing.assert_allclose(fast_out, out, rtol=1e-5, atol=1e-5)
        assert fast_out.dtype == np.float32
        grads, fast_grads = (
            getattr(m, name + "_backward")(dout, c) for m, c in ((definition, cache), (compiled, fast_cache))
        )
        grads, fast_grads = ((g,) if isinstance(g, np.ndarray) else g for g in (grads, fast_grads))
        for one, other in zip(fast_grads, grads, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(compiled.add(x, dout), definition.add(x, dout))
