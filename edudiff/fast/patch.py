"""A climb from `plain`: local and ELS scores in loops that take LANES training images at a time.

What `plain.els` sums window by window is here a box sum of one difference image for each displacement, and what it does
for one training image, is done for LANES at once.
"""

import math
from collections.abc import Sequence

import numpy as np

from edudiff.fast.jit import borrowed, compiled, inlined, share_out
from edudiff.fast.lanes import LANES, below, cast, empty, load, pick, spread, store
from edudiff.fast.strips import sum_strips
from edudiff.fast.sums import add_up, sum_rows, sum_to_ends
from edudiff.fast.weights import add_candidates, fold_lanes, part_of, tighten
from edudiff.support.softmax import NEGLIGIBLE, Part, merge
from edudiff.support.types import Array

FOLD = 8  # rows of displacements whose weights are added up in float32 before they join the float64 sums
WRITTEN_OUT = 5  # the largest window whose sums are written out
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


@compiled
def add_blocks(
    each, x, typical, images, places, lanes, y, sizes, shifts, circular, edges_only, rate, farthest, alpha,
    inside, canvas, work, best, limit, sums, den, num, moments,
):  # fmt: skip
    """Add all windows of some blocks to the running sums of one image `x` (C, H, W), for each size.

    `each`: a tuple with an entry for each channel, whose number is then known when this is compiled. The images at
    `places` (blocks, LANES) of `images`, flat, are compared; of each block the first `lanes` count. `y`: room for a
    block. `farthest`: how far below the top all candidates together are negligible. `inside`: for `sum_to_ends`,
    (sizes, W + 1). `moments`: how many sums a pixel has besides those of weights and channels, 0 or 2.
    """
    shape = height, width = x.shape[1:]
    widest, narrowest = max(sizes) // 2, min(sizes) // 2  # how far the windows reach from their centers
    reach = type(rate)(farthest / (math.log(2.0) * rate))
    folded = best.copy()
    # The caller owns all arrays and keeps them alive.
    flat_x, flat_typical, y = borrowed(x.reshape(-1)), borrowed(typical.reshape(-1)), borrowed(y)
    canvas, best, limit, sums = borrowed(canvas), borrowed(best), borrowed(limit), borrowed(sums)
    work = borrowed(work[0]), borrowed(work[1]), borrowed(work[2]), borrowed(work[3])
    up, left = reach_of(height, narrowest, shifts, circular), reach_of(width, narrowest, shifts, circular)
    for b in range(len(places)):
        lay_out(y, images, places[b], len(each), height * width)
        for down in range(up[0], up[1]):
            for right in range(left[0], left[1]):
                if edges_only and down != 0 and right != 0:
                    continue
                shift = (down, right)
                seen = seen_rows(height, down, widest, circular), seen_rows(width, right, widest, circular)
                draw_differences(canvas, seen, flat_x, flat_typical, y, alpha, shift, circular, len(each), shape)
                for s in range(len(sizes)):
                    mine = best[s], limit[s], sums[s], moments
                    for i in range(3):
                        for j in range(3):
                            if (i == 1 and j == 1 and edges_only) or ((i != 1 or j != 1) and not edges_only):
                                continue
                            rows = centers(height, down, sizes[s] // 2, circular, i, edges_only)
                            columns = centers(width, right, sizes[s] // 2, circular, j, edges_only)
                            place = seen, rows, columns, shift, circular, shape
                            add_windows(canvas, place, sizes[s], inside[s], work, y, len(each), rate, reach, mine)
            if (down - up[0]) % FOLD == FOLD - 1 or down == up[1] - 1:
                for s in range(len(sizes)):
                    fold_lanes(sums[s], lanes[b], rate, best[s], folded[s], den[s], num[s], moments)
                    tighten(limit[s], best[s], den[s], rate, farthest)


@inlined
def lay_out(y, images, places, channels, pixels):
    """Fill `y`, flat, with the images at `places`, LANES side by side at each pixel, channel by channel."""
    for c in range(channels):
        for m in range(pixels):
            for lane in range(LANES):
                y[(c * pixels + m) * LANES + lane] = images[(places[lane] * pixels + m) * channels + c]


@compiled
def reach_of(length, radius, shifts, circular):
    """First and last + 1 displacement along an axis, as `windows.displacements`."""
    if not shifts:
        return 0, 1
    if circular:
        return 0, length
    reach = max(length - 2 * radius - 1, 0)
    return -reach, reach + 1


@inlined
def seen_rows(length, shift, widest, circular):
    """First and last + 1 row of the difference image: where both have one, and beyond where windows stick out."""
    if circular or shift == 0:
        return -widest, length + widest
    return max(0, -shift), length - max(0, shift)


@inlined
def centers(length, shift, radius, circular, band, edges_only):
    """First and last + 1 row of windows to compare. With `edges_only`, of one of three bands: above, inside, below."""
    if circular or shift == 0:
        if not edges_only:
            return 0, length
        if band == 0:
            return 0, radius
        return (radius, length - radius) if band == 1 else (length - radius, length)
    if band != 1:
        return 0, 0
    return max(0, -shift) + radius, length - max(0, shift) - radius


@inlined
def draw_differences(canvas, seen, x, typical, y, alpha, shift, circular, channels, shape):
    """Fill `canvas` with |x(u) - alpha y(u + s)|^2 - typical(u) for one displacement s; 0 outside the images."""
    height, width = shape
    (top, bottom), (left, right) = seen
    at = 0
    for u in range(top, bottom):
        i = u + height if u < 0 else u - height if u >= height else u
        p = i + shift[0]
        p = p - height if circular and p >= height else p
        v = left
        while v < right:
            if not circular and (i != u or v < 0 or v >= width):
                store(canvas, at, spread(alpha - alpha))
                run = 1
            else:
                j = v + width if v < 0 else v - width if v >= width else v
                q = j + shift[1]
                q = q - width if circular and q >= width else q
                run = min(right - v, width - max(j, q))
                draw_run(canvas, at, run, x, i * width + j, typical, y, p * width + q, alpha, channels, height * width)
            v += run
            at += run * LANES


@inlined
def draw_run(canvas, at, run, x, here, typical, y, there, alpha, channels, pixels):
    """The same for a run of neighbors that begins at pixel `here` of x and `there` of y."""
    for m in range(run):
        total = spread(-pick(typical, here + m))
        for c in range(channels):
            value = alpha * cast(load(y, (c * pixels + there + m) * LANES), alpha)
            difference = pick(x, c * pixels + here + m) - value
            total = total + difference * difference
        store(canvas, at + m * LANES, total)


@inlined
def add_windows(canvas, place, size, inside, work, y, channels, rate, reach, state):
    """Add all pairs of windows of one size that lie one displacement apart, from their difference image."""
    seen, rows, columns, shift, circular, (height, width) = place
    line, ends, row_ends, row_start = work
    radius, count = size // 2, columns[1] - columns[0]
    if count <= 0:
        return
    stride = (seen[1][1] - seen[1][0]) * LANES
    at = (rows[0] - radius - seen[0][0]) * stride + (columns[0] - radius - seen[1][0]) * LANES
    q = columns[0] + shift[1]
    beyond = width - q if circular else width  # the first column whose window is the other side's
    for i in range(rows[1] - rows[0]):
        p = rows[0] + i + shift[0]
        p = p - height if circular and p >= height else p
        pixel, center = (rows[0] + i) * width + columns[0], p * width + q
        others = pixel, y, center, beyond, (height, width), channels, rate, reach, state
        if size == 1:
            add_narrow(1, line, canvas, at + i * stride, stride, count, others)
        elif size == 3:
            add_narrow(3, line, canvas, at + i * stride, stride, count, others)
        elif size == 5:
            add_narrow(5, line, canvas, at + i * stride, stride, count, others)
        else:
            sum_rows(line, canvas, at, i, size, stride, (count + 2 * radius) * LANES, row_ends, row_start)
            sum_to_ends(ends, line, 0, size, count, inside)
            begun = load(line, 0) - load(line, 0)
            for j in range(count):
                begun = (begun + load(line, (j + size - 1) * LANES)) * pick(inside, j)
                add_near(load(ends, j * LANES) + begun, j, others)


@compiled
def add_large(
    each, x, typical, images, places, lanes, y, sizes, shifts, _, edges_only, rate, farthest, alpha,
    inside, down_sums, work, best, limit, sums, den, num, moments,
):  # fmt: skip
    """`add_blocks` for one large window, not circular: differences are summed over rows as they are computed.

    `x`, `typical` and `y`, which is full of zeros, have a border as wide as the window's radius. `down_sums`: room.
    """
    size, border = sizes[0], sizes[0] // 2
    height, width = x.shape[1] - 2 * border, x.shape[2] - 2 * border
    wide, shape = x.shape[2], (x.shape[1], x.shape[2])
    reach = type(rate)(farthest / (math.log(2.0) * rate))
    folded = best.copy()
    # The caller owns all arrays and keeps them alive.
    flat_x, flat_typical, y = borrowed(x.reshape(-1)), borrowed(typical.reshape(-1)), borrowed(y)
    down_sums, best, limit, sums = borrowed(down_sums), borrowed(best), borrowed(limit), borrowed(sums)
    ends, kept, inside = borrowed(work[1]), borrowed(work[2]), borrowed(inside.reshape(-1))
    pictures = flat_x, flat_typical, y, alpha, len(each), wide, shape[0] * wide
    state = best[0], limit[0], sums[0], moments
    up, left = reach_of(height, border, shifts, False), reach_of(width, border, shifts, False)
    for b in range(len(places)):
        lay_out_inside(y, images, places[b], len(each), (height, width), border)
        for down in range(up[0], up[1]):
            for right in range(left[0], left[1]):
                if edges_only and down != 0 and right != 0:
                    continue
                away = down * wide + right
                for band in range(9):
                    i, j = band // 3, band % 3
                    if (band == 4) == edges_only:
                        continue
                    rows = centers(height, down, border, False, i, edges_only)
                    columns = centers(width, right, border, False, j, edges_only)
                    count, corner = columns[1] - columns[0], rows[0] * wide + columns[0]
                    if count <= 0 or rows[1] <= rows[0]:
                        continue
                    across = count + 2 * border
                    sum_strips(down_sums, corner, rows[1] - rows[0], across, size, kept, pictures, away)
                    for row in range(rows[1] - rows[0]):
                        pixel, line = (rows[0] + row) * width + columns[0], row * across * LANES
                        center = corner + (row + border) * wide + border + away
                        others = pixel, y, center, wide, shape, len(each), rate, reach, state
                        sum_to_ends(ends, down_sums, line, size, count, inside)
                        begun = load(down_sums, line) - load(down_sums, line)
                        for k in range(count):
                            newest = load(down_sums, line + (k + size - 1) * LANES)
                            begun = (begun + newest) * pick(inside, k)
                            add_near(load(ends, k * LANES) + begun, k, others)
            if (down - up[0]) % FOLD == FOLD - 1 or down == up[1] - 1:
                fold_lanes(sums[0], lanes[b], rate, best[0], folded[0], den[0], num[0], moments)
                tighten(limit[0], best[0], den[0], rate, farthest)


@inlined
def lay_out_inside(y, images, places, channels, shape, margin):
    """`lay_out` with a margin of zeros, which `y` has already."""
    height, width = shape
    for c in range(channels):
        for i in range(height):
            to = ((c * (height + 2 * margin) + margin + i) * (width + 2 * margin) + margin) * LANES
            for j in range(width):
                for lane in range(LANES):
                    y[to + j * LANES + lane] = images[((places[lane] * height + i) * width + j) * channels + c]


@inlined
def add_narrow(size, line, canvas, first, stride, count, others):
    """A row of pairs of windows of a small size, a constant: their sums are written out."""
    for m in range(0, (count + size - 1) * LANES, LANES):
        store(line, m, add_up(canvas, first + m, stride, size))
    for j in range(count):
        add_near(add_up(line, j * LANES, LANES, size), j, others)


@inlined
def add_near(distances, j, others):
    """Add the pairs of column j, LANES of them, unless all are too far off."""
    pixel, y, center, beyond, (height, width), channels, rate, reach, (best, limit, sums, moments) = others
    if below(distances, spread(pick(limit, pixel + j))):
        there = (center + j - (width if j >= beyond else 0)) * LANES
        spacing = height * width * LANES
        add_candidates(distances, pixel + j, y, there, channels, spacing, rate, reach, best, limit, sums, moments)
