"""Drawing with signed distances: how far each pixel lies outside a form (negative inside), then a soft edge there.

Lengths are in pixels, points are (y, x), and the center of pixel (i, j) is the point (i, j).
"""

from typing import Any

import numpy as np

from edudiff.support import checks
from edudiff.support.types import Array

EDGE = 0.6  # pixels: how soft an outline is
BLOCK = 256  # images drawn at once


def axes(size: int) -> tuple[Array, Array]:
    """The rows (H, 1) and columns (1, W) of a `size` x `size` picture."""
    at = np.arange(size, dtype=np.float64)
    return at[:, None], at[None, :]


def capsule(size: int, start: Array, end: Array, radius: Array) -> Array:
    """Signed distance to a line from `start` to `end` drawn by a round pen of `radius`; a disc if both are one point.

    `start`, `end`: (N, 2). `radius`: (N,). Returns (N, H, W).
    """
    rows, columns = axes(size)
    y, x = rows - start[:, 0, None, None], columns - start[:, 1, None, None]  # (N, H, 1), (N, 1, W)
    dy, dx = (end - start).T[:, :, None, None]  # (N, 1, 1) each
    length2 = np.maximum(dy**2 + dx**2, 1e-12)  # (N, 1, 1)
    share = np.clip((y * dy + x * dx) / length2, 0, 1)  # (N, H, W) of the way to the nearest point of the line
    return np.hypot(y - share * dy, x - share * dx) - radius[:, None, None]  # (N, H, W)


def capsules(size: int, start: Array, end: Array, radius: Array) -> Array:
    """Signed distance to unions of K capsules, (N, H, W). `start`, `end`: (N, K, 2). `radius`: (N, K)."""
    union = np.empty((len(start), size, size))  # (N, H, W)
    for i in range(0, len(start), BLOCK):
        block = slice(i, i + BLOCK)
        parts = (capsule(size, start[block, k], end[block, k], radius[block, k]) for k in range(start.shape[1]))
        union[block] = np.minimum.reduce(list(parts))  # (n, H, W)
    return union


def ellipse(size: int, middle: Array, radii: Array) -> Array:
    """Signed distance to upright ellipses, (N, H, W), to first order near the outline. `middle`, `radii`: (N, 2)."""
    rows, columns = axes(size)
    y, x = rows - middle[:, 0, None, None], columns - middle[:, 1, None, None]  # (N, H, 1), (N, 1, W)
    ry, rx = radii.T[:, :, None, None]  # (N, 1, 1) each
    level = np.hypot(y / ry, x / rx)  # (N, H, W), 1 on the outline
    slope = np.hypot(y / ry**2, x / rx**2)  # (N, H, W)
    return level * (level - 1) / np.maximum(slope, 1e-9)  # (N, H, W)


def paint(distance: Array, edge: float = EDGE) -> Array:
    """1 inside, -1 outside, and tanh(-distance / edge) between: the soft outline that stands for anti-aliasing."""
    return np.tanh(-distance / edge)


def request(count: int, size: int, rng: Any, edge: float, smallest: int) -> np.random.Generator:
    """Check what is to be drawn; returns `rng`.

    Raises TypeError unless `count` and `size` are integers and `rng` is a generator, ValueError unless `count` >= 1,
    `size` >= `smallest` and 0 < `edge` < 2.
    """
    checks.integer(count, "count")
    checks.integer(size, "size", smallest)
    if not 0 < edge < 2:
        raise ValueError(f"edge is {edge}, expected a softness in pixels between 0 and 2, such as {EDGE}")
    return checks.generator(rng)
