"""Every window of a noisy image against every training window: the local and equivariant scores, in arrays.

For one displacement s between a query pixel and a training pixel, the squared distance of their windows, for all
pixels u at once, is the box sum of the difference image |x(u) - alpha y(u + s)|^2.

The padding rule (Kamb & Ganguli 2024, appendix B.2). With zero padding a window near the border sticks out, and only
training windows that stick out in the same way are comparable. Rows and columns obey the rule separately: a
displacement other than 0 pairs windows that lie inside with windows that lie inside; displacement 0 pairs every window
with the one at the same place, and its sum is clipped at the border. On a torus ("circular") windows never stick out.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from types import ModuleType
from typing import Any

from edudiff.denoisers.classes import Classes
from edudiff.support.arrays import array_namespace
from edudiff.support.describe import described
from edudiff.support.softmax import Part, Softmax
from edudiff.support.types import Array

BLOCK = 1 << 18  # values in one difference image: small enough for a processor's cache


class Arrays:
    """The engine of `Patch` in plain arrays, NumPy's or CuPy's: a training set, and how its windows are compared.

    `images`: (N, H, W, C), of which it keeps one copy, sorted by `classes`. `shifts`, `padding`: as for `Patch`.
    """

    fused = False  # x - alpha y is rounded twice
    skipped = 0.0  # it compares every window

    def __init__(self, images: Array, classes: Classes, shifts: bool, padding: str) -> None:
        order = array_namespace(images).asarray(classes.order)  # (N,)
        self.images = lay_out(images[order] if classes.labeled else images)  # (H, W, C, N)
        self.classes, self.padding = classes, padding
        self.ways = [displacements(length, 1, shifts, padding) for length in images.shape[1:3]]

    def __repr__(self) -> str:
        return described(self, images=self.images, padding=self.padding)

    def __call__(
        self,
        x: Array,
        alpha: float,
        sigma: float,
        windows: Sequence[int],
        number: int | None = None,
        typical: Array | None = None,
        offsets: Sequence[Array] | None = None,
        moments: bool = False,
    ) -> list[Part]:
        """The running softmax over all candidate windows: (top, num, den) for each of `windows`, or with `moments`.

        `x`: (B, H, W, C). `number`: of the only class that counts. `typical` (B, H, W): what is taken off each squared
        difference, and `offsets`, (B, H, W) for each window, what that takes off the logits (see precision.py).
        """
        xp = array_namespace(x)
        images = self.images if number is None else self.images[..., self.classes.slice(number)]  # (H, W, C, n)
        rows, columns, channels, count = images.shape
        totals = {k: Softmax(xp, x.shape[:3], channels, count * rows * columns, moments) for k in windows}
        room = rows - min(windows), columns - min(windows)  # how far a window inside the image can move
        down, right = (
            [s for s in way if s == 0 or abs(s) <= far or self.padding == "circular"]
            for way, far in zip(self.ways, room, strict=True)
        )
        step = max(1, min(count, BLOCK // x.size))
        for first in range(0, count, step):
            chunk = images[..., first : first + step].astype(x.dtype, copy=False)  # (H, W, C, n)
            for shift in product(down, right):
                for k, here, distances, centers in compared(x, chunk, alpha, shift, windows, self.padding, typical):
                    totals[k].add(distances * (-1 / (2 * sigma**2)), centers.swapaxes(-1, -2), (slice(None), *here))
        more = [0.0] * len(windows) if offsets is None else offsets
        sums = [(totals[k], offset) for k, offset in zip(windows, more, strict=True)]
        return [(total.top + offset, total.num, total.den, *total.moments) for total, offset in sums]


def compared(
    x: Array,
    chunk: Array,
    alpha: float,
    shift: tuple[int, int],
    windows: Sequence[int],
    padding: str,
    typical: Any = None,
) -> Iterator[tuple[int, list[slice], Array, Array]]:
    """All pairs of windows that lie one `shift` (down, right) apart, for each of `windows` that has any.

    Yields the window; where the query pixels are, a slice of rows and one of columns; the squared distances of their
    windows from those of each training image of `chunk` (H, W, C, n), (B, h, w, n), without `typical` (B, H, W) at each
    pixel; and the training windows' centers, (h, w, C, n).
    """
    xp, shape = array_namespace(x, chunk), x.shape[1:3]
    clipped = [padding == "circular" or s == 0 for s in shift]
    if padding == "circular":
        chunk, shift = xp.roll(chunk, (-shift[0], -shift[1]), axis=(0, 1)), (0, 0)  # (H, W, C, n)
    both = [slice(max(0, -s), min(length, length - s)) for length, s in zip(shape, shift, strict=True)]
    there = tuple(slice(u.start + s, u.stop + s) for u, s in zip(both, shift, strict=True))
    y = alpha * chunk[there]  # (h, w, C, n), at u + shift for each place u of both
    squares: Any = 0.0 if typical is None else -typical[:, both[0], both[1], None]  # (B, h, w, 1)
    for c in range(x.shape[-1]):
        difference = x[:, both[0], both[1], c, None] - y[:, :, c]  # (B, h, w, n)
        difference *= difference
        squares = squares + difference  # (B, h, w, n)
    for k in windows:
        here = [u if clip else slice(u.start + k // 2, u.stop - k // 2) for u, clip in zip(both, clipped, strict=True)]
        if all(place.start < place.stop for place in here):
            i, j = (slice(place.start + s, place.stop + s) for place, s in zip(here, shift, strict=True))
            yield k, here, box_sums(xp, squares, k, clipped, padding), chunk[i, j]


def displacements(length: int, window: int, shifts: bool, padding: str) -> list[int]:
    """All displacements along one axis of `length` pixels that pair two windows: a list of integers.

    >>> displacements(5, 3, True, "zero")
    [-2, -1, 0, 1, 2]
    """
    if not shifts:
        return [0]
    if padding == "circular":
        return list(range(length))
    reach = max(length - window, 0)
    return list(range(-reach, reach + 1))


def box_sums(
    xp: ModuleType, a: Array, window: int, clipped: Sequence[bool] = (True, True), padding: str = "zero"
) -> Array:
    """Sums of `a` (B, h, w, ...) over windows of `window` x `window`.

    Along an axis that is `clipped`, one sum for each entry, over the part of its window that lies in the image (on a
    torus, all of it); along the others, one for each window that fits in. A sum of k entries is one of k // 2 beside
    another, and one entry more if k is odd: by additions only, since a running sum, which also subtracts, would leave
    the rounding errors of large values behind in small ones.
    """
    for axis, clip in zip((1, 2), clipped, strict=True):
        if clip:
            widths = [(window // 2, window // 2) if i == axis else (0, 0) for i in range(a.ndim)]
            a = xp.pad(a, widths, mode="wrap" if padding == "circular" else "constant")
        before, sums, size = (slice(None),) * axis, a, 1
        for odd in f"{window:b}"[1:]:
            count = a.shape[axis] - 2 * size + 1
            sums = sums[(*before, slice(0, count))] + sums[(*before, slice(size, size + count))]
            size *= 2
            if odd == "1":
                sums = sums[(*before, slice(0, count - 1))] + a[(*before, slice(size, size + count - 1))]
                size += 1
        a = sums
    return a


def lay_out(images: Array) -> Array:
    """The training set (N, H, W, C) as (H, W, C, N): its images side by side, so that inner loops are long."""
    return array_namespace(images).ascontiguousarray(images.transpose(1, 2, 3, 0))  # (H, W, C, N)
