"""The connected pieces of a mask, of many masks at once: which points belong together, and how many they are."""

import numpy as np

from edudiff.support.types import Array


def pieces(mask: Array, corners: bool = False) -> Array:
    """The pieces of each mask (N, H, W) as numbers (N, H, W): the same for all points of a piece, 0 outside.

    A piece is joined side by side, with `corners` across corners too. Its number is that of the last of its points,
    which are counted from 1 in the order of the rows. What is joined are runs, the unbroken stretches of a row, all
    rows laid end to end: those of two rows that touch belong together.
    """
    _, h, w = mask.shape
    row = w + 1  # points from one row to the next: a gap ends each row, and a row of gaps each mask
    laid = np.pad(mask, ((0, 0), (0, 1), (0, 1))).ravel()  # (N * (H + 1) * (W + 1),)
    starts, stops = np.flatnonzero(np.diff(laid, prepend=False)).reshape(-1, 2).T  # (runs,) each, in order
    first = np.searchsorted(stops, starts + row - corners, side="right")  # (runs,) of those that touch from below
    count = np.searchsorted(starts, stops + row + corners) - first  # (runs,)
    above = np.repeat(np.arange(len(starts)), count)  # (touches,)
    below = np.arange(len(above)) + np.repeat(first - (count.cumsum() - count), count)  # (touches,)
    y, x = np.divmod((stops[_last(above, below, len(starts))] - 1) % (row * (h + 1)), row)  # (runs,)
    number = np.zeros(mask.shape, int)  # (N, H, W)
    number[mask] = np.repeat(y * w + x + 1, stops - starts)
    return number


def _last(one: Array, other: Array, n: int) -> Array:
    """The last of those joined with each of 0 ... n - 1, (n,); joined are `one` and `other` (touches,), pair by pair.

    Everything points at something later, at first at itself; where two pairs of ends are joined, the earlier end is
    pointed at the later, and all that pointed at it follows.
    """
    last = np.arange(n)
    while (last[one] != last[other]).any():
        ends = np.sort([last[one], last[other]], axis=0)  # (2, touches)
        np.maximum.at(last, *ends)
        while (last != last[last]).any():
            last = last[last]
    return last


def areas(number: Array) -> Array:
    """How many points each piece has, from the numbers (N, H, W) of `pieces`: (N, H * W), at the piece's number - 1."""
    n, h, w = number.shape
    shifted = number + np.arange(n)[:, None, None] * (h * w + 1)  # (N, H, W), no number in two masks
    counts = np.bincount(shifted.ravel(), minlength=n * (h * w + 1))  # (N * (H * W + 1),)
    return counts.reshape(n, h * w + 1)[:, 1:]  # (N, H * W)
