"""Interpolation: from one noise to another, for the images that they draw."""

from edudiff.support import checks
from edudiff.support.arrays import array_namespace
from edudiff.support.types import Array

PARALLEL = 1e-6  # an angle below which the arc is a line


def lerp(a: Array, b: Array, share: float) -> Array:
    """The straight line from `a` (B, ...) at `share` = 0 to `b` (B, ...) at 1: (1 - share) a + share b.

    Halfway between two independent noises it has half their variance: a point that noise hardly ever visits.
    """
    _check(a, b)
    share = float(share)  # a number of NumPy's would make float32 float64
    return (1 - share) * a + share * b  # (B, ...)


def slerp(a: Array, b: Array, share: float) -> Array:
    """The arc from `a` (B, ...) at `share` = 0 to `b` (B, ...) at 1, item by item (Shoemake 1985).

    sin((1 - share) angle) / sin(angle) a + sin(share angle) / sin(angle) b, with the angle between a and b: vectors of
    one length stay on their sphere. For two independent noises of many dimensions the angle is nearly pi / 2, the
    squares of the factors add up to 1, and what is between is noise of the same variance. Items that are parallel,
    where the arc is none, go along the line. Raises ValueError for shapes that differ, or without an axis of items.
    """
    _check(a, b)
    share = float(share)
    xp, axes = array_namespace(a, b), tuple(range(1, a.ndim))
    dot, square_a, square_b = ((p * q).sum(axes, keepdims=True) for p, q in ((a, b), (a, a), (b, b)))  # (B, 1, ...)
    size = xp.sqrt(square_a * square_b)  # (B, 1, ...)
    cosine = xp.where(size > 0, dot / xp.where(size > 0, size, 1), 1)  # (B, 1, ...)
    angle = xp.arccos(xp.clip(cosine, -1, 1))  # (B, 1, ...)
    parallel = xp.sin(angle) < PARALLEL  # (B, 1, ...)
    sine = xp.where(parallel, 1, xp.sin(angle))  # (B, 1, ...)
    at_a = xp.where(parallel, 1 - share, xp.sin((1 - share) * angle) / sine)  # (B, 1, ...)
    at_b = xp.where(parallel, share, xp.sin(share * angle) / sine)  # (B, 1, ...)
    return at_a.astype(a.dtype) * a + at_b.astype(a.dtype) * b  # (B, ...)


def _check(a, b):
    checks.batch(a, name="a")
    checks.batch(b, name="b")
    checks.same_shape(a, b, "a", "b")
