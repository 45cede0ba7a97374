"""Every window of a noisy picture against every training window: the local and equivariant scores, in arrays.

For one displacement s between a query pixel and a training pixel, the squared distance of their windows, for all
pixels u at once, is the box sum of the difference picture |x(u) - alpha y(u + s)|^2.

The border rule (Kamb & Ganguli 2024, appendix B.2). With zero padding a window near the border sticks out, and only
training windows that stick out in the same way are comparable. Rows and columns obey the rule separately: a
displacement other than 0 pairs windows that lie inside with windows that lie inside; displacement 0 pairs every window
with the one at the same place, and its sum is clipped at the border. On a torus ("circular") windows never stick out.
"""

from itertools import product

from edudiff.denoisers.softmax import Softmax
from edudiff.support.arrays import array_namespace

BLOCK = 1 << 18  # values in one difference picture: small enough for a processor's cache


def displacements(length, radius, shifts, padding):
    """All displacements along one axis of `length` for a window of `radius`: a list of integers.

    >>> displacements(5, 1, True, "zero")
    [-2, -1, 0, 1, 2]
    """
    if not shifts:
        return [0]
    if padding == "circular":
        return list(range(length))
    reach = max(length - 2 * radius - 1, 0)
    return list(range(-reach, reach + 1))


def overlap(length, shift):
    """Where u and u + shift both lie in the picture: the slice of u, and the slice of u + shift.

    >>> overlap(5, 2)
    (slice(0, 3, None), slice(2, 5, None))
    """
    start, stop = max(0, -shift), min(length, length - shift)
    return slice(start, stop), slice(start + shift, stop + shift)


def window_sums(a, size, axis):
    """Sums over all windows of `size` neighbors along `axis`, whose length shrinks by size - 1.

    By halves, so that the cost grows with log(size), and by additions only: a running sum, which also subtracts, would
    leave the rounding errors of large values behind in small ones.
    """
    if size == 1:
        return a
    half = size // 2
    count = a.shape[axis] - size + 1
    at = lambda b, start: b[(slice(None),) * axis + (slice(start, start + count),)]  # noqa: E731
    sums = window_sums(a, half, axis)
    total = at(sums, 0) + at(sums, half)
    return total + at(a, size - 1) if size % 2 else total


def box_sums(xp, a, size, clipped=(True, True), padding="zero"):
    """Sums of `a` (B, h, w, ...) over windows of size x size.

    Along an axis that is `clipped`, one sum for each entry, over the part of its window that lies in the picture (on a
    torus, all of it); along the others, one for each window that fits in.
    """
    for axis, clip in zip((1, 2), clipped, strict=True):
        if clip and size > 1:
            widths = [(size // 2, size // 2) if i == axis else (0, 0) for i in range(a.ndim)]
            a = xp.pad(a, widths, mode="wrap" if padding == "circular" else "constant")
        a = window_sums(a, size, axis)
    return a


def evaluate(x, images, alpha, sigma, sizes, shifts, padding, typical):
    """The running softmax over all candidate windows: a list of (top, num, den), one for each window size.

    `x`: (B, H, W, C). `images`: the training set as (H, W, C, N). `typical`: (B, H, W), taken off each squared
    difference (see precision.py); the tops returned lack its box sum.
    """
    xp = array_namespace(x, images)
    rows, columns, _, count = images.shape
    totals = {k: Softmax(xp, x.shape[:3], x.shape[3], count * rows * columns) for k in sizes}
    reach = min(sizes) // 2
    step = max(1, min(count, BLOCK // x.size))
    for first in range(0, count, step):
        chunk = images[..., first : first + step].astype(x.dtype, copy=False)  # (H, W, C, n)
        for shift in product(*(displacements(length, reach, shifts, padding) for length in (rows, columns))):
            for size, here, distances, centers in compared(x, chunk, alpha, shift, sizes, padding, typical):
                totals[size].add(distances * (-1 / (2 * sigma**2)), centers.swapaxes(-1, -2), (slice(None), *here))
    return [totals[k].parts() for k in sizes]


def compared(x, chunk, alpha, shift, sizes, padding, typical):
    """All pairs of windows that lie one `shift` (down, right) apart; yields for each of `sizes` that has any:

    the size; where the query pixels are, a slice of rows and one of columns; the squared distances of their windows
    from those of each training picture, (B, h, w, n); and the training windows' centers, (h, w, C, n).
    """
    xp = array_namespace(x, chunk)
    shape = x.shape[1:3]
    if padding == "circular":
        chunk = xp.roll(chunk, (-shift[0], -shift[1]), axis=(0, 1))  # (H, W, C, n)
        shift, clipped = (0, 0), (True, True)
    else:
        clipped = (shift[0] == 0, shift[1] == 0)
    (here, there), (left, right) = (overlap(length, s) for length, s in zip(shape, shift, strict=True))
    squares = squared_difference(x[:, here, left], alpha * chunk[there, right], typical[:, here, left])  # (B, h, w, n)
    for size in sizes:
        places = [
            whole if clip else slice(whole.start + size // 2, whole.stop - size // 2)
            for whole, clip in zip((here, left), clipped, strict=True)
        ]
        if any(place.start >= place.stop for place in places):
            continue
        i, j = (slice(place.start + s, place.stop + s) for place, s in zip(places, shift, strict=True))
        yield size, places, box_sums(xp, squares, size, clipped, padding), chunk[i, j]


def squared_difference(x, y, typical):
    """|x - y|^2 - typical at each pixel: x (B, h, w, C), y (h, w, C, n), typical (B, h, w) to (B, h, w, n)."""
    total = -typical[..., None]  # (B, h, w, 1)
    for c in range(x.shape[-1]):
        difference = x[..., c, None] - y[:, :, c]  # (B, h, w, n)
        difference *= difference
        total = total + difference  # (B, h, w, n)
    return total


def lay_out(images):
    """The training set (N, H, W, C) as (H, W, C, N): its pictures side by side, so that inner loops are long."""
    return array_namespace(images).ascontiguousarray(images.transpose(1, 2, 3, 0))  # (H, W, C, N)
