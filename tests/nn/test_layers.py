"""P47: backprop against differences along random directions; each layer against loops; linear layers are adjoint."""

import importlib
import itertools
import math
from functools import partial

import numpy as np
import pytest
from layer_modules import modules, normal

from edudiff.nn import check_gradients, layers
from edudiff.support.random import streams

PADDINGS = ("zero", "circular", "reflect")
SHAPES = ((2, 4, 5, 3), (1, 3, 3, 1), (3, 5, 4, 2), (2, 6, 9, 17))  # the last has enough channels for Winograd


def window(size, channels):
    """Weights and bias of a convolution; as many features as channels or more, so that many stay many."""
    return normal(size, size, channels, channels + 1), normal(channels + 1)


def conv_loops(x, w, b, padding, stride=1):
    count, height, width, _ = x.shape
    size, _, _, features = w.shape
    r = size // 2
    out = np.zeros((count, math.ceil(height / stride), math.ceil(width / stride), features))
    for n, u, v, i, j in itertools.product(*map(range, (*out.shape[:3], size, size))):
        y, z = stride * u + i - r, stride * v + j - r
        if padding == "circular":
            y, z = y % height, z % width
        if padding == "reflect":
            y, z = (side - 1 - abs(side - 1 - abs(place)) for place, side in ((y, height), (z, width)))
        if 0 <= y < height and 0 <= z < width:
            out[n, u, v] += x[n, y, z] @ w[i, j]
    return out + b


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("size", "stride"), ((1, 1), (3, 1), (3, 2), (5, 1), (5, 3)))
def test_convolution_is_the_sum_over_offsets(shape, size, stride, padding):
    x, w, b = normal(*shape), *window(size, shape[-1])
    if padding == "circular" and size // 2 > min(shape[1:3]):
        return
    for module in modules():
        out, _ = module.conv(x, w, b, padding, stride)
        np.testing.assert_allclose(out, conv_loops(x, w, b, padding, stride), atol=1e-12)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("size", "stride"), ((1, 2), (3, 1), (3, 2), (5, 1), (5, 3)))
def test_gradient_of_convolution_p47(shape, size, stride, padding):
    for module in modules():
        check_gradients(module.conv, module.conv_backward, normal(*shape), *window(size, shape[-1]), padding, stride)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("shape", ((5, 4), (6, 7), (3, 2)))
def test_transposed_convolution_is_the_adjoint_of_the_strided_one(shape, padding):
    """<conv(x), y> = <x, conv^T(y)>, for the layer conv_transpose and for conv's own backward."""
    w, x = normal(3, 3, 2, 3), normal(2, *shape, 2)
    y = normal(2, *(math.ceil(side / 2) for side in shape), 3)
    for module in modules():
        out, cache = module.conv(x, w, np.zeros(3), padding, 2)
        back, _ = module.conv_transpose(y, w, np.zeros(2), shape, padding)
        assert np.sum(out * y) == pytest.approx(np.sum(x * back), rel=1e-12)
        np.testing.assert_allclose(module.conv_backward(y, cache)[0], back, atol=1e-12)


def linear_layers():
    """name -> (forward, backward, input): layers that are linear in their first argument."""
    x, w, turned = normal(2, 5, 4, 3), normal(3, 3, 3, 2), normal(3, 3, 2, 3)
    for module in modules():
        for padding, stride in itertools.product(PADDINGS, (1, 2)):
            yield lambda x, p=padding, s=stride, m=module: m.conv(x, w, 0 * w[0, 0, 0], p, s), module.conv_backward, x
        yield (
            lambda x, m=module: m.conv_transpose(x, turned, np.zeros(2), (9, 8), "reflect"),
            module.conv_transpose_backward,
            x,
        )
        yield lambda x, m=module: m.nearest(x, (10, 7)), module.nearest_backward, x
        yield lambda x, m=module: m.bilinear(x, (9, 8)), module.bilinear_backward, x
        yield lambda x, m=module: m.bilinear(x, (9, 8), "circular"), module.bilinear_backward, x
        yield module.average_pool, module.average_pool_backward, x
        yield lambda x, m=module: m.dense(x, w[0, 0], 0 * w[0, 0, 0]), module.dense_backward, x
        yield lambda x, m=module: m.dropout(x, 0.4, streams(0, 2)), module.dropout_backward, x
        yield lambda x, m=module: m.concatenate(x, 0 * x), lambda d, c, m=module: m.concatenate_backward(d, c)[0], x


@pytest.mark.parametrize("index", range(14))
def test_backward_of_a_linear_layer_is_its_adjoint(index):
    """<layer(x), y> = <x, layer^T(y)>: exact for a linear map, unlike a difference quotient."""
    for forward, backward, x in list(linear_layers())[index::14]:
        out, cache = forward(x)
        y = normal(*out.shape, seed=1)
        dx = backward(y, cache)
        dx = dx[0] if isinstance(dx, tuple) else dx
        assert np.sum(out * y) == pytest.approx(np.sum(x * dx), rel=1e-12)


def test_convolution_backward_is_the_adjoint_in_the_window():
    for module, channels in itertools.product(modules(), (3, 19)):
        x, (w, b) = normal(2, 5, 4, channels), window(3, channels)
        out, cache = module.conv(x, w, 0 * b, "zero")
        y = normal(*out.shape, seed=1)
        for need_dx in (True, False):
            dw = module.conv_backward(y, cache, need_dx=need_dx)[1]
            assert np.sum(out * y) == pytest.approx(np.sum(w * dw), rel=1e-12)


@pytest.mark.parametrize("padding", PADDINGS)
def test_convolution_does_not_depend_on_its_blocks(monkeypatch, padding):
    x, w, b = normal(7, 6, 5, 3), normal(3, 3, 3, 4), normal(4)
    whole, cache = layers.conv(x, w, b, padding)
    whole_grads = layers.conv_backward(whole, cache)
    monkeypatch.setattr(importlib.import_module("edudiff.nn.layers.convolution"), "COLUMN_BYTES", 1)
    out, cache = layers.conv(x, w, b, padding)
    np.testing.assert_allclose(out, whole, rtol=1e-12)
    for one, other in zip(layers.conv_backward(out, cache), whole_grads, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11)


X = normal(2, 5, 4, 6)
GRADIENTS = {
    "dense": (normal(5, 3), normal(3, 4), normal(4)),
    "dense_at_level": (normal(5, 3), normal(2, 3, 4), normal(2, 4)),
    "relu": (X,),
    "silu": (X,),
    "gelu": (X,),
    "modulate": (X, normal(2, 6, seed=1), normal(2, 6)),
    "concatenate": (X, normal(2, 5, 4, 3)),
    "max_pool": (X,),
    "average_pool": (X,),
    "nearest": (X, (9, 8)),
    "bilinear": (X, (10, 7)),
    "conv_transpose": (X, normal(3, 3, 4, 6), normal(4), (9, 8)),
    "group_norm": (X, normal(6), normal(6, seed=1), 3),
    "attention": (X, normal(6, 18), normal(18), normal(6, 6), normal(6), 2),
    "hermite": (normal(5, 3), 4),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradient_of_every_layer_p47(name):
    share = np.random.default_rng(0).dirichlet((1, 1), 5)  # given, so no gradient is asked for
    for module in modules():
        forward, backward = getattr(module, name), getattr(module, f"{name}_backward")
        if name == "dense_at_level":
            forward = partial(forward, share=share)
        check_gradients(forward, backward, *GRADIENTS[name])


def test_gradient_of_embedding_and_dropout_p47():
    labels = np.array([2, 0, 2, 1])
    for module in modules():
        check_gradients(lambda table, m=module: m.embed(labels, table), module.embed_backward, normal(4, 3))
        check_gradients(lambda x, m=module: m.dropout(x, 0.5, streams(3, 2)), module.dropout_backward, X)


def test_embedding_takes_rows():
    table = normal(4, 3)
    out, cache = layers.embed(np.array([3, 0, 3]), table)
    np.testing.assert_array_equal(out, table[[3, 0, 3]])
    np.testing.assert_array_equal(layers.embed_backward(np.ones((3, 3)), cache), [[1] * 3, [0] * 3, [0] * 3, [2] * 3])


@pytest.mark.parametrize(("name", "reduce"), (("max_pool", np.max), ("average_pool", np.mean)))
@pytest.mark.parametrize("shape", ((1, 1), (4, 6), (5, 4), (3, 7)))
def test_pooling_is_over_the_pixels_that_are_there(name, reduce, shape):
    x = normal(2, *shape, 3)
    out, _ = getattr(layers, name)(x)
    for u, v in np.ndindex(math.ceil(shape[0] / 2), math.ceil(shape[1] / 2)):
        tile = x[:, 2 * u : 2 * u + 2, 2 * v : 2 * v + 2]
        np.testing.assert_allclose(out[:, u, v], reduce(tile, axis=(1, 2)), rtol=1e-12)


def test_of_equal_pixels_the_first_gets_the_gradient():
    x = np.zeros((1, 2, 4, 1))
    x[0, 0, 0] = -1  # of the left tile, the second pixel is the first of the largest
    _, cache = layers.max_pool(x)
    dx = layers.max_pool_backward(np.array([3.0, 5.0]).reshape(1, 1, 2, 1), cache)
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0, 3, 5, 0], [0, 0, 0, 0]])


def test_upsampling_of_a_ramp_is_a_ramp_or_stairs():
    x = np.arange(4.0)[None, :, None, None]
    stairs, _ = layers.nearest(x, (7, 1))
    np.testing.assert_array_equal(stairs[0, :, 0, 0], [0, 0, 1, 1, 2, 2, 3])
    ramp, _ = layers.bilinear(x, (8, 1))
    np.testing.assert_allclose(ramp[0, :, 0, 0], [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3])


def test_group_normalized_groups_have_mean_0_and_variance_1():
    x = 5 + 3 * normal(2, 4, 4, 6)
    out, _ = layers.group_norm(x, np.ones(6), np.zeros(6), 2)
    parts = out.reshape(2, 16, 2, 3)
    np.testing.assert_allclose(parts.mean(axis=(1, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(parts.var(axis=(1, 3)), 1, rtol=1e-5)
    moved, _ = layers.group_norm(7 - 2 * x, np.ones(6), np.zeros(6), 2)
    np.testing.assert_allclose(moved, -out, atol=1e-5)  # blind to an affine change, but for the sign


def test_what_hardly_varies_is_not_blown_up():
    """1e-5 is added to the variance, as elsewhere: values of that variance come out with half of 1."""
    x = 1e-5**0.5 * np.where(np.arange(64).reshape(1, 4, 4, 4) % 2, 1.0, -1.0)
    out, _ = layers.group_norm(x, np.ones(4), np.zeros(4), 1)
    assert out.var() == pytest.approx(0.5, rel=1e-6)


def attention_loops(x, w_in, b_in, w_out, b_out, heads):
    count, height, width, channels = x.shape
    d = channels // heads
    out = np.zeros_like(x)
    for n, head in np.ndindex(count, heads):
        q, k, v = np.split(x[n].reshape(-1, channels) @ w_in + b_in, 3, axis=1)
        q, k, v = (part[:, head * d : (head + 1) * d] for part in (q, k, v))
        for u in range(height * width):
            weight = np.array([math.exp(q[u] @ k[other] / math.sqrt(d)) for other in range(height * width)])
            answer = (weight / weight.sum()) @ v
            out[n].reshape(-1, channels)[u] += answer @ w_out[head * d : (head + 1) * d]
    return out + b_out


@pytest.mark.parametrize("heads", (1, 2, 6))
def test_attention_is_a_softmax_over_pixels(heads):
    arrays = GRADIENTS["attention"][:5]
    out, _ = layers.attention(*arrays, heads)
    np.testing.assert_allclose(out, attention_loops(*arrays, heads), atol=1e-12)


def test_attention_is_permutation_equivariant():
    x, *arrays = GRADIENTS["attention"][:5]
    order = np.random.default_rng(0).permutation(20)

    def permuted(y):
        return y.reshape(2, 20, 6)[:, order].reshape(y.shape)

    np.testing.assert_allclose(
        layers.attention(permuted(x), *arrays, 2)[0], permuted(layers.attention(x, *arrays, 2)[0]), atol=1e-12
    )


def test_attention_to_huge_scores_is_finite():
    x, w_in, *rest = GRADIENTS["attention"][:5]
    with np.errstate(over="raise", invalid="raise"):
        out, _ = layers.attention(x, 1e4 * w_in, *rest)
    assert np.isfinite(out).all()


def test_dropout_keeps_the_mean_and_a_mask_belongs_to_its_item():
    x = np.ones((4, 50, 50, 2))
    out, _ = layers.dropout(x, 0.3, streams(0, 4))
    assert set(np.unique(out)) == {0.0, 1 / 0.7}
    assert out.mean() == pytest.approx(1, abs=5 * math.sqrt(0.3 / 0.7 / x.size))
    np.testing.assert_array_equal(layers.dropout(x[2:], 0.3, streams(0, range(2, 4)))[0], out[2:])
    assert layers.dropout(x, 0.3, None)[0] is x


def test_hermite_terms_are_uncorrelated_in_noise_and_span_the_polynomials():
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)
    x = np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2)
    mass = np.outer(weights, weights).ravel() / (2 * math.pi)
    terms, _ = layers.hermite(x, 4)
    assert terms.shape == (144, math.comb(6, 2) - 1)
    np.testing.assert_allclose((terms * mass[:, None]).T @ terms, np.eye(14), atol=1e-10)
    design = np.concatenate([np.ones((144, 1)), terms], axis=1)
    monomial = x[:, 0] ** 3 * x[:, 1]
    np.testing.assert_allclose(design @ np.linalg.lstsq(design, monomial, rcond=None)[0], monomial, atol=1e-6)


def test_silu_is_x_times_the_logistic_function_and_never_overflows():
    x = np.array([[-1e4, -90.0, -1.0, 0.0, 1.0, 90.0, 1e4]])
    with np.errstate(over="ignore"):
        expected = x / (1 + np.exp(-x))
    for module, dtype in itertools.product(modules(), (np.float32, np.float64)):
        with np.errstate(all="raise", under="ignore"):
            out, _ = module.silu(x.astype(dtype))
        np.testing.assert_allclose(out, expected, rtol=1e-6, atol=1e-6)


def test_gelu_is_nearly_x_times_the_normal_distribution():
    x = np.linspace(-4, 4, 81)
    expected = x * np.array([(1 + math.erf(v / math.sqrt(2))) / 2 for v in x])
    np.testing.assert_allclose(layers.gelu(x)[0], expected, atol=5e-4)


def test_bad_calls_are_named():
    with pytest.raises(ValueError, match="groups is 4, which does not divide 6"):
        layers.group_norm(X, np.ones(6), np.ones(6), 4)
    with pytest.raises(ValueError, match="heads is 4, which does not divide 6"):
        layers.attention(*GRADIENTS["attention"][:5], 4)
    for shape in ((1, 2, 5, 3), (1, 5, 2, 3)):
        with pytest.raises(ValueError, match="'reflect' shows 2 pixels beyond the border, so it needs 3"):
            layers.conv(normal(*shape), normal(5, 5, 3, 4), normal(4), "reflect")
    with pytest.raises(ValueError, match=r"does not double to \(11, 8\)"):
        layers.nearest(X, (11, 8))
    with pytest.raises(ValueError, match=r"stride 2 does not take to \(8, 8\)"):
        layers.conv_transpose(X, normal(3, 3, 4, 6), normal(4), (8, 8))


@pytest.mark.parametrize("name", GRADIENTS)
def test_layer_runs_on_the_device_and_keeps_its_dtype(name, any_cupy):
    inputs = [v.astype(np.float32) if isinstance(v, np.ndarray) else v for v in GRADIENTS[name]]
    if name == "dense_at_level":
        inputs.append(np.full((5, 2), 0.5, np.float32))
    forward, backward = getattr(layers, name), getattr(layers, f"{name}_backward")
    out, cache = forward(*inputs)
    moved, moved_cache = forward(*(any_cupy.asarray(v) if isinstance(v, np.ndarray) else v for v in inputs))
    assert moved.dtype == out.dtype == np.float32
    np.testing.assert_allclose(moved.get(), out, atol=1e-4)
    gradients, on_device = backward(out, cache), backward(moved, moved_cache)
    for one, other in zip(*((g if isinstance(g, tuple) else (g,)) for g in (on_device, gradients)), strict=True):
        assert one.dtype == other.dtype == np.float32
        np.testing.assert_allclose(one.get(), other, rtol=1e-3, atol=1e-3)


def test_compiled_layers_equal_the_definition_in_float32():
    pytest.importorskip("numba")
    definition, compiled = modules()
    x, dout = normal(3, 6, 5, 16, dtype=np.float32), normal(3, 6, 5, 16, seed=1, dtype=np.float32)
    scale, shift = normal(3, 16, dtype=np.float32), normal(3, 16, seed=1, dtype=np.float32)
    w, b = normal(3, 3, 16, 16, dtype=np.float32) / 12, normal(16, dtype=np.float32)
    assert compiled.suits_winograd(w)
    calls = [("silu", (x,)), ("relu", (x,)), ("gelu", (x,)), ("modulate", (x, scale, shift))]
    calls += [("conv", (x, w, b, padding)) for padding in PADDINGS]
    for name, arguments in calls:
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


@pytest.mark.parametrize("need_dx", [True, False])
def test_winograd_cuts_a_batch_into_blocks(monkeypatch, need_dx):
    pytest.importorskip("numba")
    from edudiff.fast import winograd

    x, dout = normal(5, 6, 9, 16), normal(5, 6, 9, 24, seed=1)
    w, b = normal(3, 3, 16, 24), normal(24)
    expected, cache = layers.conv(x, w, b, "circular")
    gradients = layers.conv_backward(dout, cache, need_dx=need_dx)
    monkeypatch.setattr(winograd, "TILE_BYTES", 2 * 36 * 6 * 24 * 8)  # two images
    pieces, room = winograd.blocks(x, 24)
    assert [count for _, count in pieces] == [12, 12, 6]
    assert room == 13
    np.testing.assert_allclose(winograd.conv(x, w, b, True), expected, atol=1e-10)
    found = winograd.conv_backward(dout, x, w, True, need_dx)
    assert (found[0] is None) == (not need_dx)
    for one, other in zip(found, gradients, strict=True):
        if other is not None:
            np.testing.assert_allclose(one, other, atol=1e-9)


def test_winograd_loses_little_more_than_the_plain_sum_in_float32():
    """Root mean square error against float64, forwards and in the window's gradient; the usual points lose 8 times."""
    pytest.importorskip("numba")
    x, w, b = normal(2, 28, 28, 64), normal(3, 3, 64, 64) / 24, normal(64)
    wanted, cache = layers.conv(x, w, b, "zero")
    wanted_dw = layers.conv_backward(x, cache)[1]
    errors = []
    for module in modules():
        out, cache = module.conv(*(v.astype(np.float32) for v in (x, w, b)), "zero")
        dw = module.conv_backward(x.astype(np.float32), cache)[1]
        errors.append([np.sqrt(np.mean((one - other) ** 2)) for one, other in ((out, wanted), (dw, wanted_dw))])
    assert (np.array(errors[1]) < 6 * np.array(errors[0])).all(), errors


def test_the_compiled_twin_has_every_layer():
    pytest.importorskip("numba")
    from edudiff.nn.layers import compiled

    assert {name for name in layers.__all__ if name != "PADDINGS" and not hasattr(compiled, name)} == set()


def turned(array):
    """The same values, side by side in memory in another order."""
    return np.asfortranarray(array)


@pytest.mark.parametrize(("padding", "mode"), [("zero", "constant"), ("circular", "wrap"), ("reflect", "reflect")])
def test_padding_is_that_of_numpy(padding, mode):
    x = normal(2, 4, 5, 3)
    for r in (0, 1, 3):
        np.testing.assert_array_equal(
            layers.convolution.pad(x, r, padding), np.pad(x, ((0, 0), (r, r), (r, r), (0, 0)), mode)
        )


def test_a_rate_of_0_draws_nothing():
    streams = [np.random.default_rng(i) for i in range(2)]
    x = np.ones((2, 3, 3, 1))
    assert layers.dropout(x, 0.0, streams) == (x, None)
    assert [s.random() for s in streams] == [np.random.default_rng(i).random() for i in range(2)]


def test_at_its_corner_the_slope_of_relu_is_0():
    x = np.array([-2.0, -0.0, 0.0, 1e-300, 2.0])
    out, cache = layers.relu(x)
    np.testing.assert_array_equal(out, [0, 0, 0, 1e-300, 2])
    np.testing.assert_array_equal(layers.relu_backward(np.full(5, 3.0), cache), [0, 0, 0, 3, 3])


@pytest.mark.parametrize("dtype", (np.float32, np.float64))
def test_any_order_in_memory(dtype):
    x, y = (normal(2, 5, 4, 6, seed=seed).astype(dtype) for seed in (0, 1))
    scale, shift = (normal(2, 6, seed=seed).astype(dtype) for seed in (2, 3))
    for module in modules():
        made, wanted = (
            [
                run.add(a, y),
                *both(run.modulate, run.modulate_backward, b, a, scale, shift),
                *both(run.silu, run.silu_backward, y, a),
            ]
            for run, a, b in ((module, turned(x), turned(y)), (layers, x, y))
        )
        for one, other in zip(made, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def both(forward, backward, dout, *inputs):
    """What a layer answers, and its gradients."""
    out, cache = forward(*inputs)
    gradients = backward(dout, cache)
    return [out, *(gradients if isinstance(gradients, tuple) else (gradients,))]


@pytest.mark.parametrize("side", (4, 5))
def test_pooling_treats_each_image_of_a_batch_alike(side):
    x = normal(5, side, side + 1, 2)
    for pool, back in (
        (layers.average_pool, layers.average_pool_backward),
        (layers.max_pool, layers.max_pool_backward),
    ):
        out, cache = pool(x)
        alone = [pool(image[None]) for image in x]
        np.testing.assert_array_equal(out, np.concatenate([a for a, _ in alone]))
        dout = normal(*out.shape)
        expected = np.concatenate([back(dout[i : i + 1], c) for i, (_, c) in enumerate(alone)])
        np.testing.assert_array_equal(back(dout, cache), expected)


@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_dropout_keeps_the_dtype(dtype):
    x = normal(3, 4, 4, 2).astype(dtype)
    out, mask = layers.dropout(x, 0.3, streams(0, 3))
    assert out.dtype == dtype
    assert layers.dropout_backward(x, mask).dtype == dtype
