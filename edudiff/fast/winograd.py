"""3x3 convolution with 2.25 times fewer multiplications: Winograd's F(2x2, 3x3) (Lavin & Gray 2016, section 4.1).

The picture is cut into tiles of 2x2 results, which need 4x4 pixels d. With the 3x3 window g,

    result = A^T [ (G g G^T) * (B^T d B) ] A        16 products a tile, where the plain sum has 2 * 2 * 9 = 36,

and with channels, each of the 16 products is a matrix product over all tiles. Everything but these products is adding
and subtracting. Equal to `edudiff.nn.layers.conv` to rounding.
"""

import numpy as np

from edudiff.fast.jit import compiled

G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
TILE_BYTES = 600_000  # transformed tiles of one block of pictures: small enough to stay in a core's cache


def conv(x, w, b, padding):
    """As `edudiff.nn.layers.conv`, for 3x3 windows."""
    count, height, width, channels = x.shape
    features = w.shape[3]
    kernel = both_sides(G, w).reshape(16, channels, features)  # (16, C, D)
    out = np.empty((count, height, width, features), x.dtype)
    for some in blocks(x, features):
        tiles = windows_to_tiles(x[some], padding == "wrap")  # (16, T, C)
        tiles_to_pixels(tiles @ kernel, b, out[some])
    return out, (x, w, padding)


def conv_backward(dout, cache, need_dx=True):
    """As `edudiff.nn.layers.conv_backward`, terms numbered alike, for 3x3 windows.

    In 2, the gradient of the result of a tile, A dout A^T, meets the transformed pixels: one matrix product for each of
    the 16, and G^T (...) G takes their sum over all tiles back to the window.
    """
    x, w, padding = cache
    _, _, channels, features = w.shape
    db = dout.reshape(-1, features).sum(axis=0)  # 1. (D,)
    dkernel = np.zeros((16, channels, features), w.dtype)
    for some in blocks(x, features):
        tiles = windows_to_tiles(x[some], padding == "wrap")  # (16, T, C)
        dtiles = pixels_to_tiles(np.ascontiguousarray(dout[some]))  # (16, T, D)
        dkernel += tiles.transpose(0, 2, 1) @ dtiles  # (16, C, D)
    dw = both_sides(G.T, dkernel.reshape(4, 4, channels, features))  # 2. (3, 3, C, D)
    dx = None
    if need_dx:
        turned = w[::-1, ::-1].swapaxes(2, 3)  # (3, 3, D, C)
        dx, _ = conv(dout, turned, np.zeros(channels, w.dtype), padding)  # 3. (B, H, W, C)
    return dx, dw, db


def both_sides(m, w):
    """m w m^T over the first two axes: (i, j, C, D) -> (a, b, C, D) for `m` of shape (a, i) = (b, j)."""
    m = m.astype(w.dtype)
    rows = (m @ w.reshape(len(w), -1)).reshape(len(m), w.shape[1], -1)  # (a, j, C * D)
    return (m @ rows).reshape(len(m), len(m), *w.shape[2:])  # (a, b, C, D)


def blocks(x, features):
    """Slices that cut the batch into pieces whose tiles fit in the cache."""
    _, height, width, channels = x.shape
    tiles = ((height + 1) // 2) * ((width + 1) // 2)
    piece = max(1, TILE_BYTES // (16 * tiles * max(channels, features) * x.itemsize))
    return [slice(start, start + piece) for start in range(0, len(x), piece)]


def windows_to_tiles(x, wrap):
    """B^T d B of every tile: (n, H, W, C) -> (16, T, C), T = n * ceil(H / 2) * ceil(W / 2)."""
    count, height, width, channels = x.shape
    down, right = (height + 1) // 2, (width + 1) // 2
    tiles = np.empty((count * down * right, 4, 4, channels), x.dtype)  # (T, 4, 4, C)
    _windows_to_tiles(np.ascontiguousarray(x), wrap, tiles, np.zeros((2 * down + 2, 2 * right + 2, channels), x.dtype))
    return tiles.reshape(-1, 16, channels).swapaxes(0, 1)


def pixels_to_tiles(dout):
    """A dout A^T of every tile: (n, H, W, D) -> (16, T, D)."""
    count, height, width, features = dout.shape
    down, right = (height + 1) // 2, (width + 1) // 2
    tiles = np.empty((count * down * right, 4, 4, features), dout.dtype)  # (T, 4, 4, D)
    _pixels_to_tiles(dout, tiles, np.zeros((2 * down, 2 * right, features), dout.dtype))
    return tiles.reshape(-1, 16, features).swapaxes(0, 1)


def tiles_to_pixels(products, b, out):
    """A^T m A of every tile, plus b, written to `out` (n, H, W, D). `products`: (16, T, D)."""
    _tiles_to_pixels(products.reshape(4, 4, *products.shape[1:]), b, out)


@compiled
def _windows_to_tiles(x, wrap, tiles, padded):
    count, height, width, channels = x.shape
    rows, columns, _ = padded.shape
    line = np.empty((4, 4, channels), x.dtype)
    t = 0
    for n in range(count):
        for i in range(rows):
            for j in range(columns):
                y, z = i - 1, j - 1
                if wrap:
                    y, z = y % height, z % width
                if 0 <= y < height and 0 <= z < width:
                    padded[i, j] = x[n, y, z]
        for i in range(0, rows - 2, 2):
            for j in range(0, columns - 2, 2):
                for k in range(4):  # rows: B^T d = (d0 - d2, d1 + d2, d2 - d1, d1 - d3)
                    d0, d1, d2, d3 = padded[i, j + k], padded[i + 1, j + k], padded[i + 2, j + k], padded[i + 3, j + k]
                    r0, r1, r2, r3 = line[0, k], line[1, k], line[2, k], line[3, k]
                    for c in range(channels):
                        r0[c] = d0[c] - d2[c]
                        r1[c] = d1[c] + d2[c]
                        r2[c] = d2[c] - d1[c]
                        r3[c] = d1[c] - d3[c]
                for k in range(4):  # and columns
                    d0, d1, d2, d3 = line[k, 0], line[k, 1], line[k, 2], line[k, 3]
                    r0, r1, r2, r3 = tiles[t, k, 0], tiles[t, k, 1], tiles[t, k, 2], tiles[t, k, 3]
                    for c in range(channels):
                        r0[c] = d0[c] - d2[c]
                        r1[c] = d1[c] + d2[c]
                        r2[c] = d2[c] - d1[c]
                        r3[c] = d1[c] - d3[c]
                t += 1


@compiled
def _tiles_to_pixels(m, b, out):
    count, height, width, features = out.shape
    down, right = (height + 1) // 2, (width + 1) // 2
    line = np.empty((4, 4, features), out.dtype)
    for n in range(count):
        for i in range(down):
            for j in range(right):
                t = (n * down + i) * right + j
                for k in range(4):
                    m0, m1, m2, m3 = m[0, k, t], m[1, k, t], m[2, k, t], m[3, k, t]
                    top, low = line[0, k], line[1, k]
                    for c in range(features):
                        top[c] = m0[c] + m1[c] + m2[c]
                        low[c] = m1[c] - m2[c] - m3[c]
                for p in range(min(2, height - 2 * i)):
                    l0, l1, l2, l3 = line[p, 0], line[p, 1], line[p, 2], line[p, 3]
                    left = out[n, 2 * i + p, 2 * j]
                    for c in range(features):
                        left[c] = l0[c] + l1[c] + l2[c] + b[c]
                    if 2 * j + 1 < width:
                        beside = out[n, 2 * i + p, 2 * j + 1]
                        for c in range(features):
                            beside[c] = l1[c] - l2[c] - l3[c] + b[c]


@compiled
def _pixels_to_tiles(dout, tiles, padded):
    count, height, width, features = dout.shape
    rows, columns, _ = padded.shape
    line = np.empty((4, 2, features), dout.dtype)
    t = 0
    for n in range(count):
        padded[:height, :width] = dout[n]
        for i in range(0, rows, 2):
            for j in range(0, columns, 2):
                for k in range(2):  # rows: A d = (d0, d0 + d1, d0 - d1, -d1)
                    d0, d1 = padded[i, j + k], padded[i + 1, j + k]
                    r0, r1, r2, r3 = line[0, k], line[1, k], line[2, k], line[3, k]
                    for c in range(features):
                        r0[c] = d0[c]
                        r1[c] = d0[c] + d1[c]
                        r2[c] = d0[c] - d1[c]
                        r3[c] = -d1[c]
                for k in range(4):  # and columns
                    d0, d1 = line[k, 0], line[k, 1]
                    r0, r1, r2, r3 = tiles[t, k, 0], tiles[t, k, 1], tiles[t, k, 2], tiles[t, k, 3]
                    for c in range(features):
                        r0[c] = d0[c]
                        r1[c] = d0[c] + d1[c]
                        r2[c] = d0[c] - d1[c]
                        r3[c] = -d1[c]
                t += 1
