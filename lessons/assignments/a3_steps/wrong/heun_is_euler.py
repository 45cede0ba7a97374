"""This is a DDIM step, of first order: average the slopes at both ends."""


def heun(denoise, x, now, then):
    return ddim(x, denoise(x, *now), now, then)
