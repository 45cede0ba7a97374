"""Softmax weights of one row of windows, added to running sums: most windows are too far off and cost one comparison.

All rows here are flat, (columns * LANES,): LANES training pictures lie side by side at each pixel, and each lane has
its own running sum, so that no loop ever adds across lanes. The lanes of one pixel share their top.
"""

import math

import numpy as np
from numba import types
from numba.extending import overload

from edudiff.fast.jit import compiled, compiled_as_written

LANES = 16  # training pictures side by side: one vector of float32
STRIP = 16 * LANES  # values that are skipped or weighed together

# 2**f = sum_k (f log 2)**k / k! for |f| <= 1/2: 7 terms are exact to 1.2e-7, the rounding of float32.
C1, C2, C3, C4, C5, C6 = (np.float32(math.log(2) ** k / math.factorial(k)) for k in range(1, 7))
ONE, LOWEST = np.float32(1), np.float32(-126)
D = tuple(math.log(2) ** k / math.factorial(k) for k in range(1, 14))  # 13 terms are exact to 4e-18
LOWEST64, ROUNDER64 = -1022.0, float(3 << 51)
ROUNDER = np.float32(3 << 22)  # t + ROUNDER has no digits after the point: it is the nearest integer to t, plus ROUNDER


def exp2(t):
    """2**t for t <= 0 in the precision of t; below t = -126 (float64: -1022) it stays where it is there."""
    return 2.0**t


@compiled_as_written
def exp2_single(t):
    t = t if t > LOWEST else LOWEST
    rounded = t + ROUNDER
    f = t - (rounded - ROUNDER)
    power = ONE + f * (C1 + f * (C2 + f * (C3 + f * (C4 + f * (C5 + f * C6)))))
    # The integer sits in the low bits of `rounded`; added to the exponent bits, it multiplies by 2**integer.
    return np.int32((np.float32(rounded).view(np.int32) << 23) + np.float32(power).view(np.int32)).view(np.float32)


@compiled_as_written
def exp2_double(t):
    t = t if t > LOWEST64 else LOWEST64
    rounded = t + ROUNDER64
    f = t - (rounded - ROUNDER64)
    power = D[12]
    power = power * f + D[11]
    power = power * f + D[10]
    power = power * f + D[9]
    power = power * f + D[8]
    power = power * f + D[7]
    power = power * f + D[6]
    power = power * f + D[5]
    power = power * f + D[4]
    power = power * f + D[3]
    power = power * f + D[2]
    power = power * f + D[1]
    power = power * f + D[0]
    power = power * f + 1.0
    return np.int64((np.float64(rounded).view(np.int64) << 52) + np.float64(power).view(np.int64)).view(np.float64)


@overload(exp2)
def _exp2(t):
    return (lambda t: exp2_single(t)) if t == types.float32 else (lambda t: exp2_double(t))


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
