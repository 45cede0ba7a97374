"""Softmax weights of windows, added to running sums: most windows are too far off and cost one comparison.

LANES training images lie side by side at each pixel. Each lane has its own running sums, so that no loop ever adds
across lanes; the lanes of one pixel share their top.

The sums of a pixel are that of the weights, those of the weighted values, one a channel, and with `moments`, which is
2 instead of 0, those of the weighted squares of all channels and of the weighted exponents.
"""

import math

import numpy as np

from edudiff.fast.exp import exp2
from edudiff.fast.jit import compiled, inlined
from edudiff.fast.lanes import LANES, below, cast, larger, load, lowest, pick, spread, store
from edudiff.support.softmax import TIE, Part
from edudiff.support.types import Array

SMALLEST = 1e3  # far below this power of 2 every weight is 0


@inlined
def add_candidates(distances, pixel, y, center, channels, spacing, rate, reach, best, limit, sums, moments):
    """Add LANES windows to the running sums of one pixel of the query, and lower its `best` if one is closer.

    `distances`: Lanes of summed squares. The values at the windows' centers lie in `y` from `center` on, channels
    `spacing` apart. `best`, `limit` (pixels,): the smallest distance so far, and the one from which a weight is
    negligible. `sums`, flat: for each pixel the sum of weights and those of weighted values, LANES each. `rate`: from
    distances to powers of 2. `reach`: of a limit beyond the best.
    """
    if below(distances, spread(pick(best, pixel))):
        lower(lowest(distances), pixel, channels, rate, reach, best, limit, sums, moments)
    exponent = (pick(best, pixel) - distances) * rate
    weight = exp2(exponent)
    first = pixel * (1 + channels + moments) * LANES
    store(sums, first, load(sums, first) + weight)
    for c in range(channels):
        at = first + (1 + c) * LANES
        store(sums, at, load(sums, at) + weight * cast(load(y, center + c * spacing), rate))
    if moments:
        add_moments(exponent, weight, y, center, channels, spacing, rate, sums, first + (1 + channels) * LANES)


@inlined
def add_moments(exponent, weight, y, center, channels, spacing, rate, sums, at):
    """The two sums that begin at `at`: of the weighted squares and of the weighted exponents."""
    squares = weight - weight
    for c in range(channels):
        value = cast(load(y, center + c * spacing), rate)
        squares = squares + value * value
    store(sums, at, load(sums, at) + weight * squares)
    # Far off, the weight is a small number or 0, and the exponent may be any: none below -SMALLEST counts.
    counted = larger(exponent, spread(type(rate)(-SMALLEST)))
    store(sums, at + LANES, load(sums, at + LANES) + weight * counted)


@compiled
def lower(closest, pixel, channels, rate, reach, best, limit, sums, moments):
    """Lower the `best` of one pixel to `closest`, and fade its sums."""
    lost = float(rate) * (float(closest) - float(best[pixel]))  # from all exponents
    fade = 2.0**lost
    first, last = pixel * (1 + channels + moments) * LANES, (pixel + 1) * (1 + channels + moments) * LANES
    if moments and fade > 0:
        for lane in range(LANES):
            sums[last - LANES + lane] += sums[first + lane] * lost
    for m in range(first, last):
        sums[m] *= fade
    best[pixel] = closest
    limit[pixel] = min(limit[pixel], closest + max(reach, TIE * abs(closest)))


@compiled
def fold_lanes(sums, lanes, rate, best, folded, den, num, moments):
    """Add the lanes of each pixel to its float64 sums, and start the lanes again at 0.

    `den` (pixels,), `num` (pixels, C or, with moments, C + 2) are relative to the bests at the last folding, `folded`.
    Lanes from `lanes` on hold repeated images and are dropped.
    """
    pixels, columns = num.shape
    for pixel in range(pixels):
        if best[pixel] < folded[pixel]:
            lost = float(rate) * (float(best[pixel]) - float(folded[pixel]))
            fade = 2.0**lost
            folded[pixel] = best[pixel]
            if moments and fade > 0:
                num[pixel, columns - 1] += den[pixel] * lost
            den[pixel] *= fade
            for c in range(columns):
                num[pixel, c] *= fade
        at = pixel * (1 + columns) * LANES
        for m in range(lanes):
            den[pixel] += sums[at + m]
            for c in range(columns):
                num[pixel, c] += sums[at + (1 + c) * LANES + m]
    sums[:] = 0


def part_of(best: Array, num: Array, den: Array, rate: float, moments: int) -> Part:
    """(top, num, den) of what the kernels have summed, weights and exponents to base 2: with moments, two more."""
    top = best.astype(np.float64) * (-float(rate) * math.log(2))
    if not moments:
        return top, num, den
    return top, num[..., :-2], den, num[..., -2], num[..., -1] * math.log(2)


@compiled
def tighten(limit, best, den, rate, margin):
    """Lower each limit to where all candidates together are negligible beside the weights found so far, `den`."""
    for pixel in range(len(limit)):
        enough = (margin - math.log(max(den[pixel], 1.0))) / (math.log(2.0) * rate)
        limit[pixel] = min(limit[pixel], best[pixel] + max(enough, TIE * abs(best[pixel])))
