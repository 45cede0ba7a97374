"""You return the denoiser's answer about the first x, in one jump: walk down the levels one after the other."""


def sample(denoise, x, levels):
    return denoise(x, *levels[0])
