"""Window sums over rows of squared differences that are never stored: a strip of STRIP columns at a time, in registers.

The sums are those of `sums`, blocks of rows from their ends and from their starts; only those that a window needs are
kept. Images have a border of zeros, outside which nothing differs.
"""

from edudiff.fast.jit import inlined
from edudiff.fast.lanes import LANES, cast, load, pick, spread, store

STRIP = 4


@inlined
def sum_strips(out, here, rows, across, size, kept, both, away):
    """`out` (rows, across, LANES) = sums over `size` rows of |x(u) - alpha y(u + s)|^2 - typical(u).

    `here`: the first pixel u of x in the first row that is summed. `away`: how many pixels beyond u in y is u + s.
    `both`: (x, typical, y, alpha, channels, wide, pixels), flat, `wide` pixels in a row and `pixels` in a channel.
    `kept`: room for size * STRIP Lanes. `across` is at least STRIP: a last strip begins within the one before.
    """
    for v in range(0, across, STRIP):
        begin = min(v, across - STRIP)
        for first in range(0, rows, size):
            last = min(first + size, rows)
            _sum_strip(out, here + begin, begin, first, last, across, size, kept, both, away)


@inlined
def _sum_strip(out, here, v, first, last, across, size, kept, both, away):
    """The rows `first` to `last` - 1 of a strip, at most `size`: their windows all end in this block or the next."""
    wide = both[5]
    a, b, c, d = _differences(here + (first + size - 1) * wide, both, away)
    if last == first + size:
        _keep(kept, (size - 1) * STRIP * LANES, a, b, c, d)
    for u in range(first + size - 2, last - 1, -1):
        e, f, g, h = _differences(here + u * wide, both, away)
        a, b, c, d = a + e, b + f, c + g, d + h
    for u in range(min(last - 1, first + size - 2), first - 1, -1):
        e, f, g, h = _differences(here + u * wide, both, away)
        a, b, c, d = a + e, b + f, c + g, d + h
        _keep(kept, (u - first) * STRIP * LANES, a, b, c, d)
    _keep(out, (first * across + v) * LANES, a, b, c, d)
    a = b = c = d = a - a
    for i in range(first + 1, last):
        e, f, g, h = _differences(here + (i + size - 1) * wide, both, away)
        a, b, c, d = a + e, b + f, c + g, d + h
        end = (i - first) * STRIP * LANES
        e, f = a + load(kept, end), b + load(kept, end + LANES)
        g, h = c + load(kept, end + 2 * LANES), d + load(kept, end + 3 * LANES)
        _keep(out, (i * across + v) * LANES, e, f, g, h)


@inlined
def _keep(out, at, a, b, c, d):
    store(out, at, a)
    store(out, at + LANES, b)
    store(out, at + 2 * LANES, c)
    store(out, at + 3 * LANES, d)


@inlined
def _differences(here, both, away):
    """Of the STRIP pixels from `here` on."""
    a, b = _difference(here, both, away), _difference(here + 1, both, away)
    return a, b, _difference(here + 2, both, away), _difference(here + 3, both, away)


@inlined
def _difference(here, both, away):
    x, typical, y, alpha, channels, _, pixels = both
    total = spread(-pick(typical, here))
    for c in range(channels):
        value = alpha * cast(load(y, (c * pixels + here + away) * LANES), alpha)
        difference = pick(x, c * pixels + here) - value
        total = total + difference * difference
    return total
