"""How two things become one: residual addition, concatenation, and modulation of the channels by a condition."""

from typing import Any

from edudiff.support.arrays import array_namespace
from edudiff.support.types import Array


def add(x: Array, y: Array) -> Array:
    """Residual addition. Its backward needs no cache: both get dout."""
    return x + y


def concatenate(x: Array, y: Array) -> tuple[Array, Any]:
    """The channels of `x` (..., C), then those of `y` (..., D): out (..., C + D), and the cache."""
    xp = array_namespace(x, y)
    return xp.concatenate([x, y], axis=-1), x.shape[-1]


def concatenate_backward(dout: Array, channels: int) -> tuple[Array, Array]:
    """Gradients of `concatenate`: returns dx (..., C), dy (..., D), each its own part of dout."""
    xp = array_namespace(dout)
    return xp.ascontiguousarray(dout[..., :channels]), xp.ascontiguousarray(dout[..., channels:])


def modulate(x: Array, scale: Array, shift: Array) -> tuple[Array, Any]:
    """Scale and shift the channels of each item: x * (1 + scale) + shift (FiLM, Perez et al. 2018).

    `x`: (B, ..., C). `scale`, `shift`: (B, C). Returns out (B, ..., C) and the cache.
    """
    shape = (len(x), *[1] * (x.ndim - 2), x.shape[-1])
    gain = 1 + scale.reshape(shape)  # (B, 1, ..., C)
    return x * gain + shift.reshape(shape), (x, gain)


def modulate_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Gradients of `modulate`: returns dx (B, ..., C), dscale (B, C), dshift (B, C)."""
    x, gain = cache
    pixels = tuple(range(1, x.ndim - 1))
    return dout * gain, (dout * x).sum(axis=pixels), dout.sum(axis=pixels)
