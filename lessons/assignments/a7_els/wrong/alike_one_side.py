"""You look at the left end alone: windows stick out on the right too."""


def alike(u, v, length, radius):
    return max(0, radius - u) == max(0, radius - v)
