"""The functions of `edudiff.nn.layers`, those compiled that move data or go value by value: same results to rounding.

Matrix products stay NumPy's, and what is not written here is the definition itself, as is everything that the kernels
of `edudiff.fast` are not made for: borders that mirror, strides, and for SiLU float64. Each loop runs on one core and
lets other threads run beside it: training gives every core its own images (`edudiff.support.threads`).
"""

from typing import Any

import numpy as np

from edudiff.fast import layers as kernels
from edudiff.fast import winograd
from edudiff.nn import layers
from edudiff.nn.layers import convolution
from edudiff.support.types import Array


def columns(x: Array, size: int, padding: str, stride: int = 1) -> Array:
    """As `edudiff.nn.layers.columns`, without making a padded copy first."""
    if padding == "reflect" or stride != 1:
        return layers.columns(x, size, padding, stride)
    return kernels.columns(np.ascontiguousarray(x), size, padding == "circular")


def conv(x: Array, w: Array, b: Array, padding: str, stride: int = 1) -> tuple[Array, Any]:
    """As `edudiff.nn.layers.conv`; with many channels by `edudiff.fast.winograd`."""
    if suits_winograd(w, padding, stride):
        return winograd.conv(x, w, b, padding == "circular"), (x, w, padding, stride)
    return convolution.conv(x, w, b, padding, stride, columns)


def conv_backward(dout: Array, cache: Any, need_dx: bool = True) -> tuple[Array | None, Array, Array]:
    """As `edudiff.nn.layers.conv_backward`."""
    x, w, padding, stride = cache
    if suits_winograd(w, padding, stride):
        return winograd.conv_backward(dout, x, w, padding == "circular", need_dx)
    return convolution.conv_backward(dout, cache, columns, need_dx)


def suits_winograd(w: Array, padding: str = "zero", stride: int = 1) -> bool:
    """Whether the window `w` is 3x3 and has so many channels that multiplications are what a convolution costs."""
    return w.shape[:2] == (3, 3) and min(w.shape[2:]) >= winograd.LANES and padding != "reflect" and stride == 1


def silu(x: Array) -> tuple[Array, Any]:
    """As `edudiff.nn.layers.silu`."""
    if x.dtype != np.float32 or not x.flags.c_contiguous:
        return layers.silu(x)
    out, sigmoid = kernels.silu(x)
    return out, (x, sigmoid)


def silu_backward(dout: Array, cache: Any) -> Array:
    """As `edudiff.nn.layers.silu_backward`."""
    x, sigmoid = cache
    if x.dtype != np.float32:
        return layers.silu_backward(dout, cache)
    return kernels.silu_backward(dout, x, sigmoid)


def modulate(x: Array, scale: Array, shift: Array) -> tuple[Array, Any]:
    """As `edudiff.nn.layers.modulate`."""
    gain = 1 + scale  # (B, C)
    return kernels.modulate(x, gain, np.ascontiguousarray(shift)), (x, gain)


def modulate_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """As `edudiff.nn.layers.modulate_backward`."""
    return kernels.modulate_backward(dout, *cache)


def add(x: Array, y: Array) -> Array:
    """As `edudiff.nn.layers.add`."""
    return kernels.add(x, y)


def __getattr__(name: str) -> Any:
    """What is not compiled is the definition itself."""
    return getattr(layers, name)
