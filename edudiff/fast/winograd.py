"""3x3 convolution with 4 times fewer multiplications: Winograd's F(4x4, 3x3) (Lavin & Gray 2016, section 4).

The image is cut into tiles of 4x4 results, which need 6x6 pixels d. With the 3x3 window g,

    result = A^T [ (G g G^T) * (B^T d B) ] A        36 products a tile, where the plain sum has 4 * 4 * 9 = 144,

and with channels, each of the 36 products is a matrix product over all tiles. The rest is sums, with a few constants.
Why it is true: a row of results is a product of polynomials, known from its values at 6 points. The points here, 0,
+-1/sqrt(2), +-sqrt(2) and infinity, lose the least in float32: the error is 4 times that of the plain sum, and 8 times
with the usual 0, +-1, +-2. Equal to `edudiff.nn.layers.conv` to rounding.
"""

import math

import numpy as np

from edudiff.fast.lanes import LANES
from edudiff.fast.tiles import pixels_to_tiles, tiles_to_pixels, windows_to_tiles
from edudiff.support.types import Array

ROOT = math.sqrt(0.5)
G = np.array(
    [
        [1, 0, 0],
        [-2 / 3, -2 / 3 * ROOT, -1 / 3],
        [-2 / 3, 2 / 3 * ROOT, -1 / 3],
        [1 / 6, 1 / 3 * ROOT, 1 / 3],
        [1 / 6, -1 / 3 * ROOT, 1 / 3],
        [0, 0, 1],
    ]
)
TILE_BYTES = 1_000_000  # transformed tiles of one block of images: small enough to stay in a core's cache


def conv(x: Array, w: Array, b: Array, circular: bool) -> Array:
    """The convolution of `x` (B, H, W, C) with `w` (3, 3, C, D), plus `b` (D,), zeros or the other side at the border.

    Returns (B, H, W, D). Raises ValueError for fewer than LANES channels on either side.
    """
    x = np.ascontiguousarray(x)
    _, _, channels, features = w.shape
    kernel = both_sides(G, w).reshape(36, channels, features)  # (36, C, D)
    out = np.empty((*x.shape[:3], features), x.dtype)
    pieces, room = blocks(x, features)
    tiles, products = (np.empty((36, room, width), x.dtype) for width in (channels, features))  # (36, T, C or D)
    for some, count in pieces:
        windows_to_tiles(x[some], circular, tiles)
        np.matmul(tiles[:, :count], kernel, out=products[:, :count])
        tiles_to_pixels(products, b, out[some])
    return out


def conv_backward(
    dout: Array, x: Array, w: Array, circular: bool, need_dx: bool = True
) -> tuple[Array | None, Array, Array]:
    """Gradients of `conv`, numbered as in `edudiff.nn.layers.conv_backward`: dx or None, dw (3, 3, C, D), db (D,).

    dx is a convolution of `dout` with the window turned by 180 degrees, and the gradient of that window is dw, turned:
    so 2 and 3 share the transformed `dout`. In 2, A x A^T of each tile of `x` meets it: a matrix product for each of
    the 36, and G^T (...) G takes their sum over all tiles back to the window.
    """
    dout = np.ascontiguousarray(dout)
    _, _, channels, features = w.shape
    rows = dout.reshape(-1, features)  # (B * H * W, D)
    db = np.ones(len(rows), rows.dtype) @ rows  # 1. (D,)
    turned = both_sides(G, w[::-1, ::-1].swapaxes(2, 3)).reshape(36, features, channels)  # (36, D, C)
    dturned = np.zeros((36, channels, features), w.dtype)
    dx, nothing = np.empty(x.shape, x.dtype) if need_dx else None, np.zeros(channels, w.dtype)
    pieces, room = blocks(x, features)
    dtiles, tiles = (np.empty((36, room, width), x.dtype) for width in (features, channels))  # (36, T, D or C)
    for some, count in pieces:
        windows_to_tiles(dout[some], circular, dtiles)
        pixels_to_tiles(x[some], tiles)
        dturned += tiles[:, :count].swapaxes(1, 2) @ dtiles[:, :count]  # 2. (36, C, D)
        if dx is not None:
            np.matmul(dtiles[:, :count], turned, out=tiles[:, :count])
            tiles_to_pixels(tiles, nothing, dx[some])  # 3.
    dw = both_sides(G.T[::-1], dturned.reshape(6, 6, channels, features))  # (3, 3, C, D), turned back
    return dx, dw, db


def both_sides(m: Array, w: Array) -> Array:
    """m w m^T over the first two axes: (i, j, C, D) -> (a, b, C, D) for `m` of shape (a, i) = (b, j)."""
    m = m.astype(w.dtype)
    rows = (m @ w.reshape(len(w), -1)).reshape(len(m), w.shape[1], -1)  # (a, j, C * D)
    return (m @ rows).reshape(len(m), len(m), *w.shape[2:])  # (a, b, C, D)


def blocks(x: Array, features: int) -> tuple[list[tuple[slice, int]], int]:
    """Pieces of the batch whose tiles fit in the cache: a list of (slice, number of tiles), and room for the most.

    The room is odd: were it a power of two, the 36 values of a tile would all want the same few places in the cache.
    """
    count, height, width, channels = x.shape
    if min(channels, features) < LANES:
        raise ValueError(
            f"got {channels} and {features} channels, expected at least {LANES}; use edudiff.nn.layers.conv"
        )
    tiles = -(-height // 4) * -(-width // 4)
    piece = min(count, max(1, TILE_BYTES // (36 * tiles * max(channels, features) * x.itemsize)))
    starts = range(0, count, piece)
    return [(slice(start, start + piece), min(piece, count - start) * tiles) for start in starts], piece * tiles | 1
