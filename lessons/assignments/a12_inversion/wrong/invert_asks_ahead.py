"""You ask the denoiser about the noisier level of the step: x is still at the other one."""


def invert(denoise, x0, levels):
    x = levels[0][0] * x0
    for (a, s), (b, r) in zip(levels, levels[1:]):
        hat = denoise(x, b, r)
        x = b * hat + r * (x - a * hat) / s
    return x
