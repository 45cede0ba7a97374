"""The transforms of `edudiff.fast.winograd`: from images to tiles and back. All sums, LANES channels at a time.

Where the channels are no multiple of LANES, the last group overlaps the one before. `T` is the number of tiles that
an array has room for; those of one image after the other come first, row by row.
"""

import numpy as np

from edudiff.fast.jit import compiled, inlined
from edudiff.fast.lanes import LANES, load, store
from edudiff.support.types import Array


def windows_to_tiles(x: Array, circular: bool, tiles: Array) -> None:
    """B^T d B of every 6x6 window d: (n, H, W, C) -> `tiles` (36, T, C)."""
    _, height, width, channels = x.shape
    padded = np.zeros((-(-height // 4) * 4 + 2, -(-width // 4) * 4 + 2, channels), x.dtype)
    sides = (*x.shape, *padded.shape[:2])
    _windows_to_tiles(x.reshape(-1), sides, circular, padded.reshape(-1), tiles.reshape(-1), tiles.shape[1])


def tiles_to_pixels(products: Array, b: Array, out: Array) -> None:
    """A^T m A of every tile, plus `b` (D,), written to `out` (n, H, W, D). `products`: (36, T, D)."""
    _tiles_to_pixels(products.reshape(-1), products.shape[1], b, out.shape, out.reshape(-1))


def pixels_to_tiles(dout: Array, tiles: Array) -> None:
    """A d A^T of every 4x4 tile d, zeros beyond the border: (n, H, W, D) -> `tiles` (36, T, D)."""
    _, height, width, features = dout.shape
    padded = np.zeros((-(-height // 4) * 4, -(-width // 4) * 4, features), dout.dtype)
    sides = (*dout.shape, *padded.shape[:2])
    _pixels_to_tiles(dout.reshape(-1), sides, padded.reshape(-1), tiles.reshape(-1), tiles.shape[1])


@inlined
def _constants(array):
    """1/2, 2, 5/2, the points 1/sqrt(2) and sqrt(2), in the precision of the array."""
    number = array.dtype.type
    return number(0.5), number(2.0), number(2.5), number(0.5**0.5), number(2.0**0.5)


@inlined
def _from_window(d0, d1, d2, d3, d4, d5, constants):
    """B^T d."""
    half, two, sum_of_squares, near, far = constants
    even, odd = d4 - d2 * two, (d3 - d1 * two) * near
    even_far, odd_far = d4 - d2 * half, (d3 - d1 * half) * far
    first, last = d0 + d4 - d2 * sum_of_squares, d1 + d5 - d3 * sum_of_squares
    return first, even + odd, even - odd, even_far + odd_far, even_far - odd_far, last


@inlined
def _to_result(m0, m1, m2, m3, m4, m5, constants):
    """A^T m."""
    half, two, _, near, far = constants
    even, odd = m1 + m2, (m1 - m2) * near
    even_far, odd_far = m3 + m4, (m3 - m4) * far
    return m0 + even + even_far, odd + odd_far, even * half + even_far * two, odd * half + odd_far * two + m5


@inlined
def _from_result(d0, d1, d2, d3, constants):
    """A d."""
    half, two, _, near, far = constants
    even, odd = d0 + d2 * half, (d1 + d3 * half) * near
    even_far, odd_far = d0 + d2 * two, (d1 + d3 * two) * far
    return d0, even + odd, even - odd, even_far + odd_far, even_far - odd_far, d3


@inlined
def _load_four(array, at, step):
    return load(array, at), load(array, at + step), load(array, at + 2 * step), load(array, at + 3 * step)


@inlined
def _load_six(array, at, step):
    return *_load_four(array, at, step), load(array, at + 4 * step), load(array, at + 5 * step)


@inlined
def _store_six(array, at, step, values):
    for k in range(6):
        store(array, at + k * step, values[k])


@inlined
def _copy(source, at, target, to, count):
    """`count` neighbors from one flat array to another; at least LANES."""
    for group in range(0, count, LANES):
        k = min(group, count - LANES)
        store(target, to + k, load(source, at + k))


@compiled
def _windows_to_tiles(x, sides, circular, padded, tiles, room):
    count, height, width, channels, rows, columns = sides
    constants = _constants(x)
    line = np.empty(36 * LANES, x.dtype)
    t = 0
    for n in range(count):
        for i in range(rows):
            y = (i - 1) % height if circular else i - 1
            if 0 <= y < height:
                at, to = (n * height + y) * width * channels, i * columns * channels
                _copy(x, at, padded, to + channels, width * channels)
                if circular:
                    _copy(x, at + (width - 1) * channels, padded, to, channels)
                    _copy(x, at, padded, to + (width + 1) * channels, channels)
        for i in range(0, rows - 2, 4):
            for j in range(0, columns - 2, 4):
                for group in range(0, channels, LANES):
                    c = min(group, channels - LANES)
                    for k in range(6):
                        at = (i * columns + j + k) * channels + c
                        d0, d1, d2, d3, d4, d5 = _load_six(padded, at, columns * channels)
                        values = _from_window(d0, d1, d2, d3, d4, d5, constants)
                        _store_six(line, k * LANES, 6 * LANES, values)
                    for k in range(6):
                        d0, d1, d2, d3, d4, d5 = _load_six(line, k * 6 * LANES, LANES)
                        values = _from_window(d0, d1, d2, d3, d4, d5, constants)
                        _store_six(tiles, (k * 6 * room + t) * channels + c, room * channels, values)
                t += 1


@compiled
def _tiles_to_pixels(products, room, b, shape, out):
    count, height, width, features = shape
    constants = _constants(out)
    line = np.empty(24 * LANES, out.dtype)
    t = 0
    for n in range(count):
        for i in range(0, height, 4):
            for j in range(0, width, 4):
                for group in range(0, features, LANES):
                    c = min(group, features - LANES)
                    bias = load(b, c)
                    for k in range(6):
                        at = (k * room + t) * features + c
                        m0, m1, m2, m3, m4, m5 = _load_six(products, at, 6 * room * features)
                        values = _to_result(m0, m1, m2, m3, m4, m5, constants)
                        for p in range(4):
                            store(line, (p * 6 + k) * LANES, values[p])
                    for p in range(min(4, height - i)):
                        m0, m1, m2, m3, m4, m5 = _load_six(line, p * 6 * LANES, LANES)
                        values = _to_result(m0, m1, m2, m3, m4, m5, constants)
                        at = ((n * height + i + p) * width + j) * features + c
                        for q in range(min(4, width - j)):
                            store(out, at + q * features, values[q] + bias)
                t += 1


@compiled
def _pixels_to_tiles(dout, sides, padded, tiles, room):
    count, height, width, features, rows, columns = sides
    constants = _constants(dout)
    line = np.empty(24 * LANES, dout.dtype)
    t = 0
    for n in range(count):
        for i in range(height):
            at = (n * height + i) * width * features
            _copy(dout, at, padded, i * columns * features, width * features)
        for i in range(0, rows, 4):
            for j in range(0, columns, 4):
                for group in range(0, features, LANES):
                    c = min(group, features - LANES)
                    for k in range(4):
                        at = (i * columns + j + k) * features + c
                        d0, d1, d2, d3 = _load_four(padded, at, columns * features)
                        _store_six(line, k * LANES, 4 * LANES, _from_result(d0, d1, d2, d3, constants))
                    for k in range(6):
                        d0, d1, d2, d3 = _load_four(line, k * 4 * LANES, LANES)
                        values = _from_result(d0, d1, d2, d3, constants)
                        _store_six(tiles, (k * 6 * room + t) * features + c, room * features, values)
                t += 1
