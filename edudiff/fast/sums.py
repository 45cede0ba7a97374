"""Window sums over rows and columns of `Lanes`, by additions only: each costs three, whatever the size of the window.

Rows (or columns) are cut into blocks of `size`. A window is the end of one block and the start of the next, so the sums
from each row to the end of its block and a running sum from the start of the next are enough (van Herk 1992; Gil &
Werman 1993). A running sum that also subtracts would leave the rounding errors of large values behind in small ones.
"""

from edudiff.fast.jit import inlined
from edudiff.fast.lanes import LANES, load, store


@inlined
def sum_rows(out, rows, at, i, size, stride, n, ends, start):
    """`out` (n,) = the sum of rows i to i + size - 1, where row 0 begins `at` and rows lie `stride` apart.

    To be called for i = 0, 1, 2, ...; `ends` (size * n,) and `start` (n,) are work space that is kept between calls.
    """
    if size == 1:
        for m in range(0, n, LANES):
            store(out, m, load(rows, at + i * stride + m))
    elif size == 3:
        first = at + i * stride
        for m in range(first, first + n, LANES):
            store(out, m - first, load(rows, m) + load(rows, m + stride) + load(rows, m + 2 * stride))
    elif i % size == 0:
        for m in range(0, n, LANES):
            total = load(rows, at + (i + size - 1) * stride + m)
            store(ends, (size - 1) * n + m, total)
            for k in range(size - 2, -1, -1):
                total = total + load(rows, at + (i + k) * stride + m)
                store(ends, k * n + m, total)
            store(out, m, total)
            store(start, m, total - total)
    else:
        newest, end = at + (i + size - 1) * stride, i % size * n
        for m in range(0, n, LANES):
            begun = load(start, m) + load(rows, newest + m)
            store(start, m, begun)
            store(out, m, load(ends, end + m) + begun)


@inlined
def sum_columns(out, row, size, count, ends):
    """`out` (count * LANES,) = the sums of `size` neighbours of `row`, from each of its first `count` columns.

    `ends`: (size * LANES,), work space.
    """
    if size == 1:
        for m in range(0, count * LANES, LANES):
            store(out, m, load(row, m))
    elif size == 3:
        for m in range(0, count * LANES, LANES):
            store(out, m, load(row, m) + load(row, m + LANES) + load(row, m + 2 * LANES))
    else:
        for block in range(0, count, size):
            first = block * LANES
            total = load(row, first + (size - 1) * LANES)
            for k in range(size - 2, -1, -1):
                store(ends, (k + 1) * LANES, total)
                total = total + load(row, first + k * LANES)
            store(out, first, total)
            begun = total - total
            for k in range(1, min(size, count - block)):
                begun = begun + load(row, first + (size + k - 1) * LANES)
                store(out, first + k * LANES, load(ends, k * LANES) + begun)
