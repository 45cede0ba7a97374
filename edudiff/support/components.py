"""The connected pieces of a mask, of many masks at once: which points belong together, and how many they are."""

from itertools import pairwise

import numpy as np

from edudiff.support.types import Array


def pieces(mask: Array, corners: bool = False) -> Array:
    """The pieces of each mask (N, H, W) as numbers (N, H, W): the same for all points of a piece, 0 outside.

    A piece is joined side by side, with `corners` across corners too. Its number is that of the last of its points,
    which are counted from 1 in the order of the rows. All points start with their own number; sweeps down, up, right
    and left hand the larger one on to the neighbor, until nothing changes.
    """
    n, h, w = mask.shape
    number = np.where(mask, np.arange(1, h * w + 1).reshape(h, w), 0)  # (N, H, W)
    active = np.arange(n)
    while len(active):
        before = number[active]  # (n, H, W)
        after = before.copy()  # (n, H, W)
        for axis in (1, 2):
            _sweep(np.moveaxis(after, axis, 0), np.moveaxis(mask[active], axis, 0), corners and axis == 1)
        number[active] = after
        active = active[(after != before).any(axis=(1, 2))]
    return number


def _sweep(lines: Array, on: Array, corners: bool) -> None:
    """Hand numbers on from line to line, forth and back, where `on` is true: `lines`, `on` (H, N, W), in place."""
    for order in (range(len(lines)), reversed(range(len(lines)))):
        for last, line in pairwise(order):
            np.maximum(lines[line], lines[last], out=lines[line], where=on[line])  # (N, W)
            if corners:
                for here, there in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[:, :-1], np.s_[:, 1:])):
                    np.maximum(lines[line][here], lines[last][there], out=lines[line][here], where=on[line][here])


def areas(number: Array) -> Array:
    """How many points each piece has, from the numbers (N, H, W) of `pieces`: (N, H * W), at the piece's number - 1."""
    n, h, w = number.shape
    shifted = number + np.arange(n)[:, None, None] * (h * w + 1)  # (N, H, W), no number in two masks
    counts = np.bincount(shifted.ravel(), minlength=n * (h * w + 1))  # (N * (H * W + 1),)
    return counts.reshape(n, h * w + 1)[:, 1:]  # (N, H * W)
