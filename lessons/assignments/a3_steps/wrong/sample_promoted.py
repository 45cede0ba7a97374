"""You make x float64 before the walk: float32 pictures stay float32, so leave the dtype of x as it is."""


def sample(denoise, x, levels):
    x = np.array(x, dtype=float)
    for now, then in zip(levels, levels[1:]):
        x = ddim(x, denoise(x, *now), now, then)
    return x
