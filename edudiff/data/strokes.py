"""Strokes: ten kinds of pen curves that look like digits, each bent, slanted and placed at random."""

import math
from collections.abc import Sequence
from typing import Literal, overload

import numpy as np

from edudiff.data.draw import EDGE, capsules, paint, request
from edudiff.support.types import Array

Point = tuple[float, float]

PIECES = 24  # straight pieces per image
PEN = 0.045  # half the width of the pen, in units of the image's side

# Each kind is a list of pen strokes, each the (y, x) points that a smooth curve goes through, in the unit square.
KINDS: list[list[list[Point]]] = [
    [[(0, 0.5), (0.2, 0.15), (0.5, 0.05), (0.8, 0.15), (1, 0.5), (0.8, 0.85), (0.5, 0.95), (0.2, 0.85), (0, 0.5)]],
    [[(0.2, 0.3), (0, 0.55)], [(0, 0.55), (1, 0.55)]],
    [[(0.22, 0.1), (0.02, 0.45), (0.25, 0.85), (0.6, 0.5), (1, 0.08)], [(1, 0.08), (0.98, 0.95)]],
    [
        [(0.1, 0.1), (0.02, 0.5), (0.22, 0.82), (0.46, 0.4)],
        [(0.46, 0.4), (0.58, 0.85), (0.85, 0.8), (1, 0.45), (0.9, 0.08)],
    ],
    [[(0, 0.5), (0.62, 0.05)], [(0.62, 0.05), (0.62, 0.98)], [(0.25, 0.7), (1, 0.7)]],
    [
        [(0, 0.9), (0, 0.2)],
        [(0, 0.2), (0.45, 0.15)],
        [(0.45, 0.15), (0.4, 0.6), (0.7, 0.9), (0.97, 0.5), (0.9, 0.08)],
    ],
    [[(0, 0.7), (0.3, 0.25), (0.7, 0.08), (1, 0.45), (0.78, 0.88), (0.55, 0.55), (0.68, 0.15)]],
    [[(0.02, 0.05), (0, 0.92)], [(0, 0.92), (0.5, 0.55), (1, 0.35)]],
    [[(0.47, 0.5), (0.25, 0.1), (0, 0.5), (0.25, 0.9), (0.47, 0.5), (0.75, 0.08), (1, 0.5), (0.75, 0.92), (0.47, 0.5)]],
    [[(0.35, 0.85), (0.5, 0.45), (0.28, 0.12), (0.02, 0.5), (0.3, 0.88)], [(0.3, 0.88), (0.65, 0.8), (1, 0.6)]],
]


@overload
def strokes(
    count: int, size: int = 20, rng: np.random.Generator | None = None, *, labels: Literal[True], edge: float = EDGE
) -> tuple[Array, Array]: ...


@overload
def strokes(
    count: int,
    size: int = 20,
    rng: np.random.Generator | None = None,
    labels: Literal[False] = False,
    edge: float = EDGE,
) -> Array: ...


def strokes(
    count: int, size: int = 20, rng: np.random.Generator | None = None, labels: bool = False, edge: float = EDGE
) -> Array | tuple[Array, Array]:
    """Images of one digit, (count, size, size, 1) float32 in [-1, 1]; with `labels=True` also its kind, (count,).

    The kind (0 to 9) is drawn evenly. What varies is slant, height, width, place, a smooth bend and the pen's width.
    `size`: pixels, at least 8. `rng`: a numpy.random.Generator; image i does not depend on `count`. `edge`: how soft
    the outline is, in pixels. Raises TypeError or ValueError for anything else.
    """
    rng = request(count, size, rng, edge, smallest=8)
    u = rng.random((count, 9))  # (N, 9), one row an image
    kind = (len(KINDS) * u[:, 0]).astype(np.int64)  # (N,)
    joints = np.stack([pieces(curves) for curves in KINDS])[kind]  # (N, K, 2, 2) start and end, (y, x)
    bent = bend(joints.reshape(count, -1, 2), 2 * u[:, 1:8] - 1)  # (N, 2K, 2)
    bent = size * (0.5 + bent) - 0.5  # (N, 2K, 2) pixels
    pen = size * PEN * (1 + 0.25 * (2 * u[:, 8] - 1))  # (N,)
    start, end = bent[:, 0::2], bent[:, 1::2]  # (N, K, 2) each
    line = capsules(size, start, end, np.repeat(pen[:, None], PIECES, axis=1))  # (N, H, W)
    images = paint(line, edge)[..., None].astype(np.float32)  # (N, H, W, 1)
    return (images, kind) if labels else images


def pieces(curves: Sequence[Sequence[Point]]) -> Array:
    """PIECES straight pieces along the pen strokes of one kind, (PIECES, 2, 2): longer strokes get more of them."""
    shares = np.array([len(points) - 1 for points in curves])
    ends = np.rint(np.cumsum(shares) / shares.sum() * PIECES).astype(int)
    parts = []
    for points, number in zip(curves, np.diff(ends, prepend=0), strict=True):
        line = smooth(np.array(points, float), number + 1)  # (number + 1, 2)
        parts.append(np.stack([line[:-1], line[1:]], axis=1))  # (number, 2, 2)
    return np.concatenate(parts)  # (PIECES, 2, 2)


def smooth(points: Array, number: int) -> Array:
    """`number` places along the Catmull-Rom curve through `points`: cubics whose slopes are central differences."""
    closed = len(points) > 2 and np.array_equal(points[0], points[-1])
    before, after = (points[-2], points[1]) if closed else (points[0], points[-1])
    p = np.concatenate([before[None], points, after[None]])  # (M + 2, 2)
    along = np.linspace(0, len(points) - 1, number)  # (number,)
    i = np.minimum(along.astype(int), len(points) - 2)  # (number,)
    s = (along - i)[:, None]  # (number, 1)
    slope0, slope1 = (p[i + 2] - p[i]) / 2, (p[i + 3] - p[i + 1]) / 2  # (number, 2) each
    a, b = p[i + 1], p[i + 2]  # (number, 2) each
    return a + s * slope0 + s**2 * (3 * (b - a) - 2 * slope0 - slope1) + s**3 * (slope0 + slope1 - 2 * (b - a))


def bend(points: Array, v: Array) -> Array:
    """Points (N, M, 2) of the unit square, bent and slanted, around 0. `v`: (N, 7), each in [-1, 1]."""
    v = v[..., None]  # (N, 7, 1)
    y, x = points[..., 0] - 0.5, points[..., 1] - 0.5  # (N, M) each
    wave = 0.06 * v[:, 0] * np.sin(2 * math.pi * (y + v[:, 1]))  # (N, M)
    x = (0.52 + 0.08 * v[:, 2]) * x + wave + (0.2 * v[:, 3]) * y  # (N, M)
    y = (0.68 + 0.05 * v[:, 4]) * y  # (N, M)
    return np.stack([y + 0.05 * v[:, 5], x + 0.05 * v[:, 6]], axis=-1)  # (N, M, 2)
