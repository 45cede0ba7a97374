"""You compare sigma with the interval: its ends are noise levels sigma / alpha."""


def guided_step(class_denoiser, all_denoiser, x, now, then, weight, low, high):
    x0_hat = class_denoiser(x, now[0], now[1])
    if low <= now[1] <= high:
        x0_hat = guide(x0_hat, all_denoiser(x, now[0], now[1]), weight)
    return then[0] * x0_hat + then[1] * (x - now[0] * x0_hat) / now[1]
