"""Softmax weights of one row of windows, added to running sums: most windows are too far off and cost one comparison.

All rows here are flat, (columns * LANES,): LANES training pictures lie side by side at each pixel, and each lane has
its own running sum, so that no loop ever adds across lanes. The lanes of one pixel share their top.
"""

from edudiff.fast.exp import exp2
from edudiff.fast.jit import compiled

LANES = 16  # training pictures side by side: one vector of float32
STRIP = 16 * LANES  # values that are skipped or weighed together


@compiled
def any_below(distances, limit, n):
    """Is any distance below its limit?"""
    found = False
    for m in range(n):
        found = found | (distances[m] < limit[m])
    return found


@compiled
def weigh(weight, den, distances, best, rate, n):
    """weight = 2**(rate * (best - distance)); den += weight."""
    for m in range(n):
        one = exp2(rate * (best[m] - distances[m]))
        weight[m] = one
        den[m] += one


@compiled
def accumulate_product(total, a, b, n):
    """total += a * b."""
    for m in range(n):
        total[m] += a[m] * b[m]


@compiled
def add_row(distances, y, q, there, state, p, here, rate, reach, weight):
    """Add one row of pixels times LANES training pictures to the running sums.

    `distances`: summed squares. `y`: training pictures, (C, H, W * LANES); the candidates' centre pixels lie in row
    `q`, from `there` on. `state`: (best, limit, den, num), of which row `p` from `here` on is added to: the smallest
    distance so far, the distance from which a weight is negligible, the sum of weights, (H, W * LANES), and of
    weighted values, (C, H, W * LANES). `weight`: work space.
    """
    bests, limits, dens, nums = state
    best, limit = bests[p, here:], limits[p, here:]
    for start in range(0, len(distances), STRIP):
        n = min(STRIP, len(distances) - start)
        strip = distances[start:]
        if not any_below(strip, limit[start:], n):
            continue
        if any_below(strip, best[start:], n):
            lower_best(strip, p, here + start, n, state, rate, reach)
        weigh(weight, dens[p, here + start :], strip, best[start:], rate, n)
        for c in range(len(nums)):
            accumulate_product(nums[c, p, here + start :], weight, y[c, q, there + start :], n)


@compiled
def lower_best(distances, p, at, n, state, rate, reach):
    """Where a window comes closer than all before, take it as the new reference and scale the old sums to it."""
    best, limit, den = state[0][p], state[1][p], state[2][p]
    num = state[3]
    for pixel in range(0, n, LANES):
        low = best[at + pixel]
        for m in range(pixel, pixel + LANES):
            low = min(low, distances[m])
        if low < best[at + pixel]:
            fade = 2.0 ** (float(rate) * (float(low) - float(best[at + pixel])))
            for m in range(at + pixel, at + pixel + LANES):
                best[m] = low
                limit[m] = low + reach
                den[m] *= fade
                for c in range(len(num)):
                    num[c, p, m] *= fade


@compiled
def fold_lanes(den_lanes, num_lanes, lanes, rate, best, folded, den, num):
    """Add the lanes of each pixel to its float64 sums, and start the lanes again at 0.

    `den` (H, W), `num` (H, W, C) are relative to the tops at the last folding, `folded`. Lanes from `lanes` on hold
    repeated pictures and are dropped.
    """
    for i in range(den.shape[0]):
        for j in range(den.shape[1]):
            at = j * LANES
            if best[i, at] < folded[i, at]:
                fade = 2.0 ** (float(rate) * (float(best[i, at]) - float(folded[i, at])))
                folded[i, at] = best[i, at]
                den[i, j] *= fade
                for c in range(num.shape[2]):
                    num[i, j, c] *= fade
            for m in range(at, at + lanes):
                den[i, j] += den_lanes[i, m]
                for c in range(num.shape[2]):
                    num[i, j, c] += num_lanes[c, i, m]
    den_lanes[:] = 0
    num_lanes[:] = 0
