"""Drawing with signed distances: how far each pixel lies outside a form (negative inside), then a soft edge there.

Lengths are in pixels, points are (y, x), and the center of pixel (i, j) is the point (i, j).
"""

import numpy as np

from edudiff.support import checks

EDGE = 0.6  # pixels: how soft an outline is
BLOCK = 256  # pictures drawn at once


def axes(size):
    """The rows (H, 1) and columns (1, W) of a `size` x `size` picture."""
    at = np.arange(size, dtype=np.float64)
    return at[:, None], at[None, :]


def capsule(size, start, end, radius):
    """Signed distance to a line from `start` to `end` drawn by a round pen of `radius`; a disc if both are one point.

    `start`, `end`: (N, 2). `radius`: (N,). Returns (N, H, W).
    """
    rows, columns = axes(size)
    y, x = rows - start[:, 0, None, None], columns - start[:, 1, None, None]  # (N, H, 1), (N, 1, W)
    dy, dx = (end - start).T[:, :, None, None]  # (N, 1, 1) each
    length2 = np.maximum(dy**2 + dx**2, 1e-12)  # (N, 1, 1)
    share = np.clip((y * dy + x * dx) / length2, 0, 1)  # (N, H, W) of the way to the nearest point of the line
    return np.hypot(y - share * dy, x - share * dx) - radius[:, None, None]  # (N, H, W)


def capsules(size, start, end, radius):
    """Signed distance to unions of K capsules, (N, H, W). `start`, `end`: (N, K, 2). `radius`: (N, K)."""
    union = np.empty((len(start), size, size))  # (N, H, W)
    for i in range(0, len(start), BLOCK):
        block = slice(i, i + BLOCK)
        parts = (capsule(size, start[block, k], end[block, k], radius[block, k]) for k in range(start.shape[1]))
        union[block] = np.minimum.reduce(list(parts))  # (n, H, W)
    return union


def ellipse(size, middle, radii):
    """Signed distance to upright ellipses, (N, H, W), to first order near the outline. `middle`, `radii`: (N, 2)."""
    rows, columns = axes(size)
    y, x = rows - middle[:, 0, None, None], columns - middle[:, 1, None, None]  # (N, H, 1), (N, 1, W)
    ry, rx = radii.T[:, :, None, None]  # (N, 1, 1) each
    level = np.hypot(y / ry, x / rx)  # (N, H, W), 1 on the outline
    slope = np.hypot(y / ry**2, x / rx**2)  # (N, H, W)
    return level * (level - 1) / np.maximum(slope, 1e-9)  # (N, H, W)


def paint(distance, edge=EDGE):
    """1 inside, -1 outside, and tanh(-distance / edge) between: the soft outline that stands for anti-aliasing."""
    return np.tanh(-distance / edge)


def check_request(count, size, rng, edge, smallest):
    """Raise a clear error unless `count` >= 1, `size` >= `smallest`, `rng` is a Generator, and 0 < `edge` < 2."""
    for value, least, name in ((count, 1, "count"), (size, smallest, "size")):
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise TypeError(f"{name} is {value!r}, expected an integer >= {least}")
        if value < least:
            raise ValueError(f"{name} is {value}, expected at least {least}")
    checks.generator(rng)
    if not 0 < edge < 2:
        raise ValueError(f"edge is {edge}, expected a softness in pixels between 0 and 2, such as {EDGE}")
