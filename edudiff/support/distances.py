"""Squared Euclidean distances of all pairs, as a matrix product: |x|^2 - 2 x.y + |y|^2.

The product is the small difference of large numbers where x is near to y. So rows are centered and multiplied in
float64, and the pair that such an error could spoil most, the nearest of each row, is computed again from its
difference: an item is at distance 0 from itself.
"""

from collections.abc import Iterator

from edudiff.support.arrays import array_namespace
from edudiff.support.types import Array

BLOCK = 1 << 22  # distances that are held at once beyond those that are returned


def squared_distances(x: Array, y: Array) -> Array:
    """|x_i - y_j|^2 of all pairs: `x` (B, D) and `y` (N, D) to (B, N), float64, none below 0."""
    xp = array_namespace(x, y)
    return xp.concatenate([squares for squares, _ in _rows(x, y, False)])  # (B, N)


def nearest(x: Array, y: Array, leave_out: bool = False) -> tuple[Array, Array]:
    """The nearest of the rows of `y` (N, D) to each of `x` (B, D): its index (B,) and its squared distance (B,).

    `leave_out`: x is y, and no row counts as its own neighbor. Memory does not grow with B * N.
    """
    xp = array_namespace(x, y)
    found = [(index, squares[xp.arange(len(index)), index]) for squares, index in _rows(x, y, leave_out)]
    index, squares = zip(*found, strict=True)
    return xp.concatenate(index), xp.concatenate(squares)  # (B,), (B,)


def _rows(x: Array, y: Array, leave_out: bool) -> Iterator[tuple[Array, Array]]:
    """The distances of some rows of `x` at a time, (b, N), and which is the smallest of each, (b,)."""
    xp = array_namespace(x, y)
    center = y.mean(0, dtype="float64")  # (D,)
    others = y.astype("float64") - center  # (N, D)
    lengths = (others**2).sum(1)  # (N,)
    step = max(1, BLOCK // len(y))
    for first in range(0, len(x), step):
        some = x[first : first + step].astype("float64") - center  # (b, D)
        squares = xp.maximum((some**2).sum(1)[:, None] + lengths - 2 * some @ others.T, 0)  # (b, N)
        each = xp.arange(len(some))  # (b,)
        if leave_out:
            squares[each, first + each] = xp.inf
        index = squares.argmin(1)  # (b,)
        squares[each, index] = ((some - others[index]) ** 2).sum(1)
        yield squares, index
