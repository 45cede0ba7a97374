"""You begin with the picture at full size: at the first level x is alpha times it."""


def invert(denoise, x0, levels):
    x = x0
    for (a, s), (b, r) in zip(levels, levels[1:]):
        hat = denoise(x, a, s)
        x = b * hat + r * (x - a * hat) / s
    return x.copy()
