"""A climb from `plain` for little noise: windows in groups of similar ones (`Clusters`), most of them never compared.

A group is skipped if its box lies so far from the query's projections that all windows of the training set together
would not matter at that distance. Which distance that is, is known before the first group is skipped: the group where
the query itself would lie on the curve is nearly the closest one.
"""

import math

import numpy as np

from edudiff.fast.clusters import Clusters
from edudiff.fast.jit import borrowed, compiled, inlined, share_out
from edudiff.fast.lanes import LANES, below, empty, first_bit, larger, load, pick, spread
from edudiff.fast.weights import add_candidates, fold_lanes, part_of, tighten
from edudiff.support.softmax import TIE, merge
from edudiff.support.types import Array

BUNCH = 16  # groups that are tested at once before each is
FOLD = 32  # bunches whose weights are added up in float32 before they join the float64 sums
NEAR = 2  # groups on either side of the query's place on the curve
EVERY = 64  # groups are counted to guess how many will be compared
# What skipping costs where comparing all pairs costs 1, read off measurements: the tests, and more for each pixel of a
# window, all pairs that are compared, and more for each value in their windows.
TEST, PIXEL, PAIR, VALUE = 0.1, 0.01, 0.9, 0.022
FAR = 1e15  # a pixel value that no query is near to


def evaluate(
    x: Array, clusters: Clusters, alpha: float, sigma: float, tolerance: float, moments: bool = False
) -> tuple[list[Array], int] | None:
    """(top, num, den) of all windows inside the images for those of the batch `x`; and how many pairs were compared.

    Shapes (B, h, w), (B, h, w, C), (B, h, w): one for each window of x, B * h * w = M. What is skipped weighs at most
    `tolerance` of the whole. None if comparing all pairs (`edudiff.fast.patch`) is likely to be quicker. `moments`: two
    more arrays.
    """
    more = 2 if moments else 0  # sums of a query
    windows, projections = clusters.queries(x)  # (M, D), (P, M)
    channels = x.shape[3]
    codes = clusters.codes(projections / alpha)  # (M,)
    order = codes.argsort()  # (M,)
    count = len(order)
    filled = order[np.minimum(np.arange(-(-count // LANES) * LANES), count - 1)]  # (M',)
    windows, projections = windows[filled], np.ascontiguousarray(projections[:, filled])  # (M', D), (P, M')
    real = x.dtype.type
    rate = real(1 / (2 * sigma**2 * math.log(2)))
    plain = clusters.weigh_plain(windows.astype(np.float64), alpha, sigma, moments)
    margin = math.log(clusters.count) - math.log(tolerance)

    scale = real(clusters.least), real(clusters.step), real(alpha)

    def run(share, limit, first_codes):
        best = np.full(len(filled), np.inf, x.dtype)  # (M',)
        sums = empty(len(filled) * (1 + channels + more) * LANES, x.dtype)
        sums[:] = 0
        group, centers = (empty(n * LANES, x.dtype) for n in (windows.shape[1], channels))
        den, num = np.zeros(len(filled)), np.zeros((len(filled), channels + more))  # (M',), (M', C)
        arrays = (
            (0,) * channels,
            windows,
            projections,
            clusters.images,
            share.order,
            share.boxes,
            share.codes,
            first_codes,
        )
        settings = clusters.size, clusters.circular, *scale, rate, margin
        compared = add_share(*arrays, share.count, *settings, best, limit.copy(), sums, den, num, group, centers, more)
        return part_of(best, num, den, rate, more), compared

    shares, done = [share for share in clusters.shares if share.count], []
    if shares:
        nowhere = np.full(len(filled), np.inf, x.dtype)  # (M',)
        near = share_out(lambda share: run(share, nowhere, codes[filled]), shares)
        top, _, den, *_ = merge([plain, *(part for part, _ in near)])
        limit = ((margin - np.log(den) - top) / (float(rate) * math.log(2))).astype(x.dtype)  # (M',)
        limit += TIE * abs(limit)
        limit[count:] = -np.inf  # copies
        seen = np.array([count_near(projections, share.boxes, limit, *scale) for share in shares]).sum(0)  # (2,)
        compared = (seen[0] / max(seen[1], 1)) * (1 - clusters.plain / clusters.count)
        if TEST + PIXEL * clusters.size**2 + compared * (PAIR + VALUE * windows.shape[1]) > 1:
            return None
        done = share_out(lambda share: run(share, limit, codes[:0]), shares)
    parts = merge([plain, *(part for part, _ in done)])
    back = np.empty(count, int)
    back[order] = np.arange(count)
    shape = clusters.shape(x)
    return [a[back].reshape(*shape, *a.shape[1:]) for a in parts], sum(n for _, n in done) * LANES


@compiled
def add_share(
    each, windows, projections, images, order, boxes, codes, first_codes,
    count, size, circular, least, step, alpha, rate, margin, best, limit, sums, den, num, group, centers, moments,
):  # fmt: skip
    """Add the windows of one share to the sums of all queries; returns how many groups were compared with how many.

    `each`: a tuple with an entry for each channel, whose number is then known when this is compiled. `group`,
    `centers`: room for one group. `moments`: how many sums a query has besides those of weights and channels, 0 or 2.
    With `first_codes` (M,), the places of the queries on the curve, only groups near to them are compared.
    """
    channels = len(each)
    patterns, queries = projections.shape
    values = size * size * channels
    reach = type(rate)(margin / (math.log(2.0) * rate))
    folded = best.copy()
    box = np.empty((2, patterns), windows.dtype)
    active = np.empty(queries // LANES, np.int64)
    own = borrowed(group), borrowed(centers), borrowed(windows.reshape(-1)), borrowed(projections.reshape(-1))
    state = borrowed(best), borrowed(limit), borrowed(sums), moments
    total, compared = boxes.shape[2], 0
    if len(first_codes):
        for m in range(queries):
            middle = np.searchsorted(codes, first_codes[m])
            for g in range(max(0, middle - NEAR), min(total, middle + NEAR)):
                gather(own[0], own[1], images, order, g, count, size, circular, alpha)
                compare(own, m, values, channels, rate, reach, state)
                compared += 1
        fold_lanes(sums, LANES, rate, best, folded, den, num, moments)
        return compared
    for bunch in range(0, total, BUNCH):
        last = min(total, bunch + BUNCH)
        draw_box(box, boxes, bunch, last, least, step, alpha)
        found = 0
        for block in range(0, queries, LANES):
            if below(distance_to(box, own[3], block, queries), load(state[1], block)):
                active[found] = block
                found += 1
        for g in range(bunch, last if found else bunch):
            draw_box(box, boxes, g, g + 1, least, step, alpha)
            gathered = False
            for k in range(found):
                block = active[k]
                near = below(distance_to(box, own[3], block, queries), load(state[1], block))
                while near:
                    if not gathered:
                        gather(own[0], own[1], images, order, g, count, size, circular, alpha)
                        gathered = True
                    compare(own, block + first_bit(near), values, channels, rate, reach, state)
                    near &= near - 1
                    compared += 1
        if bunch // BUNCH % FOLD == FOLD - 1:
            fold_lanes(sums, LANES, rate, best, folded, den, num, moments)
            tighten(limit, best, den, rate, margin)
    fold_lanes(sums, LANES, rate, best, folded, den, num, moments)
    return compared


@compiled
def count_near(projections, boxes, limit, least, step, alpha):
    """How many pairs of a query and a group are not skipped, of how many: for some groups."""
    patterns, queries = projections.shape
    box = np.empty((2, patterns), projections.dtype)
    flat, found, seen = projections.reshape(-1), 0, 0
    for g in range(0, boxes.shape[2], EVERY):
        draw_box(box, boxes, g, g + 1, least, step, alpha)
        for block in range(0, queries, LANES):
            near = below(distance_to(box, flat, block, queries), load(limit, block))
            seen += LANES
            while near:
                near &= near - 1
                found += 1
    return found, seen


@inlined
def draw_box(box, boxes, first, last, least, step, alpha):
    """The box around some groups, scaled by alpha: its least and largest projections, (2, P)."""
    for k in range(box.shape[1]):
        low, high = boxes[0, k, first], boxes[1, k, first]
        for g in range(first + 1, last):
            low, high = min(low, boxes[0, k, g]), max(high, boxes[1, k, g])
        box[0, k] = alpha * (least + step * low)
        box[1, k] = alpha * (least + step * (type(step)(high) + 1))


@inlined
def distance_to(box, projections, block, queries):
    """Lanes of squared distances between LANES queries and a box: what a window in the box cannot be closer than."""
    nothing = spread(box[0, 0] - box[0, 0])
    squares = nothing
    for k in range(box.shape[1]):
        here = load(projections, k * queries + block)
        beyond = larger(larger(box[0, k] - here, here - box[1, k]), nothing)
        squares = squares + beyond * beyond
    return squares


@inlined
def compare(own, m, values, channels, rate, reach, state):
    """Add the windows of the gathered group to the sums of query m, unless all are too far off."""
    group, centers, windows, _ = own
    best, limit, sums, moments = state
    at = m * values
    squares = odd = spread(rate - rate)  # two sums, so that neither waits for the other
    for i in range(0, values - 1, 2):
        difference = load(group, i * LANES) - pick(windows, at + i)
        squares = squares + difference * difference
        difference = load(group, (i + 1) * LANES) - pick(windows, at + i + 1)
        odd = odd + difference * difference
    if values % 2:
        difference = load(group, (values - 1) * LANES) - pick(windows, at + values - 1)
        squares = squares + difference * difference
    squares = squares + odd
    if below(squares, spread(pick(limit, m))):
        add_candidates(squares, m, centers, 0, channels, LANES, rate, reach, best, limit, sums, moments)


@compiled
def gather(group, centers, images, order, g, count, size, circular, alpha):
    """The windows of group g side by side, times alpha: (size * size * C * LANES,); and their centers, (C * LANES,)."""
    _, height, width, channels = images.shape
    rows, columns = (height, width) if circular else (height - size + 1, width - size + 1)
    radius = size // 2
    for lane in range(LANES):
        place = np.int64(order[g * LANES + lane])
        n, i, j = place // (rows * columns), place // columns % rows, place % columns
        if circular:
            i, j = i - radius, j - radius
        to = lane
        for a in range(size):
            p = (i + a) % height if circular else i + a
            for b in range(size):
                q = (j + b) % width if circular else j + b
                for c in range(channels):
                    group[to] = images[n, p, q, c] * alpha
                    to += LANES
        p, q = ((i + radius) % height, (j + radius) % width) if circular else (i + radius, j + radius)
        for c in range(channels):
            centers[c * LANES + lane] = images[n, p, q, c]
        if g * LANES + lane >= count:
            group[lane] = FAR
