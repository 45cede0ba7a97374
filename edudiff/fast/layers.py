"""The layers of `edudiff.nn.layers` with their data movement and elementwise parts compiled.

Same functions, same arguments, same results to rounding. The matrix products stay NumPy's. What is fast only in float32
and on contiguous arrays falls back to the definition for anything else. Each loop runs on one core and lets other
threads run beside it: training gives every core its own pictures (`edudiff.support.threads`).
"""

import numpy as np

from edudiff.fast import winograd
from edudiff.fast.exp import LOG2_E, exp2
from edudiff.fast.jit import compiled
from edudiff.fast.lanes import LANES
from edudiff.nn import layers
from edudiff.nn.layers import (  # noqa: F401  what is not compiled here is the definition itself
    attention,
    attention_backward,
    average_pool,
    average_pool_backward,
    bilinear,
    bilinear_backward,
    concatenate,
    concatenate_backward,
    conv_transpose,
    conv_transpose_backward,
    dense,
    dense_at_level,
    dense_at_level_backward,
    dense_backward,
    dropout,
    dropout_backward,
    embed,
    embed_backward,
    gelu,
    gelu_backward,
    group_norm,
    group_norm_backward,
    hermite,
    hermite_backward,
    max_pool,
    max_pool_backward,
    nearest,
    nearest_backward,
    relu,
    relu_backward,
)


def columns(x, size, padding, stride=1):
    """As `edudiff.nn.layers.columns`, without making a padded copy first."""
    if padding == "reflect" or stride != 1:
        return layers.columns(x, size, padding, stride)
    count, height, width, channels = x.shape
    cols = np.empty((count * height * width, size * size * channels), x.dtype)
    _columns(np.ascontiguousarray(x), size, padding == "circular", cols)
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


def conv(x, w, b, padding, stride=1):
    """As `edudiff.nn.layers.conv`; with many channels by `edudiff.fast.winograd`."""
    if suits_winograd(w, padding, stride):
        out, _ = winograd.conv(x, w, b, padding)
        return out, (x, w, padding, stride)
    return layers.conv(x, w, b, padding, stride, columns)


def conv_backward(dout, cache, need_dx=True):
    """As `edudiff.nn.layers.conv_backward`."""
    _, w, padding, stride = cache
    if suits_winograd(w, padding, stride):
        return winograd.conv_backward(dout, cache[:3], need_dx)
    return layers.conv_backward(dout, cache, columns, need_dx)


def suits_winograd(w, padding="zero", stride=1):
    """Whether the window `w` is 3x3 and has so many channels that multiplications are what a convolution costs."""
    return w.shape[:2] == (3, 3) and min(w.shape[2:]) >= LANES and padding != "reflect" and stride == 1


def silu(x):
    """As `edudiff.nn.layers.silu`."""
    if x.dtype != np.float32 or not x.flags.c_contiguous:
        return layers.silu(x)
    out, sigmoid = np.empty_like(x), np.empty_like(x)
    _silu(x.reshape(-1), out.reshape(-1), sigmoid.reshape(-1))
    return out, (x, sigmoid)


@compiled
def _silu(x, out, sigmoid):
    for i in range(len(x)):
        s = np.float32(1) / (np.float32(1) + exp2(-LOG2_E * x[i]))
        sigmoid[i] = s
        out[i] = x[i] * s


def silu_backward(dout, cache):
    """As `edudiff.nn.layers.silu_backward`."""
    x, sigmoid = cache
    if x.dtype != np.float32 or not (dout.flags.c_contiguous and x.flags.c_contiguous):
        return layers.silu_backward(dout, cache)
    dx = np.empty(x.shape, x.dtype)
    _silu_backward(dout.reshape(-1), x.reshape(-1), sigmoid.reshape(-1), dx.reshape(-1))
    return dx


@compiled
def _silu_backward(dout, x, sigmoid, dx):
    for i in range(len(x)):
        dx[i] = dout[i] * (sigmoid[i] + x[i] * sigmoid[i] * (1 - sigmoid[i]))


def modulate(x, scale, shift):
    """As `edudiff.nn.layers.modulate`."""
    gain = 1 + scale  # (B, C)
    out = np.empty(x.shape, x.dtype)
    pixels = (len(x), -1, x.shape[-1])
    _modulate(x.reshape(pixels), gain, np.ascontiguousarray(shift), out.reshape(pixels))
    return out, (x, gain)


@compiled
def _modulate(x, gain, shift, out):
    for b in range(x.shape[0]):
        for u in range(x.shape[1]):
            for c in range(x.shape[2]):
                out[b, u, c] = x[b, u, c] * gain[b, c] + shift[b, c]


def modulate_backward(dout, cache):
    """As `edudiff.nn.layers.modulate_backward`."""
    x, gain = cache
    dx = np.empty(x.shape, x.dtype)
    dscale, dshift = np.zeros_like(gain), np.zeros_like(gain)
    pixels = (len(x), -1, x.shape[-1])
    _modulate_backward(dout.reshape(pixels), x.reshape(pixels), gain, dx.reshape(pixels), dscale, dshift)
    return dx, dscale, dshift


@compiled
def _modulate_backward(dout, x, gain, dx, dscale, dshift):
    for b in range(x.shape[0]):
        for u in range(x.shape[1]):
            for c in range(x.shape[2]):
                d = dout[b, u, c]
                dx[b, u, c] = d * gain[b, c]
                dscale[b, c] += d * x[b, u, c]
                dshift[b, c] += d


def add(x, y):
    """As `edudiff.nn.layers.add`."""
    out = np.empty(x.shape, x.dtype)
    _add(x.reshape(-1), y.reshape(-1), out.reshape(-1))
    return out


@compiled
def _add(x, y, out):
    for i in range(len(x)):
        out[i] = x[i] + y[i]
