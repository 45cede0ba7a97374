"""You compute in float64 and return it: float32 pictures stay float32."""


def invert(denoise, x0, levels):
    x = levels[0][0] * x0.astype(float)
    for (a, s), (b, r) in zip(levels, levels[1:]):
        hat = denoise(x, a, s)
        x = b * hat + r * (x - a * hat) / s
    return x
