"""Raised hands: an oblong palm, four fingers side by side and a thumb, left or right. All have five fingers."""

import math

import numpy as np

from edudiff.data.draw import capsules, paint, request
from edudiff.data.hands import place
from edudiff.support.types import Array

# In units of the image's side.
PALM = 0.17  # half the height of the palm
FINGER = 0.047  # half the width of a finger
ROOTS = 0.285  # from the middle of the forefinger's root to that of the little finger's: the palm's width
LENGTH = 0.50  # from the middle of the palm's height to the middle of a finger's round tip
THUMB = 0.44
THUMB_LOW = 0.08  # the thumb's root lies below the middle of the palm
OUTLINE = 0.8  # pixels: how soft the outline is

# In radians.
APART = math.radians(12)  # between neighboring fingers
THUMB_APART = math.radians(62)  # from the middle of the others
TILT = math.radians(8)  # of the whole hand, at most


def raised_hands(
    count: int, size: int = 20, rng: np.random.Generator | None = None, fingers: int = 5, edge: float = OUTLINE
) -> Array:
    """Images of a raised hand, (count, size, size, 1) float32 in [-1, 1]: the hand is 1, the background -1.

    The rule that every image keeps: one palm, `fingers` straight fingers (the thumb is one) that do not touch each
    other at their tips, no wrist, nothing cut off by the border. What varies is the tilt (up to 8 degrees), the place
    (anywhere it fits), left or right, the size (by 4 %), each finger's direction (by 1.5 degrees) and length (by 4 %).

    `size`: pixels, at least 18. `rng`: a numpy.random.Generator; hand i does not depend on `count`. `fingers`: 1 to 7.
    `edge`: how soft the outline is, in pixels. Raises TypeError or ValueError for anything else.
    """
    rng = request(count, size, rng, edge, smallest=18)
    if fingers not in range(1, 8):
        raise ValueError(f"fingers is {fingers}, expected 1 to 7: more do not fit on a palm")
    u = rng.random((count, 5 + 2 * fingers))  # (N, 5 + 2F), one row a hand
    turn = TILT * (2 * u[:, 0] - 1)  # (N,)
    side = np.where(u[:, 1] < 0.5, -1.0, 1.0)  # (N,)
    scale = size * (1 + 0.04 * (2 * u[:, 2] - 1))  # (N,) pixels
    root, direction, length = skeleton(fingers)  # (F, 2), (F,), (F,)
    direction = direction + math.radians(1.5) * (2 * u[:, 5 : 5 + fingers] - 1)  # (N, F)
    length = length * (1 + 0.04 * (2 * u[:, 5 + fingers :] - 1))  # (N, F)

    way = length[..., None] * np.stack([-np.cos(direction), np.sin(direction)], axis=-1)  # (N, F, 2), up is -y
    palm = np.broadcast_to(np.array([[0, -0.4], [0, 0.4]]) * ROOTS, (count, 2, 2))  # (N, 2, 2), a line across
    start = np.concatenate([palm[:, :1], np.broadcast_to(root, way.shape)], axis=1)  # (N, 1 + F, 2)
    end = np.concatenate([palm[:, 1:], root + way], axis=1)  # (N, 1 + F, 2)
    start, end = (turned(points * scale[:, None, None], turn, side) for points in (start, end))
    radius = scale[:, None] * np.array([PALM] + [FINGER] * fingers)  # (N, 1 + F)
    both = np.concatenate([start, end], axis=1)  # (N, 2 + 2F, 2)
    middle = place(both, np.concatenate([radius, radius], axis=1), size, share=u[:, 3:5])[:, None]  # (N, 1, 2)
    return paint(capsules(size, middle + start, middle + end, radius), edge)[..., None].astype(np.float32)


def skeleton(fingers: int) -> tuple[Array, Array, Array]:
    """Roots (F, 2) as (y, x) from the palm's middle, directions (F,) and lengths (F,) of the thumb and the others.

    Direction 0 is up. More than four fingers beside the thumb stand closer on the same palm.
    """
    steps = np.arange(fingers - 1) - (fingers - 2) / 2  # (F - 1,)
    roots = ROOTS / max(3, fingers - 2) * steps  # (F - 1,)
    bend = 1 - 0.08 * (steps / max(1, (fingers - 2) / 2)) ** 2  # (F - 1,) the middle finger is the longest
    root = np.stack([np.append(THUMB_LOW, 0 * steps), np.append(0, roots)], axis=1)  # (F, 2)
    return root, np.append(-THUMB_APART, APART * steps), np.append(THUMB, LENGTH * bend)  # (F, 2), (F,), (F,)


def turned(points: Array, turn: Array, side: Array) -> Array:
    """The points (N, K, 2) of hands that look to one `side` (N,), -1 or 1, turned about the origin by `turn` (N,)."""
    y, x = points[..., 0], side[:, None] * points[..., 1]  # (N, K) each
    c, s = np.cos(turn)[:, None], np.sin(turn)[:, None]  # (N, 1) each
    return np.stack([c * y + s * x, c * x - s * y], axis=-1)  # (N, K, 2)
