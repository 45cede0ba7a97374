"""The last step is missing: n + 1 levels make n steps."""


def sample(denoise, x, levels):
    for now, then in zip(levels[:-2], levels[1:-1]):
        x = ddim(x, denoise(x, *now), now, then)
    return x
