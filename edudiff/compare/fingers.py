"""How many fingers a picture shows, by one rule: a finger tip is where the hand goes on in one direction only.

Lay a disc of radius RADIUS on a point of the hand and ask how much of the disc is hand, gray counting in part. In the
middle of a finger it is about half, because the finger goes on both ways; at the edge of a palm it is about half too;
at the tip of a finger, where it goes on one way only, it is about a quarter. So a point is *tip* if it is hand
(brighter than 0) and less than TIP of the disc is, and each connected piece of tip points is one finger if one of its
points is so without doubt: clearly hand (brighter than BRIGHT) and clearly tip (less than SURE of its disc is hand).
Faint noise moves the edge of such a piece, and hardly ever makes or ends one. Pieces of the picture with an area below
DEBRIS belong to no hand and have no fingers. All this is asked of the picture, of a brighter and of a darker copy, and
the middle one of the three numbers is the answer: it does not turn on one gray pixel.

A hand drawn by `edudiff.data.shapes` has as many as were drawn. In pictures that a model made up, all lengths in units
of the side: a finger that forks counts twice; two that have grown together up to their tips count once, or not at all
if the result is wider than about 0.2; a stump counts if it sticks out by more than about 0.03. There need not be a
palm, and there may be several. Noise with a standard deviation of 2 % of the range changes no count of a drawn hand.
"""

from collections.abc import Iterator
from itertools import product
from math import isqrt

import numpy as np

from edudiff.support import checks
from edudiff.support.components import areas, pieces
from edudiff.support.types import Array

# In units of the picture's longer side.
RADIUS = 0.13  # of the disc; a drawn finger is 0.09 or 0.11 wide, a thumb sticks out by 0.17
DEBRIS = 0.06  # in units of side**2; a drawn finger alone has 0.03, a palm 0.1
NEAR = 0.12  # two tips that are so near are the same finger in two pictures; drawn neighbors are 0.2 apart or more

TIP, SURE = 0.39, 0.33  # shares of a disc that are hand
BRIGHT = 0.2
BRIGHTER = (0.0, 0.2, -0.2)  # what is added to the picture's brightness in [-1, 1]

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
    return np.array([len(tips) for tips in finger_tips(images)])  # (N,)


def finger_tips(images: Array) -> list[Array]:
    """Where the tips of the fingers are, for each picture an array (fingers, 2) of (y, x) in units of the longer side.

    `images`: (N, H, W, 1) floats in [-1, 1]. Raises ValueError for another shape or NaN, TypeError for integers.
    """
    images = np.asarray(images)
    checks.finite_floats(images, "images")
    if images.ndim != 4 or images.shape[3] != 1:
        raise ValueError(f"images have shape {images.shape}, expected (N, H, W, 1), one gray channel")
    found: list[Array] = []
    for i in range(0, len(images), BLOCK):
        bright = fine(images[i : i + BLOCK, :, :, 0])  # (n, h, w)
        tries = zip(*(_tips(bright + more) for more in BRIGHTER), strict=True)
        found += [sorted(three, key=len)[1] for three in tries]
    return found


def _tips(bright: Array) -> list[Array]:
    """`finger_tips` of pictures that are read already, (N, h, w), by what is brighter than 0."""
    found = []
    for number, sure in zip(*tip_points(bright), strict=True):
        tips = [np.argwhere(number == piece).mean(axis=0) for piece in np.unique(number[sure])]  # (2,) each
        found.append((np.reshape(tips, (-1, 2)) + 0.5) / SIDE)
    return found


def tip_points(bright: Array) -> tuple[Array, Array]:
    """The pieces of tip points of pictures (N, h, w), numbered, 0 elsewhere; and which points are tips for sure.

    Both are (N, h, w). The longer of h and w is SIDE.
    """
    number = pieces(bright > 0, corners=True)  # (N, h, w)
    large = np.pad(areas(number) >= DEBRIS * SIDE**2, ((0, 0), (1, 0)))  # (N, 1 + h * w)
    hand = np.take_along_axis(large, number.reshape(len(number), -1), axis=1).reshape(number.shape)  # (N, h, w)
    part = np.where(hand, np.clip((1 + bright) / 2, 0, 1), 0)  # (N, h, w)
    disc = 1000 * sum(2 * half + 1 for _, half in rows_of_disc(RADIUS * SIDE))  # thousandths: their sums have no order
    share = disc_sums(np.rint(1000 * part).astype(np.int32), RADIUS * SIDE) / disc  # (N, h, w)
    sure = hand & (share < SURE) & (bright > BRIGHT)  # (N, h, w)
    return pieces(hand & (share < TIP), corners=True), sure


def same_fingers(tips: Array, others: Array) -> int:
    """How many fingers two pictures have in common, from their tips (K, 2) and (L, 2): pairs of tips that are NEAR.

    The nearest pairs first, and no tip in two of them.
    """
    distance = np.hypot(*np.moveaxis(tips[:, None] - others[None], 2, 0))  # (K, L)
    pairs = 0
    while distance.size and distance.min() <= NEAR:
        i, j = np.unravel_index(distance.argmin(), distance.shape)
        distance = np.delete(np.delete(distance, i, axis=0), j, axis=1)  # (K - 1, L - 1)
        pairs += 1
    return pairs


def finger_agreement(images: Array, others: Array) -> dict[str, float]:
    """How well the fingers of two sets of pictures (N, H, W, 1) agree, pair by pair.

    `same_count`: the share of pairs with the same number of fingers; `correlation`: of the numbers, NaN if all are the
    same; `by_finger`: the share of fingers that are present in both pictures of their pair, at the same place.
    `same_count_by_chance`, `by_finger_by_chance`: the same, of each picture with the others of all *other* pairs.
    """
    first, second = finger_tips(images), finger_tips(others)
    counts = np.array([[len(tips) for tips in them] for them in (first, second)])  # (2, N)
    n = counts.shape[1]
    same = np.equal.outer(*counts)  # (N, N)
    shared = np.zeros((n, n))
    for i, j in product(range(n), repeat=2):
        shared[i, j] = 2 * same_fingers(first[i], second[j])
    total = np.add.outer(*counts)  # (N, N)
    diagonal = np.eye(n, dtype=bool)
    varied = bool(np.ptp(counts, axis=1).all())
    table = {"correlation": float(np.corrcoef(counts)[0, 1]) if varied else float("nan")}
    for ending, where in (("", diagonal), ("_by_chance", ~diagonal)):
        table[f"same_count{ending}"] = float(same[where].mean()) if where.any() else float("nan")
        table[f"by_finger{ending}"] = float(shared[where].sum() / total[where].sum()) if total[where].any() else 1.0
    return table


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


def disc_sums(values: Array, radius: float) -> Array:
    """Sums of integers `values` (N, h, w) over the disc around each point, (N, h, w); beyond the border is nothing.

    A disc is a stack of rows, and the sum of a row is the difference of two running sums.
    """
    k, (_, h, w) = int(radius), values.shape
    running = np.pad(values, ((0, 0), (k, k), (k + 1, k))).cumsum(axis=2, dtype=np.int32)  # (N, h + 2k, w + 2k + 1)
    total = np.zeros(values.shape, np.int32)  # (N, h, w)
    for dy, half in rows_of_disc(radius):
        rows = running[:, k + dy : k + dy + h]  # (N, h, w + 2k + 1)
        total += rows[:, :, k + half + 1 :][:, :, :w] - rows[:, :, k - half :][:, :, :w]
    return total


def rows_of_disc(radius: float) -> Iterator[tuple[int, int]]:
    """(dy, half) for each row of a disc: its points are at -half ... half of row dy, seen from the middle."""
    for dy in range(-int(radius), int(radius) + 1):
        yield dy, isqrt(int(radius**2) - dy**2)
