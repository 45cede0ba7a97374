"""All windows of a block of LANES training images, of one large size: the sums over rows come from `strips`."""

import math

from edudiff.fast.jit import borrowed, compiled, inlined
from edudiff.fast.lanes import LANES, load, pick
from edudiff.fast.pairs import FOLD, add_near, centers, reach_of
from edudiff.fast.strips import sum_strips
from edudiff.fast.sums import sum_to_ends
from edudiff.fast.weights import fold_lanes, tighten


@compiled
def add_large(
    each, x, typical, images, places, lanes, y, sizes, shifts, _, edges_only, rate, farthest, alpha,
    inside, down_sums, work, best, limit, sums, den, num, moments,
):  # fmt: skip
    """`blocks.add_blocks` for one large window, not circular: differences are summed over rows as they are computed.

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
    """`blocks.lay_out` with a margin of zeros, which `y` has already."""
    height, width = shape
    for c in range(channels):
        for i in range(height):
            to = ((c * (height + 2 * margin) + margin + i) * (width + 2 * margin) + margin) * LANES
            for j in range(width):
                for lane in range(LANES):
                    y[to + j * LANES + lane] = images[((places[lane] * height + i) * width + j) * channels + c]
