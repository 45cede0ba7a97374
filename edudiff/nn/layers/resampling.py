"""Between scales: 2x2 pixels become one (pooling), and one becomes 2x2 again (upsampling).

Of an odd side, the last pixel pools with what is there, and the last of the fine ones is left out again. With learned
weights: `conv` with stride 2, and `conv_transpose`.
"""

from typing import Any

from edudiff.support.arrays import array_namespace
from edudiff.support.types import Array

CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))  # of a 2x2 tile: row, column


def tiles(x: Array, value: float) -> Array:
    """`x` (B, H, W, C) as the four corners of its 2x2 tiles, (4, B, h, w, C), h = ceil(H / 2).

    What an odd side lacks is `value`.
    """
    xp = array_namespace(x)
    _, height, width, _ = x.shape
    if height % 2 or width % 2:
        x = xp.pad(x, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), constant_values=value)  # (B, 2h, 2w, C)
    return xp.stack([x[:, i::2, j::2] for i, j in CORNERS])  # (4, B, h, w, C)


def tiles_backward(dtiles: Array, shape: tuple[int, ...]) -> Array:
    """The adjoint of `tiles`: each pixel's gradient back in its place, (B, H, W, C) = `shape`."""
    xp = array_namespace(dtiles)
    _, count, h, w, channels = dtiles.shape
    dx = xp.empty((count, 2 * h, 2 * w, channels), dtiles.dtype)
    for (i, j), corner in zip(CORNERS, dtiles, strict=True):
        dx[:, i::2, j::2] = corner
    return xp.ascontiguousarray(dx[:, : shape[1], : shape[2]])  # (B, H, W, C)


def max_pool(x: Array) -> tuple[Array, Any]:
    """The largest of each 2x2 tile: (B, H, W, C) -> (B, h, w, C), and the cache."""
    four = tiles(x, -array_namespace(x).inf)  # (4, B, h, w, C)
    out = four.max(axis=0)  # (B, h, w, C)
    won = four == out  # (4, B, h, w, C)
    taken = won[0].copy()
    for other in won[1:]:  # of several that are as large, the first wins
        other &= ~taken
        taken |= other
    return out, (won, x.shape)


def max_pool_backward(dout: Array, cache: Any) -> Array:
    """All of dout goes to the pixel that was the largest, the first of them if there are several."""
    won, shape = cache
    return tiles_backward(dout * won, shape)  # (B, H, W, C)


def average_pool(x: Array) -> tuple[Array, Any]:
    """The mean of each 2x2 tile, of the pixels that are there: (B, H, W, C) -> (B, h, w, C), and the cache."""
    there = tiles(array_namespace(x).ones_like(x[:1, :, :, :1]), 0)  # (4, 1, h, w, 1)
    share = there / there.sum(axis=0)  # (4, 1, h, w, 1)
    return (tiles(x, 0) * share).sum(axis=0), (share, x.shape)


def average_pool_backward(dout: Array, cache: Any) -> Array:
    """Each pixel of a tile gets its share of dout."""
    share, shape = cache
    return tiles_backward(dout * share, shape)  # (B, H, W, C)


def nearest(x: Array, shape: tuple[int, ...]) -> tuple[Array, Any]:
    """Every pixel four times: (B, h, w, C) -> (B, H, W, C) with (H, W) = `shape`, h = ceil(H / 2); and the cache."""
    _check(x, shape)
    rows = x.repeat(2, axis=1)[:, : shape[0]]  # (B, H, w, C)
    return rows.repeat(2, axis=2)[:, :, : shape[1]], None  # (B, H, W, C)


def nearest_backward(dout: Array, cache: Any) -> Array:
    """The gradient in x (B, h, w, C): each coarse pixel gets the sum over its fine ones."""
    return tiles(dout, 0).sum(axis=0)


def bilinear(x: Array, shape: tuple[int, ...], padding: str = "zero") -> tuple[Array, Any]:
    """Straight lines between the centers of the coarse pixels, level beyond the outermost: shapes as `nearest`.

    With `padding` "circular" the lines go on from one border to the other.
    """
    _check(x, shape)
    xp = array_namespace(x)
    circular = padding == "circular"
    rows, cols = (_bilinear_weights(xp, side, circular).astype(x.dtype) for side in shape)  # (H, h), (W, w)
    return _along(_along(x, rows, 1), cols, 2), (rows, cols)  # (B, H, W, C)


def bilinear_backward(dout: Array, cache: Any) -> Array:
    """The gradient in x (B, h, w, C): each coarse pixel gets dout in the shares in which it gave."""
    rows, cols = cache
    return _along(_along(dout, rows.T, 1), cols.T, 2)


def _check(x: Array, shape: tuple[int, ...]) -> None:
    if x.shape[1:3] != tuple(-(-side // 2) for side in shape):
        raise ValueError(f"x has shape {x.shape}, which does not double to {tuple(shape)} pixels")


def _along(x: Array, weights: Array, axis: int) -> Array:
    """`weights` (M, N) times `x` along one axis of length N, which becomes M."""
    xp = array_namespace(x)
    return xp.ascontiguousarray(xp.moveaxis(xp.tensordot(weights, x, axes=(1, axis)), 0, axis))


def _bilinear_weights(xp: Any, side: int, circular: bool) -> Array:
    half = -(-side // 2)
    place = ((xp.arange(side) + 0.5) / 2 - 0.5)[:, None]  # (H, 1), in coarse pixels
    if not circular:
        place = xp.clip(place, 0, half - 1)  # (H, 1)
    copies = (-half, 0, half) if circular else (0,)  # of a coarse pixel, beside the image
    return sum(xp.maximum(1 - xp.abs(place + copy - xp.arange(half)), 0) for copy in copies)  # (H, h), a hat on each
