"""Window sums of a flat array by doubling: `edudiff.denoisers.windows.window_sums`, one compiled loop a pass."""

from edudiff.fast.jit import compiled


@compiled
def copy(out, a, n):
    """out = a."""
    for m in range(n):
        out[m] = a[m]


@compiled
def add_to(out, a, n):
    """out += a."""
    for m in range(n):
        out[m] += a[m]


@compiled
def twice(out, a, b, n):
    """out = a + b."""
    for m in range(n):
        out[m] = a[m] + b[m]


@compiled
def twice_and_one(out, a, b, one, n):
    """out = a + b + one."""
    for m in range(n):
        out[m] = a[m] + b[m] + one[m]


@compiled
def window_sums(a, size, stride, n, first, second):
    """Sums of `size` values of `a` that lie `stride` apart, from each of the first `n` places.

    Sums of h neighbours make sums of 2h, or 2h + 1, so the binary digits of `size` say what to do. `first` and
    `second` are work space as long as `a`; the sums are in the array that is returned, which may be `a` itself.
    """
    sums, have = a, 1
    digits = 0
    while size >> (digits + 1):
        digits += 1
    for digit in range(digits - 1, -1, -1):
        odd = (size >> digit) & 1
        count = n + (size - 2 * have - odd) * stride
        if odd:
            twice_and_one(first, sums, sums[have * stride :], a[2 * have * stride :], count)
        else:
            twice(first, sums, sums[have * stride :], count)
        sums, first, second = first, second, first
        have = 2 * have + odd
    return sums


@compiled
def block_sums(rows, i, size, stride, n, suffixes, prefix, out):
    """The sum of rows i to i + size - 1 of `rows`, (n,): rows lie `stride` apart, and i counts up from 0.

    Rows are cut into blocks of `size`, and a window is the end of one block and the start of the next: three additions
    a row for any size, and no subtraction (van Herk 1992; Gil & Werman 1993). The three arrays are work space that
    must be kept between calls.
    """
    if size == 1:
        return rows[i * stride :]
    if size == 3:
        twice_and_one(out, rows[i * stride :], rows[(i + 1) * stride :], rows[(i + 2) * stride :], n)
        return out
    place = i % size
    newest = rows[(i + size - 1) * stride :]
    if place == 0:
        copy(suffixes[(size - 1) * n :], newest, n)
        for m in range(size - 2, -1, -1):
            twice(suffixes[m * n :], suffixes[(m + 1) * n :], rows[(i + m) * stride :], n)
        return suffixes
    if place == 1:
        copy(prefix, newest, n)
    else:
        add_to(prefix, newest, n)
    twice(out, suffixes[place * n :], prefix, n)
    return out
