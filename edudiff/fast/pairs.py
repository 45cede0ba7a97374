"""Which windows are compared with which: displacements, centers, and the pairs that are near enough to count."""

from edudiff.fast.jit import compiled, inlined
from edudiff.fast.lanes import LANES, below, pick, spread
from edudiff.fast.weights import add_candidates

FOLD = 8  # rows of displacements whose weights are added up in float32 before they join the float64 sums


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
def add_near(distances, j, others):
    """Add the pairs of column j, LANES of them, unless all are too far off."""
    pixel, y, center, beyond, (height, width), channels, rate, reach, (best, limit, sums, moments) = others
    if below(distances, spread(pick(limit, pixel + j))):
        there = (center + j - (width if j >= beyond else 0)) * LANES
        spacing = height * width * LANES
        add_candidates(distances, pixel + j, y, there, channels, spacing, rate, reach, best, limit, sums, moments)
