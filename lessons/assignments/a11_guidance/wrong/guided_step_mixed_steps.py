"""You guide the class at the level now and forget the noise: after the answer, the noise comes in again, less of it."""


def guided_step(class_denoiser, all_denoiser, x, now, then, weight, low, high):
    x0_hat = class_denoiser(x, now[0], now[1])
    if low * now[0] <= now[1] <= high * now[0]:
        x0_hat = guide(x0_hat, all_denoiser(x, now[0], now[1]), weight)
    return then[0] * x0_hat
