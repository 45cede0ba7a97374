"""You leave out the ends of the interval: a noise level that equals one of them is guided too."""


def guided_step(class_denoiser, all_denoiser, x, now, then, weight, low, high):
    x0_hat = class_denoiser(x, now[0], now[1])
    if low * now[0] < now[1] < high * now[0]:
        x0_hat = guide(x0_hat, all_denoiser(x, now[0], now[1]), weight)
    return then[0] * x0_hat + then[1] * (x - now[0] * x0_hat) / now[1]
