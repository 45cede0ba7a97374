"""Convolution as matrix products: every window becomes a row of a matrix, the kernel is the other matrix."""

from collections.abc import Callable
from typing import Any

import numpy as np

from edudiff.support.arrays import array_namespace
from edudiff.support.types import Array

PADDINGS = ("zero", "circular", "reflect")
NUMPY_PAD = {"zero": "constant", "circular": "wrap", "reflect": "reflect"}  # what NumPy calls them
COLUMN_BYTES = 1_400_000  # columns of one block of images: small enough to stay in a processor's cache


def pad(x: Array, r: int, padding: str) -> Array:
    """`x` (B, H, W, C) with `r` pixels more on each side: zeros, the other side, or the mirror image without the edge.

    Raises ValueError where the mirror would have to show more than the image holds.
    """
    xp = array_namespace(x)
    if padding == "reflect" and r >= min(x.shape[1:3]):
        raise ValueError(f"x has shape {x.shape}: 'reflect' shows {r} pixels beyond the border, so it needs {r + 1}")
    if padding != "zero":
        return xp.pad(x, ((0, 0), (r, r), (r, r), (0, 0)), mode=NUMPY_PAD[padding])  # (B, H + 2r, W + 2r, C)
    count, height, width, channels = x.shape
    out = xp.zeros((count, height + 2 * r, width + 2 * r, channels), x.dtype)  # much quicker than xp.pad
    out[:, r : r + height, r : r + width] = x
    return out


def pad_backward(dout: Array, r: int, padding: str) -> Array:
    """The gradient in the image: each pixel beyond the border gives its own to the pixel that it is a copy of."""
    xp = array_namespace(dout)
    height, width = dout.shape[1] - 2 * r, dout.shape[2] - 2 * r
    if padding == "zero":
        return xp.ascontiguousarray(dout[:, r : r + height, r : r + width])  # (B, H, W, C)
    for axis, side in ((1, height), (2, width)):
        source = xp.pad(xp.arange(side), (r, r), mode=NUMPY_PAD[padding])  # (side + 2r,), what each is a copy of
        copies = (xp.arange(side)[:, None] == source).astype(dout.dtype)  # (side, side + 2r)
        dout = xp.moveaxis(xp.tensordot(copies, dout, axes=(1, axis)), 0, axis)  # (B, side, ..., C)
    return xp.ascontiguousarray(dout)  # (B, H, W, C)


def columns(x: Array, size: int, padding: str, stride: int = 1) -> Array:
    """The window of every `stride`-th pixel as a row: (B, H, W, C) -> (B * h * w, size * size * C).

    h = ceil(H / stride), w alike. `padding`: what a window sees beyond the border, see `pad`.
    """
    xp = array_namespace(x)
    count, height, width, channels = x.shape
    h, w = -(-height // stride), -(-width // stride)
    x = pad(x, size // 2, padding)  # (B, H + 2r, W + 2r, C)
    cols = xp.empty((count, h, w, size, size, channels), x.dtype)
    for i in range(size):
        for j in range(size):
            cols[:, :, :, i, j] = x[:, i : i + height : stride, j : j + width : stride]  # (B, h, w, C)
    return cols.reshape(count * h * w, size * size * channels)


def columns_backward(dcols: Array, shape: tuple[int, ...], size: int, padding: str, stride: int = 1) -> Array:
    """The adjoint of `columns`: every window's gradient goes back to the pixels that it saw. Returns dx of `shape`."""
    xp = array_namespace(dcols)
    count, height, width, channels = shape
    r = size // 2
    h, w = -(-height // stride), -(-width // stride)
    dcols = dcols.reshape(count, h, w, size, size, channels)
    dx = xp.zeros((count, height + 2 * r, width + 2 * r, channels), dcols.dtype)
    for i in range(size):
        for j in range(size):
            dx[:, i : i + height : stride, j : j + width : stride] += dcols[:, :, :, i, j]  # (B, h, w, C)
    return pad_backward(dx, r, padding)  # (B, H, W, C)


def blocks(x: Array, size: int) -> list[slice]:
    """Slices that cut the batch `x` into pieces whose columns fit in the cache; on a GPU, into one piece."""
    piece = len(x) if array_namespace(x) is not np else COLUMN_BYTES // (size * size * x[0].nbytes)
    piece = max(1, piece)
    return [slice(start, start + piece) for start in range(0, len(x), piece)]


def conv(
    x: Array, w: Array, b: Array, padding: str, stride: int = 1, columns: Callable[..., Array] = columns
) -> tuple[Array, Any]:
    """Convolution: out(u) = sum over offsets s of x(stride * u + s) @ w[s], plus b, one matrix product a block.

    `x`: (B, H, W, C). `w`: (size, size, C, D), size odd. `b`: (D,). `padding`: see `pad`. Returns out (B, h, w, D) with
    h = ceil(H / stride), w alike, and the cache.
    """
    xp = array_namespace(x, w)
    size, _, channels, features = w.shape
    count, height, width, _ = x.shape
    out = xp.empty((count, -(-height // stride), -(-width // stride), features), x.dtype)
    matrix = w.reshape(size * size * channels, features)  # (size * size * C, D)
    for some in blocks(x, size):
        rows = out[some].reshape(-1, features)  # (n * h * w, D), a view
        xp.matmul(columns(x[some], size, padding, stride), matrix, out=rows)
        rows += b
    return out, (x, w, padding, stride)


def conv_backward(
    dout: Array, cache: Any, columns: Callable[..., Array] = columns, need_dx: bool = True
) -> tuple[Array | None, Array, Array]:
    """Gradients of `conv`: returns dx (B, H, W, C) or None, dw (size, size, C, D), db (D,).

    1. db = sum over pixels of dout(u)
    2. dw[s] = sum over pixels of x(stride * u + s)^T dout(u)
    3. dx(u) = sum over offsets of dout(u - s) @ w[s]^T: a convolution with the window turned by 180 degrees. Where the
       border mirrors or pixels are left out, each window's dout(u) @ w^T is added back to the pixels that it saw.
    """
    x, w, padding, stride = cache
    xp = array_namespace(dout, x)
    size, _, channels, features = w.shape
    rows = dout.reshape(-1, features)  # (B * h * w, D)
    db = xp.ones(len(rows), rows.dtype) @ rows  # 1. (D,), the sum as a product, which is quicker
    if need_dx and stride == 1 and padding != "reflect":
        dx, dw = _conv_backward_turned(dout, x, w, padding, columns)
        return dx, dw, db
    dw = xp.zeros((size * size * channels, features), w.dtype)
    for some in blocks(x, size):
        dw += columns(x[some], size, padding, stride).T @ dout[some].reshape(-1, features)  # 2. (size * size * C, D)
    if not need_dx:
        return None, dw.reshape(w.shape), db
    dx = columns_backward(rows @ w.reshape(-1, features).T, x.shape, size, padding, stride)  # 3. (B, H, W, C)
    return dx, dw.reshape(w.shape), db


def _conv_backward_turned(
    dout: Array, x: Array, w: Array, padding: str, columns: Callable[..., Array]
) -> tuple[Array, Array]:
    """Terms 2 and 3 of `conv_backward` from the same columns: both need dout(u - s) at all offsets s.

    2. dw[s] = sum over pixels of x(u)^T dout(u - s), the pixels counted from where x is read
    """
    xp = array_namespace(dout, x)
    size, _, channels, features = w.shape
    turned = w[::-1, ::-1].swapaxes(2, 3).reshape(size * size * features, channels)  # (size * size * D, C)
    dx, dturned = xp.empty(x.shape, x.dtype), xp.zeros((channels, size * size * features), w.dtype)
    for some in blocks(dout, size):
        cols = columns(dout[some], size, padding)  # (n * H * W, size * size * D)
        dturned += x[some].reshape(-1, channels).T @ cols  # 2. (C, size * size * D)
        xp.matmul(cols, turned, out=dx[some].reshape(-1, channels))  # 3. (n * H * W, C)
    dturned = dturned.reshape(channels, size, size, features)  # (C, size, size, D)
    return dx, xp.ascontiguousarray(dturned[:, ::-1, ::-1].transpose(1, 2, 0, 3))  # (size, size, C, D)


def conv_transpose(
    x: Array, w: Array, b: Array, shape: tuple[int, ...], padding: str = "zero", stride: int = 2
) -> tuple[Array, Any]:
    """Transposed convolution: the dx of a strided convolution as a layer of its own, from coarse pixels to fine ones.

    `x`: (B, h, w, D). `w`: (size, size, C, D), size odd. `b`: (C,). `shape`: (H, W) of the result, with
    h = ceil(H / stride), w alike. `padding`: of the convolution. Returns out (B, H, W, C) and the cache.
    """
    size, _, channels, features = w.shape
    if x.shape[1:3] != tuple(-(-side // stride) for side in shape):
        raise ValueError(f"x has shape {x.shape}, which stride {stride} does not take to {tuple(shape)} pixels")
    rows = x.reshape(-1, features) @ w.reshape(-1, features).T  # (B * h * w, size * size * C)
    out = columns_backward(rows, (len(x), *shape, channels), size, padding, stride)  # (B, H, W, C)
    return out + b, (x, w, padding, stride)


def conv_transpose_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Gradients of `conv_transpose`: returns dx (B, h, w, D), dw (size, size, C, D), db (C,).

    1. db = sum over pixels of dout
    2. dw[s] = sum over coarse pixels of dout(stride * u + s)^T x(u)
    3. dx = the strided convolution of dout with w
    """
    x, w, padding, stride = cache
    size, _, _, features = w.shape
    db = dout.sum(axis=(0, 1, 2))  # 1. (C,)
    cols = columns(dout, size, padding, stride)  # (B * h * w, size * size * C)
    dw = (cols.T @ x.reshape(-1, features)).reshape(w.shape)  # 2. (size, size, C, D)
    dx = (cols @ w.reshape(-1, features)).reshape(x.shape)  # 3. (B, h, w, D)
    return dx, dw, db
