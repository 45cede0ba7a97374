"""The second slope is taken at the old x: ask the denoiser where the DDIM step has led."""


def heun(denoise, x, now, then):
    x0_hat = denoise(x, *now)
    if then[1] == 0:
        return ddim(x, x0_hat, now, then)
    slopes = (x - now[0] * x0_hat) / now[1] + (x - then[0] * denoise(x, *then)) / then[1]
    return then[0] * (x / now[0] + (then[1] / then[0] - now[1] / now[0]) * slopes / 2)
