"""You take x0 for the answer of the denoiser all the way: ask it about each x, as the way back will."""


def invert(denoise, x0, levels):
    x = levels[0][0] * x0
    for (a, s), (b, r) in zip(levels, levels[1:]):
        x = b * x0 + r * (x - a * x0) / s
    return x
