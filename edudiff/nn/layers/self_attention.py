"""Self-attention over pixels: every pixel asks all others, and gets a mean of their values (Vaswani et al. 2017)."""

import math
from typing import Any

from edudiff.nn.layers.affine import dense, dense_backward
from edudiff.support import rounding
from edudiff.support.arrays import array_namespace
from edudiff.support.types import Array


@rounding.to_zero
def attention(x: Array, w_in: Array, b_in: Array, w_out: Array, b_out: Array, heads: int = 1) -> tuple[Array, Any]:
    """softmax(q k^T / sqrt(d)) v over all pixels of an image, in `heads` independent groups of d channels.

    `x`: (B, H, W, C). `w_in`: (C, 3C), makes the questions q, keys k and values v. `b_in`: (3C,). `w_out`: (C, C) and
    `b_out`: (C,) mix the heads' answers. Returns out (B, H, W, C), to be added to x, and the cache. It does not know
    where a pixel is: permuted pixels give a permuted answer. Raises ValueError unless `heads` divides C.
    """
    xp = array_namespace(x, w_in)
    channels = x.shape[3]
    if channels % heads:
        raise ValueError(f"heads is {heads}, which does not divide {channels} channels")
    both, cache_in = dense(x, w_in, b_in)  # (B, H, W, 3C)
    q, k, v = (split(part, heads) for part in xp.split(both, 3, axis=3))  # (B, heads, T, d) each, T = H * W
    q = q / math.sqrt(channels // heads)  # (B, heads, T, d)
    scores = q @ k.swapaxes(2, 3)  # (B, heads, T, T)
    weights = xp.exp(scores - scores.max(axis=3, keepdims=True))  # (B, heads, T, T)
    weights = weights / weights.sum(axis=3, keepdims=True)  # (B, heads, T, T)
    mixed = merge(weights @ v, x.shape)  # (B, H, W, C)
    out, cache_out = dense(mixed, w_out, b_out)  # (B, H, W, C)
    return out, (cache_in, q, k, v, weights, cache_out)


@rounding.to_zero
def attention_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array, Array, Array]:
    """Gradients of `attention`: returns dx (B, H, W, C), dw_in (C, 3C), db_in (3C,), dw_out (C, C), db_out (C,).

    1. dv = weights^T dmixed, and dweights = dmixed v^T
    2. dscores = weights * (dweights - sum over keys of weights * dweights): weights that sum to one cannot all grow
    3. dq = dscores k / sqrt(d), and dk = dscores^T q, q already divided
    """
    cache_in, q, k, v, weights, cache_out = cache
    xp = array_namespace(dout)
    heads, size = q.shape[1], q.shape[3]
    dmixed, dw_out, db_out = dense_backward(dout, cache_out)  # (B, H, W, C)
    dmixed = split(dmixed, heads)  # (B, heads, T, d)
    dv = weights.swapaxes(2, 3) @ dmixed  # 1. (B, heads, T, d)
    dweights = dmixed @ v.swapaxes(2, 3)  # (B, heads, T, T)
    dscores = weights * (dweights - (weights * dweights).sum(axis=3, keepdims=True))  # 2. (B, heads, T, T)
    dq = dscores @ k / math.sqrt(size)  # 3. (B, heads, T, d)
    dk = dscores.swapaxes(2, 3) @ q  # (B, heads, T, d)
    dboth = xp.concatenate([merge(part, dout.shape) for part in (dq, dk, dv)], axis=3)  # (B, H, W, 3C)
    dx, dw_in, db_in = dense_backward(dboth, cache_in)  # (B, H, W, C)
    return dx, dw_in, db_in, dw_out, db_out


def split(x: Array, heads: int) -> Array:
    """(B, H, W, C) -> (B, heads, H * W, C / heads)."""
    count, height, width, channels = x.shape
    return x.reshape(count, height * width, heads, channels // heads).swapaxes(1, 2)


def merge(x: Array, shape: tuple[int, ...]) -> Array:
    """(B, heads, H * W, C / heads) -> (B, H, W, C) = `shape`."""
    return x.swapaxes(1, 2).reshape(shape)
