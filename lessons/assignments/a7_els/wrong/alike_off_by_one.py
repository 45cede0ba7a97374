"""Your right end is one pixel off: the last place of the axis is length - 1, its window reaches to length - 1 +
radius."""


def alike(u, v, length, radius):
    sides = [(max(0, radius - place), max(0, place + radius - length)) for place in (u, v)]
    return sides[0] == sides[1]
