"""You return the denoiser's answer without its noise: keep the noise and mix it in again, less of it."""


def ddim(x, x0_hat, now, then):
    return then[0] * x0_hat
