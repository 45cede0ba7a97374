"""How many fingers a picture shows, by one rule: a finger tip is where the hand goes on in one direction only.

Lay a disc of radius RADIUS on a point of the hand and ask how much of the disc is hand. In the middle of a finger it is
nearly half, because the finger goes on both ways; at the edge of a palm it is nearly half too; at the tip of a finger,
where it goes on one way only, it is about a quarter. So a point is *tip* if it is hand (brighter than 0) and less than
SHARE of the disc is, and each connected piece of tip points, if it is not tiny, is one finger.

A hand drawn by `edudiff.data.shapes.hands` has as many as were drawn. In pictures that a model made up, all lengths in
units of the side: a finger that forks counts twice; two that have grown together up to their tips count once, or not
at all if the result is wider than 0.2; a stump counts if it sticks out by more than about 0.08; a loose piece counts
once, or twice if it is longer than 0.25. There need not be a palm, and there may be several.
"""

from math import isqrt, pi

import numpy as np

from edudiff.support import checks
from edudiff.support.components import areas, pieces
from edudiff.support.types import Array

RADIUS = 0.15  # in units of the picture's longer side; a drawn finger is 0.11 wide, a thumb sticks out by 0.17
SHARE = 0.36
TINY = 0.0025  # area of the smallest piece that counts, in units of side**2; tips of drawn hands have 0.005 or more

SIDE = 80  # points along the longer side of a picture, whatever its size in pixels
BLOCK = 64  # pictures looked at together


def count_fingers(image: Array) -> int:
    """The number of fingers in one picture, an int, by the rule above.

    `image`: (H, W) or (H, W, 1) floats in [-1, 1]. Raises ValueError for another shape or NaN, TypeError for integers.
    """
    image = np.asarray(image)
    if image.ndim not in (2, 3):
        raise ValueError(f"image has shape {image.shape}, expected (H, W) or (H, W, 1); for many use count_fingers_all")
    return int(count_fingers_all(image[None] if image.ndim == 3 else image[None, ..., None])[0])


def count_fingers_all(images: Array) -> Array:
    """The number of fingers in each picture, (N,) ints. `images`: (N, H, W, 1) floats in [-1, 1]; errors as above."""
    images = np.asarray(images)
    checks.finite_floats(images, "images")
    if images.ndim != 4 or images.shape[3] != 1:
        raise ValueError(f"images have shape {images.shape}, expected (N, H, W, 1), one gray channel")
    blocks = [images[i : i + BLOCK] for i in range(0, len(images), BLOCK)]  # (n, H, W, 1) each
    return np.concatenate(
        [(areas(pieces(finger_tips(block))) >= TINY * SIDE**2).sum(axis=1) for block in blocks]
    )  # (N,)


def finger_tips(images: Array) -> Array:
    """The tip points of pictures (N, H, W, 1), (N, h, w) booleans, the longer of h and w being SIDE."""
    hand = fine(images[..., 0]) > 0  # (N, h, w)
    return hand & (disc_sums(hand, RADIUS * SIDE) < SHARE * pi * (RADIUS * SIDE) ** 2)


def fine(images: Array) -> Array:
    """Pictures (N, H, W) read at SIDE points along their longer side, by linear interpolation, (N, h, w)."""
    longer = max(images.shape[1:])
    for axis in (1, 2):
        n = images.shape[axis]
        points = round(SIDE * n / longer)
        at = np.clip((np.arange(points) + 0.5) * n / points - 0.5, 0, n - 1)  # (h,) in pixels
        low = at.astype(int)  # (h,)
        share = (at - low).reshape((-1, 1) if axis == 1 else -1)  # (h, 1) or (w,)
        high = np.minimum(low + 1, n - 1)
        images = (1 - share) * images.take(low, axis) + share * images.take(high, axis)  # (N, h, W), then (N, h, w)
    return images


def disc_sums(mask: Array, radius: float) -> Array:
    """How many points of `mask` (N, h, w) lie in the disc around each point, (N, h, w); none lie beyond the border.

    A disc is a stack of rows, and the sum of a row is the difference of two running sums.
    """
    k, (_, h, w) = int(radius), mask.shape
    running = np.pad(mask, ((0, 0), (k, k), (k + 1, k))).cumsum(axis=2, dtype=np.int32)  # (N, h + 2k, w + 2k + 1)
    total = np.zeros(mask.shape, np.int32)  # (N, h, w)
    for dy in range(-k, k + 1):
        half = isqrt(int(radius**2) - dy**2)
        rows = running[:, k + dy : k + dy + h]  # (N, h, w + 2k + 1)
        total += rows[:, :, k + half + 1 :][:, :, :w] - rows[:, :, k - half :][:, :, :w]
    return total
