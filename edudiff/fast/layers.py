"""The loops of a network's layers, compiled: data movement, and what goes value by value.

What they compute is told by the functions of the same names in `edudiff.nn.layers`; `edudiff.nn.layers.compiled` calls
these where they fit.
"""

import numpy as np

from edudiff.fast.exp import LOG2_E, exp2
from edudiff.fast.jit import compiled
from edudiff.support.types import Array


def columns(x: Array, size: int, circular: bool) -> Array:
    """The window of every pixel as a row, with no padded copy: contiguous (B, H, W, C) -> (B * H * W, size**2 * C)."""
    count, height, width, channels = x.shape
    cols = np.empty((count * height * width, size * size * channels), x.dtype)
    _columns(x, size, circular, cols)
    return cols


@compiled
def _columns(x, size, circular, cols):
    count, height, width, channels = x.shape
    r = size // 2
    for line in range(count * height):
        b, u = line // height, line % height
        for v in range(width):
            row = cols[line * width + v]
            for i in range(size):
                for j in range(size):
                    y, z = u + i - r, v + j - r
                    if circular:
                        y, z = y % height, z % width
                    to = (i * size + j) * channels
                    if 0 <= y < height and 0 <= z < width:
                        source = x[b, y, z]
                        for c in range(channels):
                            row[to + c] = source[c]
                    else:
                        for c in range(channels):
                            row[to + c] = 0


def silu(x: Array) -> tuple[Array, Array]:
    """x * sigmoid(x) of a contiguous float32 array of any shape: out and sigmoid(x)."""
    out, sigmoid = np.empty_like(x), np.empty_like(x)
    _silu(x.reshape(-1), out.reshape(-1), sigmoid.reshape(-1))
    return out, sigmoid


@compiled
def _silu(x, out, sigmoid):
    for i in range(len(x)):
        s = np.float32(1) / (np.float32(1) + exp2(-LOG2_E * x[i]))
        sigmoid[i] = s
        out[i] = x[i] * s


def silu_backward(dout: Array, x: Array, sigmoid: Array) -> Array:
    """The gradient in the x of `silu`, of any shape and order in memory; all float32."""
    dx = np.empty(x.shape, x.dtype)
    _silu_backward(dout.reshape(-1), x.reshape(-1), sigmoid.reshape(-1), dx.reshape(-1))
    return dx


@compiled
def _silu_backward(dout, x, sigmoid, dx):
    for i in range(len(x)):
        dx[i] = dout[i] * (sigmoid[i] + x[i] * sigmoid[i] * (1 - sigmoid[i]))


def modulate(x: Array, gain: Array, shift: Array) -> Array:
    """x * gain + shift: `x` (B, ..., C), `gain` and `shift` (B, C), the latter contiguous."""
    out = np.empty(x.shape, x.dtype)
    pixels = (len(x), -1, x.shape[-1])
    _modulate(x.reshape(pixels), gain, shift, out.reshape(pixels))
    return out


@compiled
def _modulate(x, gain, shift, out):
    for b in range(x.shape[0]):
        for u in range(x.shape[1]):
            for c in range(x.shape[2]):
                out[b, u, c] = x[b, u, c] * gain[b, c] + shift[b, c]


def modulate_backward(dout: Array, x: Array, gain: Array) -> tuple[Array, Array, Array]:
    """Gradients of `modulate`: dx (B, ..., C), dgain (B, C), dshift (B, C)."""
    dx = np.empty(x.shape, x.dtype)
    dgain, dshift = np.zeros_like(gain), np.zeros_like(gain)
    pixels = (len(x), -1, x.shape[-1])
    _modulate_backward(dout.reshape(pixels), x.reshape(pixels), gain, dx.reshape(pixels), dgain, dshift)
    return dx, dgain, dshift


@compiled
def _modulate_backward(dout, x, gain, dx, dgain, dshift):
    for b in range(x.shape[0]):
        for u in range(x.shape[1]):
            for c in range(x.shape[2]):
                d = dout[b, u, c]
                dx[b, u, c] = d * gain[b, c]
                dgain[b, c] += d * x[b, u, c]
                dshift[b, c] += d


def add(x: Array, y: Array) -> Array:
    """x + y, of the same shape."""
    out = np.empty(x.shape, x.dtype)
    _add(x.reshape(-1), y.reshape(-1), out.reshape(-1))
    return out


@compiled
def _add(x, y, out):
    for i in range(len(x)):
        out[i] = x[i] + y[i]
