"""You compare the distances to the nearest end: left and right are not the same, a window at the left end has its
zeros on the left."""


def alike(u, v, length, radius):
    out = [max(0, radius - min(place, length - 1 - place)) for place in (u, v)]
    return out[0] == out[1]
