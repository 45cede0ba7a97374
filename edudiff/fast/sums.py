"""Window sums of a flat array by doubling: `edudiff.denoisers.windows.window_sums`, one compiled loop a pass."""

from edudiff.fast.jit import compiled


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
