"""Cartoon hands: a disc for the palm, a capsule for each finger, turned and placed at random. All have five fingers."""

import math

import numpy as np

from edudiff.data.draw import capsules, paint, request
from edudiff.support.types import Array

# In units of the image's side.
PALM = 0.18
FINGER = 0.056  # half the width of a finger
LENGTH = 0.42  # from the middle of the palm to the middle of a finger's round tip
THUMB = 0.31
MARGIN = 0.03  # kept free along the border

OUTLINE = 0.9  # pixels: how soft the outline is

# In radians.
APART = math.radians(39)  # between neighboring fingers
THUMB_APART = math.radians(62)


def hands(
    count: int, size: int = 20, rng: np.random.Generator | None = None, fingers: int = 5, edge: float = OUTLINE
) -> Array:
    """Images of a hand, (count, size, size, 1) float32 in [-1, 1]: the hand is 1, the background -1.

    The rule that every image keeps: one palm, `fingers` straight fingers (the thumb is one) that do not touch each
    other, no wrist, nothing cut off by the border. What varies is the angle (any), the place (anywhere it fits), left
    or right, the size (by 6 %), and each finger's direction (by 1.5 degrees) and length (by 5 %).

    `size`: pixels, at least 14. `rng`: a numpy.random.Generator; hand i does not depend on `count`. `fingers`: 1 to 7.
    `edge`: how soft the outline is, in pixels. Raises TypeError or ValueError for anything else.
    """
    rng = request(count, size, rng, edge, smallest=14)
    if fingers not in range(1, 8):
        raise ValueError(f"fingers is {fingers}, expected 1 to 7: more do not fit around a palm")
    u = rng.random((count, 5 + 2 * fingers))  # (N, 5 + 2F), one row a hand
    turn = 2 * math.pi * u[:, 0]  # (N,)
    side = np.where(u[:, 1] < 0.5, -1.0, 1.0)  # (N,)
    scale = size * (1 + 0.06 * (2 * u[:, 2] - 1))  # (N,) pixels
    direction, length = fan(fingers)  # (F,), (F,)
    direction = direction + math.radians(1.5) * (2 * u[:, 5 : 5 + fingers] - 1)  # (N, F)
    length = length * (1 + 0.05 * (2 * u[:, 5 + fingers :] - 1))  # (N, F)

    angle = turn[:, None] + side[:, None] * direction  # (N, F)
    ray = np.stack([np.sin(angle), np.cos(angle)], axis=-1)  # (N, F, 2)
    tips = (scale[:, None] * length)[..., None] * ray  # (N, F, 2)
    ends = np.concatenate([np.zeros((count, 1, 2)), tips], axis=1)  # (N, 1 + F, 2) the palm is a line of no length
    radius = scale[:, None] * np.array([PALM] + [FINGER] * fingers)  # (N, 1 + F)
    middle = place(ends, radius, size, share=u[:, 3:5])[:, None]  # (N, 1, 2)
    hand = capsules(size, np.broadcast_to(middle, ends.shape), middle + ends, radius)  # (N, H, W)
    return paint(hand, edge)[..., None].astype(np.float32)  # (N, H, W, 1)


def fan(fingers: int) -> tuple[Array, Array]:
    """Directions and lengths of the thumb and the others, (F,) and (F,); direction 0 is the middle of the others."""
    steps = np.arange(fingers - 1) - (fingers - 2) / 2  # (F - 1,)
    thumb = APART * (2 - fingers) / 2 - THUMB_APART
    bend = 1 - 0.08 * (steps / max(1, (fingers - 2) / 2)) ** 2  # (F - 1,) the middle finger is the longest
    return np.append(thumb, APART * steps), np.append(THUMB, LENGTH * bend)  # (F,), (F,)


def place(ends: Array, radius: Array, size: int, share: Array) -> Array:
    """Where the palm's middle goes, (N, 2): all discs at `ends` stay off the border, `share` (N, 2) in [0, 1] picks."""
    low = (ends - radius[..., None]).min(axis=1)  # (N, 2)
    high = (ends + radius[..., None]).max(axis=1)  # (N, 2)
    first = MARGIN * size - 0.5 - low  # (N, 2)
    last = (1 - MARGIN) * size - 0.5 - high  # (N, 2)
    return first + share * (last - first)  # (N, 2)
