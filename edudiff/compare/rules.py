"""Whether a picture keeps the rules of the drawn faces, rule by rule: what a face needs, and a model may get wrong.

The checkers look at colors and places only, so they work on any picture, drawn by code or by a model, and a little
blur does no harm; every face that `edudiff.data.shapes.faces` draws keeps all four. All lengths are in units of the
picture's side. A picture keeps the rule

- `eyes` if it has exactly two irises (pieces that are blue as nothing else is), of one size, at one height;
- `mouth` if it has exactly one mouth (a piece that is red as nothing else is), under all eyes, between them if they
  are two;
- `skin` if the even parts of the face have one color (any: a model that mixes two skins all over invents a third);
- `outline` if the head (the largest piece that is not ground) has the same middle in each of its rows.
"""

import numpy as np

from edudiff.data.faces import GROUNDS, HAIRS, IRIS, MOUTH, SKINS, WHITE
from edudiff.support import checks
from edudiff.support.components import areas, pieces
from edudiff.support.distances import nearest
from edudiff.support.types import Array

BLUE, RED = 0.35, 0.42  # by how much one color is ahead of both others
SPECK = 0.0025  # area of the smallest piece that counts: 3 pixels of 32 x 32
SLACK = 0.04  # of heights and middles: a good pixel of 32
LIKE = 1.8  # ratio of the areas of two irises of one size
EVEN = 0.10  # difference of color to the neighbors in an even part
CLOSE = 0.12  # difference of an even part to the median color of the face
ONE = 0.93  # share of the even parts that is so close
LITTLE = 0.02  # area of the smallest head
MIDDLE = (0.45, 0.85), (0.2, 0.8)  # rows and columns of the head that show its face, whatever its hair
ROWS = 0.9  # share of the head's rows that have the middle

PALETTE = np.concatenate([SKINS, GROUNDS, HAIRS, WHITE[None], IRIS[None], MOUTH[None]])  # (K, 3)


def face_rules(images: Array) -> dict[str, Array]:
    """Which pictures keep which rule: {"eyes", "mouth", "skin", "outline"}, booleans (N,) each.

    `images`: (N, H, W, 3) floats in [-1, 1], values beyond are cut; faces as drawn at 32 pixels or more. Raises
    ValueError for another shape or NaN, TypeError for integers.
    """
    images = np.asarray(images)
    checks.finite_floats(images, "images")
    if images.ndim != 4 or images.shape[3] != 3:
        raise ValueError(f"images have shape {images.shape}, expected (N, H, W, 3), color")
    colors = np.clip((images.astype(np.float64) + 1) / 2, 0, 1)  # (N, H, W, 3)
    irises = find(ahead(colors, 2) > BLUE)
    mouths = find(ahead(colors, 0) > RED)
    heads = find_heads(colors)  # (N, H, W)
    return {
        "eyes": np.array([eyes(i) for i in irises]),
        "mouth": np.array([mouth(m, i) for m, i in zip(mouths, irises, strict=True)]),
        "skin": skin(colors, heads),
        "outline": np.array([outline(head) for head in heads]),
    }


def ahead(colors: Array, channel: int) -> Array:
    """By how much one channel is ahead of both others, (N, H, W)."""
    return colors[..., channel] - np.delete(colors, channel, axis=3).max(axis=3)  # (N, H, W)


def eyes(irises: Array) -> bool:
    """Two irises of one size at one height? `irises`: (K, 3) rows of area, y, x."""
    if len(irises) != 2:
        return False
    small, large = sorted(irises[:, 0])
    return bool(large <= LIKE * small and abs(irises[0, 1] - irises[1, 1]) <= SLACK)


def mouth(mouths: Array, irises: Array) -> bool:
    """One mouth, under all eyes and, if there are two, between them? Rows of area, y, x."""
    if len(mouths) != 1:
        return False
    ((_, y, x),) = mouths
    under = (y > irises[:, 1] + SLACK).all()
    return bool(under and (len(irises) != 2 or abs(x - irises[:, 2].mean()) <= 1.5 * SLACK))


def skin(colors: Array, heads: Array) -> Array:
    """Of which pictures (N, H, W, 3) the middle of the head has one color: booleans, (N,). `heads`: (N, H, W).

    Looked at are the even parts of the middle, without eyes and mouth: a good share has to be close to its median.
    """
    even = nearest_color(colors) < len(SKINS) + len(GROUNDS) + len(HAIRS)  # (N, H, W), neither eye nor mouth
    for axis in (1, 2):
        near = np.abs(np.diff(colors, axis=axis)).max(axis=3) < EVEN  # (N, H - 1, W) or (N, H, W - 1)
        lines, between = np.moveaxis(even, axis, 0), np.moveaxis(near, axis, 0)  # views
        lines[1:] &= between
        lines[:-1] &= between
    parts = [c[e & middle(h)] for c, e, h in zip(colors, even, heads, strict=True)]  # (P, 3) each
    far = [np.abs(pixels - np.median(pixels, axis=0)).max(axis=1) if len(pixels) else np.ones(1) for pixels in parts]
    return np.array([(distance < CLOSE).mean() >= ONE for distance in far])  # (N,); no pixel is no skin


def middle(head: Array) -> Array:
    """The part of a head (H, W) that is face whatever the hair: the middle of its bounding box, booleans (H, W)."""
    part = np.zeros(head.shape, bool)
    if head.any():
        spans = [np.flatnonzero(head.any(axis=axis)) for axis in (1, 0)]  # rows, columns
        ends = [(s[0], s[-1] + 1 - s[0], *share) for s, share in zip(spans, MIDDLE, strict=True)]
        part[tuple(slice(round(low + f * size), round(low + g * size)) for low, size, f, g in ends)] = True
    return part


def find_heads(colors: Array) -> Array:
    """The largest piece of each picture (N, H, W, 3) that is not ground, booleans (N, H, W); none if it is small."""
    kind = nearest_color(colors)  # (N, H, W)
    number = pieces((kind < len(SKINS)) | (kind >= len(SKINS) + len(GROUNDS)), corners=True)  # (N, H, W)
    sizes = areas(number)  # (N, H * W)
    largest = np.where(sizes.max(axis=1) >= LITTLE * sizes.shape[1], sizes.argmax(axis=1) + 1, -1)  # (N,)
    return number == largest[:, None, None]  # (N, H, W)


def outline(head: Array) -> bool:
    """Do nearly all rows of a head (H, W) have the same middle?"""
    width, rows = head.shape[1], head[head.any(axis=1)]  # (h, W)
    if len(rows) == 0:
        return False
    middles = (rows.argmax(axis=1) + width - 1 - rows[:, ::-1].argmax(axis=1)) / 2  # (h,)
    return bool((np.abs(middles - np.median(middles)) <= SLACK * width).mean() >= ROWS)


def nearest_color(colors: Array) -> Array:
    """Index in PALETTE of the color nearest to each pixel: (N, H, W, 3) to (N, H, W)."""
    return nearest(colors.reshape(-1, 3), PALETTE)[0].reshape(colors.shape[:3])  # (N, H, W)


def find(mask: Array) -> list[Array]:
    """The pieces of each mask (N, H, W) that are no specks: a list of N arrays (K, 3), rows of area, y, x."""
    found, size = [], max(mask.shape[1:])
    for number in pieces(mask, corners=True):
        y, x = number.nonzero()  # (P,), (P,)
        _, piece, area = np.unique(number[y, x], return_inverse=True, return_counts=True)  # (P,), (K,)
        middle = [np.bincount(piece, weights=v) / area for v in (y, x)]  # (K,) each
        rows = np.stack([area / number.size, middle[0] / size, middle[1] / size], axis=1)  # (K, 3)
        found.append(rows[rows[:, 0] >= SPECK])
    return found
