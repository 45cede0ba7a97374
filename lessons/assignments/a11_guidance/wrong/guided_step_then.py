"""You look at the level then to see whether to guide: x is still at the level now."""


def guided_step(class_denoiser, all_denoiser, x, now, then, weight, low, high):
    x0_hat = class_denoiser(x, now[0], now[1])
    if low * then[0] <= then[1] <= high * then[0]:
        x0_hat = guide(x0_hat, all_denoiser(x, now[0], now[1]), weight)
    return then[0] * x0_hat + then[1] * (x - now[0] * x0_hat) / now[1]
