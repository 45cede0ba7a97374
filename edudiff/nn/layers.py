"""The layers, forwards and backwards, as plain functions: the definition that every faster version must equal.

Forward returns `(out, cache)`, backward takes `(dout, cache)`; the cache holds exactly what backward needs. `d` before
a name is the gradient of the loss in it. Pictures are channels last, (B, H, W, C). Where there is more than one
gradient, they are numbered. `edudiff.fast.layers` has the same functions with compiled data movement.
"""

import numpy as np

from edudiff.backend import array_module

PADDINGS = ("zero", "wrap")
COLUMN_BYTES = 1_400_000  # columns of one block of pictures: small enough to stay in a processor's cache


def columns(x, size, padding):
    """The window of every pixel as a row: (B, H, W, C) -> (B * H * W, size * size * C).

    `padding`: what a window sees beyond the border, "zero" or "wrap" (the picture goes on at its other side).
    """
    xp = array_module(x)
    count, height, width, channels = x.shape
    r = size // 2
    mode = {"zero": "constant", "wrap": "wrap"}[padding]
    x = xp.pad(x, ((0, 0), (r, r), (r, r), (0, 0)), mode=mode)  # (B, H + 2r, W + 2r, C)
    cols = xp.empty((count, height, width, size, size, channels), x.dtype)
    for i in range(size):
        for j in range(size):
            cols[:, :, :, i, j] = x[:, i : i + height, j : j + width]  # (B, H, W, C)
    return cols.reshape(count * height * width, size * size * channels)


def blocks(x, size):
    """Slices that cut the batch `x` into pieces whose columns fit in the cache; on a GPU, into one piece."""
    piece = len(x) if array_module(x) is not np else COLUMN_BYTES // (size * size * x[0].nbytes)
    piece = max(1, piece)
    return [slice(start, start + piece) for start in range(0, len(x), piece)]


def conv(x, w, b, padding, columns=columns):
    """Convolution: out(u) = sum over offsets s of x(u + s) @ w[s], plus b, as one matrix product a block of pictures.

    `x`: (B, H, W, C). `w`: (size, size, C, D), size odd. `b`: (D,). Returns out (B, H, W, D) and the cache.
    """
    xp = array_module(x, w)
    size, _, channels, features = w.shape
    out = xp.empty((*x.shape[:3], features), x.dtype)
    matrix = w.reshape(size * size * channels, features)  # (size * size * C, D)
    for some in blocks(x, size):
        rows = out[some].reshape(-1, features)  # (n * H * W, D), a view
        xp.matmul(columns(x[some], size, padding), matrix, out=rows)
        rows += b
    return out, (x, w, padding)


def conv_backward(dout, cache, columns=columns, need_dx=True):
    """Gradients of `conv`: returns dx (B, H, W, C) or None, dw (size, size, C, D), db (D,).

    1. db = sum over pixels of dout(u)
    2. dw[s] = sum over pixels of x(u + s)^T dout(u)
    3. dx(u) = sum over offsets of dout(u - s) @ w[s]^T: a convolution with the window turned by 180 degrees
    """
    x, w, padding = cache
    xp = array_module(dout, x)
    size, _, channels, features = w.shape
    rows = dout.reshape(-1, features)  # (B * H * W, D)
    db = rows.sum(axis=0)  # 1. (D,)
    dw = xp.zeros((size * size * channels, features), w.dtype)
    for some in blocks(x, size):
        dw += columns(x[some], size, padding).T @ dout[some].reshape(-1, features)  # 2. (size * size * C, D)
    dx = None
    if need_dx:
        turned = xp.ascontiguousarray(w[::-1, ::-1].swapaxes(2, 3))  # (size, size, D, C)
        nothing = xp.zeros(channels, w.dtype)
        dx, _ = conv(dout, turned, nothing, padding, columns)  # 3. (B, H, W, C)
    return dx, dw.reshape(w.shape), db


def dense(x, w, b):
    """x @ w + b. `x`: (B, C). `w`: (C, D). `b`: (D,). Returns out (B, D) and the cache."""
    return x @ w + b, (x, w)


def dense_backward(dout, cache):
    """Gradients of `dense`: returns dx = dout @ w^T (B, C), dw = x^T @ dout (C, D), db = sum of dout (D,)."""
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def relu(x):
    """max(x, 0), any shape."""
    xp = array_module(x)
    return xp.maximum(x, 0), x


def relu_backward(dout, x):
    """dout where x > 0, else 0."""
    return dout * (x > 0)


def silu(x):
    """x * sigmoid(x), any shape (Elfwing et al. 2018)."""
    xp = array_module(x)
    sigmoid = (1 + xp.tanh(x / 2)) / 2  # the form that cannot overflow
    return x * sigmoid, (x, sigmoid)


def silu_backward(dout, cache):
    """dout * (sigmoid + x * sigmoid * (1 - sigmoid))."""
    x, sigmoid = cache
    return dout * (sigmoid + x * sigmoid * (1 - sigmoid))


def modulate(x, scale, shift):
    """Scale and shift the channels of each picture: x * (1 + scale) + shift (FiLM, Perez et al. 2018).

    `x`: (B, H, W, C). `scale`, `shift`: (B, C). Returns out (B, H, W, C) and the cache.
    """
    gain = 1 + scale[:, None, None, :]  # (B, 1, 1, C)
    return x * gain + shift[:, None, None, :], (x, gain)


def modulate_backward(dout, cache):
    """Gradients of `modulate`: returns dx (B, H, W, C), dscale (B, C), dshift (B, C)."""
    x, gain = cache
    return dout * gain, (dout * x).sum(axis=(1, 2)), dout.sum(axis=(1, 2))


def add(x, y):
    """Residual addition. Its backward needs no cache: both get dout."""
    return x + y
