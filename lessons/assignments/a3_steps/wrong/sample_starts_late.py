"""The walk starts at the second level: x comes from the first one, so the first step leads from levels[0] to
levels[1]."""


def sample(denoise, x, levels):
    for now, then in zip(levels[1:], levels[2:]):
        x = ddim(x, denoise(x, *now), now, then)
    return x
