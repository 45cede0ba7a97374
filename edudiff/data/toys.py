"""Points in the plane to learn from: each function gives (count, 2) float64 within about [-1, 1]; `tree` labels too.

`count`: how many, at least 1. `rng`: a `numpy.random.Generator`. Each raises TypeError for anything else, ValueError
for a smaller `count`.
"""

import math

import numpy as np

from edudiff.support import checks
from edudiff.support.types import Array


def ring(count: int, rng: np.random.Generator, noise: float = 0.03) -> Array:
    """A circle of radius 0.8; `noise` is the standard deviation around it."""
    _check(count, rng)
    angle = 2 * math.pi * rng.random(count)  # (N,)
    return 0.8 * _direction(angle) + noise * rng.standard_normal((count, 2))  # (N, 2)


def two_moons(count: int, rng: np.random.Generator, noise: float = 0.03) -> Array:
    """Two half circles, one open below and one above, that reach into each other without touching."""
    _check(count, rng)
    angle = math.pi * rng.random(count)  # (N,)
    upper = rng.random(count) < 0.5  # (N,)
    arc = _direction(angle)  # (N, 2)
    points = np.where(upper[:, None], arc, [1, 0.5] - arc)  # (N, 2), in [-1, 2] x [-0.5, 1]
    return (points - [0.5, 0.25]) / 1.7 + noise * rng.standard_normal((count, 2))  # (N, 2)


def eight_gaussians(count: int, rng: np.random.Generator, noise: float = 0.06) -> Array:
    """Eight round clouds, with standard deviation `noise`, around the corners of a regular octagon of radius 0.8."""
    _check(count, rng)
    angle = math.pi / 4 * rng.integers(8, size=count)  # (N,)
    return 0.8 * _direction(angle) + noise * rng.standard_normal((count, 2))  # (N, 2)


def spiral(count: int, rng: np.random.Generator, noise: float = 0.02) -> Array:
    """One arm of two turns from the middle to radius 0.9, equally dense along its radius squared."""
    _check(count, rng)
    radius = 0.9 * np.sqrt(rng.random(count))  # (N,)
    arm = radius[:, None] * _direction(4 * math.pi * radius / 0.9)  # (N, 2)
    return arm + noise * rng.standard_normal((count, 2))  # (N, 2)


def checkerboard(count: int, rng: np.random.Generator, squares: int = 4) -> Array:
    """Uniform on the dark fields of a board of `squares` x `squares` fields over [-1, 1]; `squares` is even."""
    _check(count, rng)
    if checks.integer(squares, "squares", 2) % 2:
        raise ValueError(f"squares is {squares}, expected an even number >= 2")
    row = rng.integers(squares, size=count)  # (N,)
    column = 2 * rng.integers(squares // 2, size=count) + row % 2  # (N,)
    place = np.stack([column, row], axis=1) + rng.random((count, 2))  # (N, 2) in [0, squares]
    return 2 * place / squares - 1  # (N, 2)


def tree(count: int, rng: np.random.Generator, forks: int = 3, noise: float = 0.01) -> tuple[Array, Array]:
    """A tree of classes: points (count, 2) along its branches, and the class of each, (count,) integers.

    Each class is the way from the root to one of the 2^`forks` twigs: class 5 = 101 in binary turns right, left, right.
    So classes share what lies below the fork where they part, as the data of Karras et al. 2024 (figure 2) do. Each
    branch is shorter than the one that it grows from; the points of a class are equally dense along its way.
    """
    _check(count, rng)
    checks.integer(forks, "forks")
    labels = rng.integers(2**forks, size=count)  # (N,)
    lengths = 0.72 ** np.arange(forks + 1)  # (F + 1,), of the branches from the root on
    lengths /= lengths.sum()
    turns = np.stack([np.zeros_like(labels), *(2 * (labels >> k & 1) - 1 for k in reversed(range(forks)))], 1)
    angle = np.cumsum(turns * 0.7 * 0.85 ** np.arange(forks + 1), 1)  # (N, F + 1), of each branch from upwards
    step = lengths[:, None] * _direction(math.pi / 2 - angle.ravel()).reshape(count, forks + 1, 2)  # (N, F + 1, 2)
    done = rng.random(count)[:, None]  # (N, 1), how far along its way each point is
    share = np.clip((done - np.cumsum(lengths) + lengths) / lengths, 0, 1)  # (N, F + 1), of each branch
    point = (share[..., None] * step).sum(1) * 2.2 - [0, 1.0]  # (N, 2)
    return point + noise * rng.standard_normal((count, 2)), labels  # (N, 2), (N,)


def _check(count: int, rng: np.random.Generator) -> None:
    checks.integer(count, "count")
    checks.generator(rng)


def _direction(angle: Array) -> Array:
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)  # (N, 2)
