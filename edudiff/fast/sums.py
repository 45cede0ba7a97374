"""Window sums over rows and columns of `Lanes`, by additions only: each costs three, whatever the size of the window.

Rows (or columns) are cut into blocks of `size`. A window is the end of one block and the start of the next, so the sums
from each row to the end of its block and a running sum from the start of the next are enough (van Herk 1992; Gil &
Werman 1993). A running sum that also subtracts would leave the rounding errors of large values behind in small ones.
"""

from edudiff.fast.jit import inlined
from edudiff.fast.lanes import LANES, load, pick, store


@inlined
def add_up(array, at, step, size):
    """Lanes of the sum of `size` entries that lie `step` apart. Written out where `size` is a constant."""
    total = load(array, at)
    for k in range(1, size):
        total = total + load(array, at + k * step)
    return total


@inlined
def sum_rows(out, rows, at, i, size, stride, n, ends, start):
    """`out` (n,) = the sum of rows i to i + size - 1, where row 0 begins `at` and rows lie `stride` apart.

    To be called for i = 0, 1, 2, ...; `ends` (size * n,) and `start` (n,) are work space that is kept between calls.
    """
    if i % size == 0:
        for m in range(0, n, LANES):
            last = load(rows, at + (i + size - 1) * stride + m)
            store(ends, (size - 1) * n + m, last)
            store(start, m, last - last)
        for k in range(size - 2, -1, -1):
            for m in range(0, n, LANES):
                store(ends, k * n + m, load(ends, (k + 1) * n + m) + load(rows, at + (i + k) * stride + m))
        for m in range(0, n, LANES):
            store(out, m, load(ends, m))
    else:
        newest, end = at + (i + size - 1) * stride, i % size * n
        for m in range(0, n, LANES):
            begun = load(start, m) + load(rows, newest + m)
            store(start, m, begun)
            store(out, m, load(ends, end + m) + begun)


@inlined
def sum_to_ends(ends, line, at, size, count, inside):
    """`ends` (count * LANES,) = from each of `count` columns of `line`, which begin `at`, the sum to its block's end.

    `inside`: 0 for the first column of a block, 1 for the others, (count + 1,).
    """
    total = load(line, at) - load(line, at)
    for j in range(count, (count - 1) // size * size + size):
        total = total + load(line, at + j * LANES)
    for j in range(count - 1, -1, -1):
        total = total * pick(inside, j + 1) + load(line, at + j * LANES)
        store(ends, j * LANES, total)
