"""Sums over rows that are made as the differences are computed."""

import numpy as np
import pytest

pytest.importorskip("numba")

from edudiff.denoisers import Patch
from edudiff.fast.jit import compiled
from edudiff.fast.lanes import LANES
from edudiff.fast.strips import sum_strips


@compiled
def strips(out, here, rows, across, size, kept, x, typical, y, alpha, wide, away):
    sum_strips(out, here, rows, across, size, kept, (x, typical, y, alpha, 2, wide, len(typical)), away)


@pytest.mark.parametrize("rows", [1, 6, 7, 8, 15])
@pytest.mark.parametrize("across", [4, 7, 9])
def test_sums_over_rows_of_differences_that_are_not_stored(rows, across):
    """Fewer rows than the window's, as many and more; columns that four divide and others; two channels."""
    rng, size, wide, tall = np.random.default_rng(0), 7, 12, 24
    x, y = rng.standard_normal((2, tall, wide)), rng.standard_normal((2, tall, wide, LANES))
    typical, out = rng.standard_normal((tall, wide)), np.zeros((rows, across, LANES))
    where = 1, 2  # the first row and column
    strips(
        out.reshape(-1), where[0] * wide + where[1], rows, across, size, np.zeros(size * 4 * LANES),
        x.ravel(), typical.ravel(), y.ravel(), 0.7, wide, wide - 1,
    )  # fmt: skip
    moved = np.roll(y, (-1, 1), (1, 2))
    differences = ((x[..., None] - 0.7 * moved) ** 2).sum(0) - typical[..., None]
    some = differences[where[0] : where[0] + rows + size - 1, where[1] : where[1] + across]
    expected = np.lib.stride_tricks.sliding_window_view(some, size, 0).sum(-1)
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("padding", ["zero", "circular"])
@pytest.mark.parametrize("windows", [(7, 9, 15), (13, 3, 7), (9, 1, 11, 5)])
def test_windows_of_any_order_in_one_sweep_are_those_alone(padding, windows):
    rng = np.random.default_rng(0)
    images, x = (rng.uniform(-1, 1, (count, 15, 17, 1)) for count in (20, 2))
    swept = Patch(images, 3, padding=padding, backend="numba").sweep(x, 0.8, 0.6, windows)
    for window, answer in swept.items():
        alone = Patch(images, window, padding=padding, backend="numba")(x, 0.8, 0.6)
        np.testing.assert_allclose(answer, alone, rtol=1e-10)
