"""The last step is missing: n + 1 levels make n steps."""


def invert(denoise, x0, levels):
    x = levels[0][0] * x0
    for (a, s), (b, r) in zip(levels[:-2], levels[1:-1]):
        hat = denoise(x, a, s)
        x = b * hat + r * (x - a * hat) / s
    return x
