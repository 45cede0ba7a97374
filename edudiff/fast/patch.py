"""The kernel of `Patch`: `edudiff.denoisers.windows.evaluate` in plain loops, LANES training pictures at a time."""

import math
from itertools import pairwise

import numpy as np

from edudiff.denoisers.softmax import margin, merge
from edudiff.fast.jit import borrowed, compiled, share_out
from edudiff.fast.sums import block_sums, window_sums
from edudiff.fast.weights import LANES, STRIP, add_row, fold_lanes

FOLD = 8  # rows of displacements whose weights are added up in float32 before they join the float64 sums
GROUPS = 16  # shares of the training set; fixed, so that sums are the same on any number of threads


def lay_out(images):
    """The training set (N, H, W, C) as blocks of LANES pictures side by side: (blocks, C, H, W * LANES), and N.

    The last block is filled up with copies of its first picture, which get no weight.
    """
    count, rows, columns, channels = images.shape
    blocks = -(-count // LANES)
    laid_out = np.empty((blocks, channels, rows, columns, LANES), images.dtype)  # (blocks, C, H, W, LANES)
    for b in range(blocks):
        block = images[b * LANES : (b + 1) * LANES].transpose(3, 1, 2, 0)  # (C, H, W, <= LANES)
        laid_out[b, ..., : block.shape[-1]] = block
        laid_out[b, ..., block.shape[-1] :] = block[..., :1]
    return laid_out.reshape(blocks, channels, rows, -1), count


def evaluate(x, images, alpha, sigma, sizes, shifts, border, typical):
    """As `windows.evaluate`: a list of (top, num, den), one for each window size. `images`: from `lay_out`."""
    laid_out, count = images
    batch, rows, columns, channels = x.shape
    real = x.dtype.type
    rate = real(1 / (2 * sigma**2 * math.log(2)))
    reach = real(2 * sigma**2 * margin(count * rows * columns))
    bounds = np.linspace(0, len(laid_out), min(GROUPS, len(laid_out)) + 1).astype(int)  # (groups + 1,)
    groups = list(pairwise(bounds))
    wide_x = np.repeat(x.transpose(0, 3, 1, 2), LANES, axis=-1)  # (B, C, H, W * LANES)
    wide_typical = np.repeat(typical, LANES, axis=-1)  # (B, H, W * LANES)

    def piece(task):
        b, (first, last) = task
        lanes = min(LANES, count - (last - 1) * LANES)
        best = np.full((len(sizes), rows, columns * LANES), np.inf, x.dtype)  # (sizes, H, W * LANES)
        den_lanes = np.zeros_like(best)  # (sizes, H, W * LANES)
        num_lanes = np.zeros((len(sizes), channels, rows, columns * LANES), x.dtype)  # (sizes, C, H, W * LANES)
        state = (best, best.copy(), den_lanes, num_lanes)
        den = np.zeros((len(sizes), rows, columns))  # (sizes, H, W)
        num = np.zeros((len(sizes), rows, columns, channels))  # (sizes, H, W, C)
        line = columns + 2 * (max(sizes) // 2)  # of the picture with its border
        canvas = np.empty((rows + 2 * (max(sizes) // 2)) * line * LANES, x.dtype)
        work = (np.empty_like(canvas), *(np.empty(max(line * LANES, STRIP), x.dtype) for _ in range(5)))
        arguments = (real(alpha), rate, reach, np.array(sizes), shifts, border == "wrap", canvas, work, state, den, num)
        add_blocks(wide_x[b], wide_typical[b], laid_out[first:last], lanes, *arguments)
        return best[..., ::LANES], num, den

    done = share_out(piece, [(b, group) for b in range(batch) for group in groups])
    best, num, den = (np.stack(a).reshape(batch, len(groups), *a[0].shape) for a in zip(*done, strict=True))
    # The kernel's weights are powers of 2 with a rounded rate: so are its tops.
    top = best.astype(np.float64) * (-float(rate) * math.log(2))  # (B, groups, sizes, H, W)
    return [merge([(top[:, g, s], num[:, g, s], den[:, g, s]) for g in range(len(groups))]) for s in range(len(sizes))]


@compiled
def add_blocks(x, typical, blocks, lanes, alpha, rate, reach, sizes, shifts, wrap, canvas, work, state, den, num):
    """Add all windows of some blocks to the running sums of one picture `x` (C, H, W * LANES), for each size."""
    _, height, width = x.shape
    border, narrow = max(sizes) // 2, min(sizes) // 2
    best, _, den_lanes, num_lanes = state
    folded = best.copy()
    # All that the loops cut slices from is lent by the caller, who keeps it alive.
    x, typical, canvas = borrowed(x), borrowed(typical), borrowed(canvas)
    work = (
        borrowed(work[0]), borrowed(work[1]), borrowed(work[2]),
        borrowed(work[3]), borrowed(work[4]), borrowed(work[5]),
    )  # fmt: skip
    state = (borrowed(state[0]), borrowed(state[1]), borrowed(state[2]), borrowed(state[3]))
    up, left = reach_of(height, narrow, shifts, wrap), reach_of(width // LANES, narrow, shifts, wrap)
    for b in range(len(blocks)):
        y = borrowed(blocks[b])
        real = lanes if b == len(blocks) - 1 else LANES
        for down in range(up[0], up[1]):
            for right in range(left[0], left[1]):
                stride = draw_differences(canvas, x, typical, y, alpha, down, right, border, wrap)
                for s in range(len(sizes)):
                    mine = (state[0][s], state[1][s], state[2][s], state[3][s])
                    add_displaced(canvas, stride, sizes[s], down, right, border, wrap, work, y, rate, reach, mine)
            if (down - up[0]) % FOLD == FOLD - 1 or down == up[1] - 1:
                for s in range(len(sizes)):
                    fold_lanes(den_lanes[s], num_lanes[s], real, rate, best[s], folded[s], den[s], num[s])


@compiled
def reach_of(length, radius, shifts, wrap):
    """First and last + 1 displacement along an axis, as `windows.displacements`."""
    if not shifts:
        return 0, 1
    if wrap:
        return 0, length
    reach = max(length - 2 * radius - 1, 0)
    return -reach, reach + 1


@compiled
def draw_differences(canvas, x, typical, y, alpha, down, right, border, wrap):
    """Fill `canvas` with |x(u) - alpha y(u + s)|^2 - typical(u) for one displacement s; returns the length of its rows.

    Where windows may stick out there is a border around it: of zeros, or of the other side of the torus.
    """
    height, width = typical.shape
    above = border if wrap or down == 0 else 0
    top, first = 0 if wrap else max(0, -down), 0 if wrap else max(0, -right) * LANES
    rows = height if wrap else height - abs(down)
    if not wrap and right != 0:
        # All rows at once, as one: what lies between the end of one and the start of the next is never looked at.
        stride, count = width, (rows - 1) * width + width - abs(right) * LANES
        if above > 0:
            canvas[: above * stride] = 0
            canvas[(above + rows) * stride : (2 * above + rows) * stride] = 0
        here, there = top * width + first, (top + down) * width + first + right * LANES
        differences(canvas[above * stride :], x, typical, here, y, there, alpha, count)
        return stride
    beside = border * LANES
    stride = width + 2 * beside
    if not wrap:
        canvas[: (rows + 2 * above) * stride] = 0
    for i in range(rows):
        here = (top + i) * width
        row = (top + i + down) % height * width
        line = canvas[(above + i) * stride :]
        differences(line[beside:], x, typical, here, y, row + right * LANES, alpha, width - right * LANES)
        if wrap:
            rest = width - right * LANES
            differences(line[beside + rest :], x, typical, here + rest, y, row, alpha, right * LANES)
            line[:beside] = line[width : width + beside]
            line[beside + width : stride] = line[beside : 2 * beside]
    if wrap:
        canvas[: above * stride] = canvas[height * stride : (height + above) * stride]
        below = (above + height) * stride
        canvas[below : below + above * stride] = canvas[above * stride : 2 * above * stride]
    return stride


@compiled
def differences(out, x, typical, here, y, there, alpha, n):
    """`n` squared differences, summed over channels: `x` and `typical` from `here` on, `y` from `there` on."""
    first_difference(out, x[0].ravel()[here:], typical.ravel()[here:], y[0].ravel()[there:], alpha, n)
    for c in range(1, len(x)):
        add_difference(out, x[c].ravel()[here:], y[c].ravel()[there:], alpha, n)


@compiled
def first_difference(out, x, typical, y, alpha, n):
    """out = |x - alpha y|^2 - typical."""
    for m in range(n):
        difference = x[m] - alpha * y[m]
        out[m] = difference * difference - typical[m]


@compiled
def add_difference(out, x, y, alpha, n):
    """out += |x - alpha y|^2."""
    for m in range(n):
        difference = x[m] - alpha * y[m]
        out[m] += difference * difference


@compiled
def add_displaced(canvas, stride, size, down, right, border, wrap, work, y, rate, reach, state):
    """Add all pairs of windows of one size that lie one displacement apart, from their difference picture."""
    height, width = state[0].shape
    radius = size // 2
    clip_rows, clip_columns = wrap or down == 0, wrap or right == 0
    # Where windows are clipped there is one for each pixel; elsewhere, one for each that fits in.
    rows = height if clip_rows else height - abs(down) - 2 * radius
    count = width if clip_columns else width - (abs(right) + 2 * radius) * LANES
    if rows <= 0 or count <= 0:
        return
    top = 0 if clip_rows else max(0, -down) + radius
    first = 0 if clip_columns else (max(0, -right) + radius) * LANES
    above = border - radius if clip_rows else 0
    beside = (border - radius) * LANES if clip_columns else 0
    spread = count + 2 * radius * LANES  # of a row, the part that the windows see
    for i in range(rows):
        sums = block_sums(canvas[above * stride + beside :], i, size, stride, spread, work[0], work[1], work[2])
        distances = window_sums(sums, size, LANES, count, work[3], work[4])
        p = top + i
        q = (p + down) % height if wrap else p + down
        there = first + right * LANES
        until = min(count, width - there)
        add_row(distances[:until], y, q, there, state, p, first, rate, reach, work[5])
        if until < count:
            add_row(distances[until:count], y, q, 0, state, p, until, rate, reach, work[5])
