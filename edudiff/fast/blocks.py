"""All windows of a block of LANES training images, of several sizes: box sums of one difference image a displacement.

`plain.els` sums window by window.
"""

import math

from edudiff.fast.jit import borrowed, compiled, inlined
from edudiff.fast.lanes import LANES, cast, load, pick, spread, store
from edudiff.fast.pairs import FOLD, add_near, centers, reach_of
from edudiff.fast.sums import add_up, sum_rows, sum_to_ends
from edudiff.fast.weights import fold_lanes, tighten

WRITTEN_OUT = 5  # the largest window whose sums are written out


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


@inlined
def seen_rows(length, shift, widest, circular):
    """First and last + 1 row of the difference image: where both have one, and beyond where windows stick out."""
    if circular or shift == 0:
        return -widest, length + widest
    return max(0, -shift), length - max(0, shift)


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


@inlined
def add_narrow(size, line, canvas, first, stride, count, others):
    """A row of pairs of windows of a small size, a constant: their sums are written out."""
    for m in range(0, (count + size - 1) * LANES, LANES):
        store(line, m, add_up(canvas, first + m, stride, size))
    for j in range(count):
        add_near(add_up(line, j * LANES, LANES, size), j, others)
