"""You walk the levels from the last to the first: inversion goes up, in their order."""


def invert(denoise, x0, levels):
    levels = levels[::-1]
    x = levels[0][0] * x0
    for (a, s), (b, r) in zip(levels, levels[1:]):
        hat = denoise(x, a, s)
        x = b * hat + r * (x - a * hat) / s
    return x
