"""A climb from `plain`: local and ELS scores, the training set shared out and LANES images of it taken at a time.

What `plain.els` does for one training image, is done for LANES at once, by `blocks` or, for one large window, `large`.
"""

import math
from collections.abc import Sequence

import numpy as np

from edudiff.fast.blocks import WRITTEN_OUT, add_blocks
from edudiff.fast.jit import share_out
from edudiff.fast.lanes import LANES, empty
from edudiff.fast.large import add_large
from edudiff.fast.weights import part_of
from edudiff.support.softmax import NEGLIGIBLE, Part, merge
from edudiff.support.types import Array

GROUPS = 16  # shares of the training set; fixed, so that sums are the same on any number of threads


def blocks_of(classes: list[Array]) -> tuple[Array, Array]:
    """The images of each class, LANES in a block: their places, (blocks, LANES), and how many count, (blocks,).

    `classes`: a list of arrays of places. The last block of a class is filled up with copies.
    """
    groups = [chosen[i : i + LANES] for chosen in classes for i in range(0, len(chosen), LANES)]
    places = np.array([np.resize(group, LANES) for group in groups])  # (blocks, LANES)
    return places, np.array([len(group) for group in groups])


def evaluate(
    x: Array,
    images: Array,
    blocks: tuple[Array, Array],
    count: int,
    alpha: float,
    sigma: float,
    windows: Sequence[int],
    shifts: bool,
    padding: str,
    typical: Array,
    edges_only: bool = False,
    moments: bool = False,
) -> list[Part]:
    """A list of (top, num, den), one for each of `windows`, whose tops lack the box sum of `typical` (B, H, W).

    `images`: (N, H, W, C), contiguous. `blocks`: from `blocks_of`, of `count` images. `edges_only`: leave out the
    pairs of windows that both lie inside the image; for one window only. `moments`: two more arrays each.
    """
    more = 2 if moments else 0  # sums of a pixel
    batch, rows, columns, channels = x.shape
    real = x.dtype.type
    rate, farthest = real(1 / (2 * sigma**2 * math.log(2))), math.log(count * rows * columns / NEGLIGIBLE)
    switches = np.array(windows), shifts, padding == "circular", edges_only, rate, farthest, real(alpha)
    groups = min(GROUPS, len(blocks[0]))
    bounds = np.linspace(0, len(blocks[0]), groups + 1).astype(int)  # (groups + 1,)
    # One large window gets a kernel of its own, and the images a border of zeros, so that no window sticks out.
    border = windows[0] // 2 if len(windows) == 1 and windows[0] > WRITTEN_OUT and padding != "circular" else 0
    around = (border, border), (border, border)
    planes = np.pad(np.ascontiguousarray(x.transpose(0, 3, 1, 2)), ((0, 0), (0, 0), *around))  # (B, C, H', W')
    typical = np.pad(typical, ((0, 0), *around))  # (B, H', W')
    line = (columns + 2 * (max(windows) // 2)) * LANES  # of an image with its border
    inside = (np.arange(columns + 1) % np.array(windows)[:, None] != 0).astype(x.dtype)  # (windows, W + 1)
    lesser = min(x.dtype, images.dtype, key=lambda dtype: dtype.itemsize)

    def piece(task):
        b, group = task
        first, last = bounds[group], bounds[group + 1]
        best = np.full((len(windows), rows * columns), np.inf, x.dtype)  # (windows, H * W)
        sums = empty(len(windows) * rows * columns * (1 + channels + more) * LANES, x.dtype).reshape(len(windows), -1)
        sums[:] = 0
        den = np.zeros((len(windows), rows * columns))  # (windows, H * W)
        num = np.zeros((len(windows), rows * columns, channels + more))  # (windows, H * W, C)
        canvas = empty((rows + 2 * (max(windows) // 2)) * line, x.dtype)  # of differences, or of their sums over rows
        work = tuple(empty(n, x.dtype) for n in (line, line, line * max(windows), line))
        state = best, best.copy(), sums, den, num
        places, lanes = (a[first:last] for a in blocks)
        y = empty(LANES * planes[b].size, lesser)
        y[:] = 0
        add = add_large if border else add_blocks
        query = (0,) * channels, planes[b], typical[b]
        add(*query, images.reshape(-1), places, lanes, y, *switches, inside, canvas, work, *state, more)
        return best, num, den

    done = share_out(piece, [(b, group) for b in range(batch) for group in range(groups)])
    shape = (batch, groups, len(windows), rows, columns)
    best, num, den = (np.stack(a).reshape(*shape, *a[0].shape[2:]) for a in zip(*done, strict=True))
    # The kernel's weights are powers of 2 with a rounded rate: so are its tops.
    part = part_of(best, num, den, rate, more)  # (B, groups, windows, H, W, ...) each
    return [merge([tuple(a[:, g, s] for a in part) for g in range(groups)]) for s in range(len(windows))]
