"""Softmax weights of windows, added to running sums: most windows are too far off and cost one comparison.

LANES training images lie side by side at each pixel. Each lane has its own running sums, so that no loop ever adds
across lanes; the lanes of one pixel share their top.
"""

import math

from edudiff.fast.exp import exp2
from edudiff.fast.jit import compiled, inlined
from edudiff.fast.lanes import LANES, below, cast, load, lowest, pick, spread, store

TIE = 2.0**-17  # a distance that near to the best, of its own size, is never too far off: rounding may be all of it


@inlined
def add_candidates(distances, pixel, y, center, channels, spacing, rate, reach, best, limit, sums):
    """Add LANES windows to the running sums of one pixel of the query, and lower its `best` if one is closer.

    `distances`: Lanes of summed squares. The values at the windows' centers lie in `y` from `center` on, channels
    `spacing` apart. `best`, `limit` (pixels,): the smallest distance so far, and the one from which a weight is
    negligible. `sums`, flat: for each pixel the sum of weights and those of weighted values, LANES each. `rate`: from
    distances to powers of 2. `reach`: of a limit beyond the best.
    """
    if below(distances, spread(pick(best, pixel))):
        lower(lowest(distances), pixel, channels, rate, reach, best, limit, sums)
    weight = exp2((pick(best, pixel) - distances) * rate)
    first = pixel * (1 + channels) * LANES
    store(sums, first, load(sums, first) + weight)
    for c in range(channels):
        at = first + (1 + c) * LANES
        store(sums, at, load(sums, at) + weight * cast(load(y, center + c * spacing), rate))


@compiled
def lower(closest, pixel, channels, rate, reach, best, limit, sums):
    """Lower the `best` of one pixel to `closest`, and fade its sums."""
    fade = 2.0 ** (float(rate) * (float(closest) - float(best[pixel])))
    for m in range(pixel * (1 + channels) * LANES, (pixel + 1) * (1 + channels) * LANES):
        sums[m] *= fade
    best[pixel] = closest
    limit[pixel] = min(limit[pixel], closest + max(reach, TIE * abs(closest)))


@compiled
def fold_lanes(sums, lanes, rate, best, folded, den, num):
    """Add the lanes of each pixel to its float64 sums, and start the lanes again at 0.

    `den` (pixels,), `num` (pixels, C) are relative to the bests at the last folding, `folded`. Lanes from `lanes` on
    hold repeated images and are dropped.
    """
    pixels, channels = num.shape
    for pixel in range(pixels):
        if best[pixel] < folded[pixel]:
            fade = 2.0 ** (float(rate) * (float(best[pixel]) - float(folded[pixel])))
            folded[pixel] = best[pixel]
            den[pixel] *= fade
            for c in range(channels):
                num[pixel, c] *= fade
        at = pixel * (1 + channels) * LANES
        for m in range(lanes):
            den[pixel] += sums[at + m]
            for c in range(channels):
                num[pixel, c] += sums[at + (1 + c) * LANES + m]
    sums[:] = 0


@compiled
def tighten(limit, best, den, rate, margin):
    """Lower each limit to where all candidates together are negligible beside the weights found so far, `den`."""
    for pixel in range(len(limit)):
        enough = (margin - math.log(max(den[pixel], 1.0))) / (math.log(2.0) * rate)
        limit[pixel] = min(limit[pixel], best[pixel] + max(enough, TIE * abs(best[pixel])))
