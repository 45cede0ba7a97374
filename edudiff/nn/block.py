"""What networks that hear their noise level are made of: a block around a convolution or a matrix, and attention."""

from typing import Any

from edudiff.nn.initial import Initial
from edudiff.nn.net import ConvolutionalNet, Net
from edudiff.support.types import Array, Arrays, Rng


def block(net: Net, name: str, x: Array, cond: Array, rng: Rng = None) -> tuple[Array, Any]:
    """Convolution or matrix, group normalization if any, scale and shift by the condition, activation, dropout if any.

    Of the parameters of `net`, those that begin with `name` are used. `x`: (B, ..., C). `cond`: (B, S), see
    `edudiff.nn.noise_level.condition`. `rng`: see `dropout`. Returns out (B, ..., D) and the cache.
    """
    run, p = net.layers, net.parameters
    config: Any = net.config
    w, b, cache_norm = p[f"{name}.w"], p[f"{name}.b"], None
    y, cache_map = run.conv(x, w, b, config.padding) if w.ndim == 4 else run.dense(x, w, b)  # (B, ..., D)
    if f"{name}.norm.w" in p:
        y, cache_norm = run.group_norm(y, p[f"{name}.norm.w"], p[f"{name}.norm.b"], config.groups)
    both, cache_cond = run.dense(cond, p[f"{name}.cond.w"], p[f"{name}.cond.b"])  # (B, 2 * D)
    scale, shift = both[:, : both.shape[1] // 2], both[:, both.shape[1] // 2 :]  # (B, D) each
    y, cache_modulate = run.modulate(y, scale, shift)
    y, cache_act = getattr(run, config.activation)(y)
    y, mask = run.dropout(y, config.dropout, rng)
    return y, (cache_map, cache_norm, cache_cond, cache_modulate, cache_act, mask)


def block_backward(
    net: Net, name: str, dy: Array, cache: Any, gradients: Arrays, need_dx: bool = True
) -> tuple[Array | None, Array]:
    """`block`, backwards: returns dx (B, ..., C) or None and dcond (B, S), writes the rest into `gradients`."""
    run, p = net.layers, net.parameters
    config: Any = net.config
    cache_map, cache_norm, cache_cond, cache_modulate, cache_act, mask = cache
    dy = run.dropout_backward(dy, mask)
    dy = getattr(run, f"{config.activation}_backward")(dy, cache_act)
    dy, dscale, dshift = run.modulate_backward(dy, cache_modulate)
    dboth, _ = run.concatenate(dscale, dshift)  # (B, 2 * D)
    dcond, gradients[f"{name}.cond.w"], gradients[f"{name}.cond.b"] = run.dense_backward(dboth, cache_cond)
    if cache_norm is not None:
        dy, gradients[f"{name}.norm.w"], gradients[f"{name}.norm.b"] = run.group_norm_backward(dy, cache_norm)
    conv = p[f"{name}.w"].ndim == 4
    back = run.conv_backward(dy, cache_map, need_dx=need_dx) if conv else run.dense_backward(dy, cache_map)
    dx, gradients[f"{name}.w"], gradients[f"{name}.b"] = back
    return dx, dcond


def attend(net: ConvolutionalNet, name: str, x: Array) -> tuple[Array, Any]:
    """x plus its self-attention: (B, H, W, C) -> (B, H, W, C), and the cache."""
    arrays = (net.parameters[f"{name}.{part}"] for part in ("in.w", "in.b", "out.w", "out.b"))
    y, cache = net.layers.attention(x, *arrays, net.config.heads)  # (B, H, W, C)
    return net.layers.add(x, y), cache


def attend_backward(net: ConvolutionalNet, name: str, dy: Array, cache: Any, gradients: Arrays) -> Array:
    """`attend`, backwards: returns dx (B, H, W, C), writes the rest into `gradients`."""
    dx, *rest = net.layers.attention_backward(dy, cache)  # (B, H, W, C)
    for part, gradient in zip(("in.w", "in.b", "out.w", "out.b"), rest, strict=True):
        gradients[f"{name}.{part}"] = gradient
    return net.layers.add(dy, dx)  # 1. around the attention, 2. through it


def condition_parameters(make: Initial, config: Any, size: int) -> None:
    """The initial arrays of `edudiff.nn.noise_level.condition`, for vectors of `size` values."""
    make.layer("embedding", (config.embedding_size, size), 1.0)
    if config.classes is not None:
        make.normal("class.table", (config.classes + 1, size), 1.0)


def block_parameters(make: Initial, name: str, shape: tuple[int, ...], cond: int, groups: int = 0) -> None:
    """The initial arrays of a `block` with a window or matrix of `shape` (..., C, D); scale and shift start at zero."""
    make.layer(name, shape)
    if groups:
        make.constant(f"{name}.norm.w", shape[-1], 1.0)
        make.constant(f"{name}.norm.b", shape[-1], 0.0)
    make.layer(f"{name}.cond", (cond, 2 * shape[-1]), 0.0)


def attend_parameters(make: Initial, name: str, channels: int) -> None:
    """The initial arrays of `attend`; its answer starts at zero."""
    make.layer(f"{name}.in", (channels, 3 * channels), 1.0)
    make.layer(f"{name}.out", (channels, channels), 0.0)
