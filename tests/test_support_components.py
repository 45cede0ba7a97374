"""Connected pieces: those of a flood fill, side by side and across corners, in many masks at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edudiff.support.components import areas, pieces

STEPS = {False: [(1, 0), (-1, 0), (0, 1), (0, -1)]}
STEPS[True] = [*STEPS[False], (1, 1), (1, -1), (-1, 1), (-1, -1)]


def flood(mask, corners):
    """The pieces of one mask, a list of sets of points."""
    left, found = set(zip(*np.nonzero(mask), strict=True)), []
    while left:
        edge = [left.pop()]
        found.append(set(edge))
        while edge:
            y, x = edge.pop()
            near = {(y + i, x + j) for i, j in STEPS[corners]} & left
            left -= near
            edge += near
            found[-1] |= near
    return found


@pytest.mark.parametrize("corners", [False, True])
@given(seed=st.integers(0, 2**32), share=st.floats(0.05, 0.95))
def test_pieces_are_those_of_a_flood_fill(corners, seed, share):
    masks = np.random.default_rng(seed).random((3, 11, 8)) < share
    numbers = pieces(masks, corners)
    np.testing.assert_array_equal(numbers > 0, masks)
    for mask, number, area in zip(masks, numbers, areas(numbers), strict=True):
        expected = flood(mask, corners)
        for piece in expected:
            [own] = {number[point] for point in piece}
            assert own == max(8 * y + x + 1 for y, x in piece)
            assert area[own - 1] == (number == own).sum() == len(piece)
        assert (area > 0).sum() == len(expected)


def test_a_spiral_is_one_piece():
    mask = np.zeros((9, 9), bool)
    mask[0], mask[:, 8], mask[8], mask[2:, 0], mask[2, :7], mask[2:7, 6], mask[6, 2:7] = [True] * 7
    assert areas(pieces(mask[None])).max() == mask.sum()
    assert not areas(pieces(np.zeros((2, 3, 4), bool))).any()
