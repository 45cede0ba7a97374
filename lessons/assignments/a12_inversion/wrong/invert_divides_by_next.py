"""You divide by the sigma of the noisier level to find the noise: x has that of the level where it is."""


def invert(denoise, x0, levels):
    x = levels[0][0] * x0
    for (a, s), (b, r) in zip(levels, levels[1:]):
        hat = denoise(x, a, s)
        x = b * hat + s * (x - a * hat) / r
    return x
