"""Cartoon faces in color that keep four rules, so that a drawn face can be told from one that only looks like a face.

1. Two eyes of one size, at one height, left and right of the middle.
2. One mouth, under the eyes, in the middle.
3. One skin color, one of SKINS, all over the face.
4. A symmetric outline: face and hair are the same to the left and to the right of a vertical axis.

The axis runs through the middle or the edge of a pixel, so the whole picture is symmetric about it, pixel by pixel.
"""

import numpy as np

from edudiff.data.draw import EDGE, axes, capsules, ellipse, paint, request
from edudiff.support.types import Array

# Red, green, blue in [0, 1]. Skins, hairs and grounds are far apart, so that a pixel can be told by its color; only
# the iris is so blue, and only the mouth is so red.
SKINS = np.array([(0.99, 0.85, 0.72), (0.91, 0.70, 0.52), (0.72, 0.50, 0.34), (0.47, 0.31, 0.20)])
HAIRS = np.array([(0.10, 0.08, 0.08), (0.36, 0.16, 0.05), (0.98, 0.80, 0.20), (0.80, 0.45, 0.15), (0.62, 0.62, 0.66)])
GROUNDS = np.array([(0.55, 0.78, 0.95), (0.60, 0.85, 0.60), (0.75, 0.65, 0.90), (0.30, 0.45, 0.70)])
WHITE, IRIS, MOUTH = np.array([(1.0, 1.0, 1.0), (0.05, 0.20, 0.85), (0.80, 0.10, 0.15)])

HAIRCUTS = ("none", "short", "long")


def faces(count: int, size: int = 32, rng: np.random.Generator | None = None, edge: float = EDGE) -> Array:
    """Images of a face, (count, size, size, 3) float32 in [-1, 1], that keep the four rules above.

    What varies: the three colors, the haircut (none, short, long), the fringe; place, width and height of the face;
    size, height and distance of the eyes; height, width and smile of the mouth. `size`: pixels, at least 24. `rng`: a
    numpy.random.Generator; face i does not depend on `count`. `edge`: how soft outlines are, in pixels.
    Raises TypeError or ValueError for anything else.
    """
    rng = request(count, size, rng, edge, smallest=24)
    u = rng.random((count, 15))  # (N, 15), one row a face
    skin, hair, ground = (colors[pick(u[:, i], len(colors))] for i, colors in enumerate((SKINS, HAIRS, GROUNDS)))
    axis = np.rint(2 * size * between(u[:, 3], 0.44, 0.56)) / 2 - 0.5  # (N,)
    middle = np.stack([size * between(u[:, 4], 0.50, 0.57) - 0.5, axis], axis=1)  # (N, 2)
    radii = size * np.stack([between(u[:, 5], 0.30, 0.36), between(u[:, 6], 0.22, 0.29)], axis=1)  # (N, 2) down, across
    behind, fringe = haircut(size, middle, radii, kind=pick(u[:, 7], len(HAIRCUTS)), line=between(u[:, 8], 0.45, 0.65))
    left, right, eye = eyes(size, middle, radii, u[:, 9:12])
    mouth = smile(size, middle, radii, u[:, 12:15])

    image = np.broadcast_to(ground[:, None, None], (count, size, size, 3))
    layers = [(behind, hair), (ellipse(size, middle, radii), skin), (fringe, hair)]  # from back to front
    layers += [(left, WHITE), (right, WHITE), (left + 0.35 * eye, IRIS), (right + 0.35 * eye, IRIS), (mouth, MOUTH)]
    for form, color in layers:
        cover = (paint(form, edge)[..., None] + 1) / 2  # (N, H, W, 1)
        color = np.reshape(color, (-1, 1, 1, 3))  # (N or 1, 1, 1, 3)
        image = image + cover * (color - image)  # (N, H, W, 3)
    return (2 * image - 1).astype(np.float32)  # (N, H, W, 3)


def haircut(size: int, middle: Array, radii: Array, kind: Array, line: Array) -> tuple[Array, Array]:
    """The hair behind the head and the fringe over it, down to `line`: signed distances, (N, H, W) each."""
    rows, _ = axes(size)
    down = (rows - middle[:, :1, None]) / radii[:, :1, None]  # (N, H, 1) 0 at the middle of the face, 1 at the chin
    to_pixels = radii[:, :1, None]  # (N, 1, 1)
    end = np.where(kind == 2, 1.0, 0.15)[:, None, None]  # (N, 1, 1)
    bald = np.where(kind == 0, 10.0 * size, 0.0)[:, None, None]  # (N, 1, 1) far from every pixel
    head = ellipse(size, middle, radii + 0.07 * size)  # (N, H, W)
    behind = np.maximum(head, (down - end) * to_pixels) + bald  # (N, H, W)
    fringe = np.maximum(head, (down + line[:, None, None]) * to_pixels) + bald  # (N, H, W)
    return behind, fringe


def eyes(size: int, middle: Array, radii: Array, u: Array) -> tuple[Array, Array, Array]:
    """Two round eyes, signed distances (N, H, W) each, and their radius (N, 1, 1)."""
    y = middle[:, 0] - radii[:, 0] * between(u[:, 0], 0.0, 0.15)  # (N,)
    apart = radii[:, 1] * between(u[:, 1], 0.45, 0.55)  # (N,)
    radius = size * between(u[:, 2], 0.058, 0.075)  # (N,)
    both = np.stack([radius, radius], axis=1)  # (N, 2)
    left, right = (ellipse(size, np.stack([y, middle[:, 1] + s * apart], axis=1), both) for s in (-1, 1))
    return left, right, radius[:, None, None]


def smile(size: int, middle: Array, radii: Array, u: Array) -> Array:
    """Signed distance to a mouth, (N, H, W): a parabola whose corners go up (a smile) or down."""
    at = np.linspace(-1, 1, 7)  # (7,)
    y = middle[:, 0] + radii[:, 0] * between(u[:, 0], 0.46, 0.58)  # (N,)
    half = radii[:, 1] * between(u[:, 1], 0.3, 0.5)  # (N,)
    drop = size * between(u[:, 2], -0.028, 0.052)  # (N,)
    curve_y = y[:, None] + drop[:, None] * (1 - at**2)  # (N, 7)
    curve = np.stack([curve_y, middle[:, 1:] + half[:, None] * at], axis=-1)  # (N, 7, 2)
    return capsules(size, curve[:, :-1], curve[:, 1:], np.full((len(y), 6), 0.026 * size))  # (N, H, W)


def between(u: Array, low: float, high: float) -> Array:
    """`u` in [0, 1] carried to [low, high]: (N,)."""
    return low + (high - low) * u  # (N,)


def pick(u: Array, number: int) -> Array:
    """`u` in [0, 1) as one of 0 to number - 1: (N,) ints."""
    return (number * u).astype(int)  # (N,)
