"""Outside of the interval you take the answer of all: there it is the class that answers alone, as with weight 1."""


def guided_step(class_denoiser, all_denoiser, x, now, then, weight, low, high):
    x0_hat = all_denoiser(x, now[0], now[1])
    if low * now[0] <= now[1] <= high * now[0]:
        x0_hat = guide(class_denoiser(x, now[0], now[1]), x0_hat, weight)
    return then[0] * x0_hat + then[1] * (x - now[0] * x0_hat) / now[1]
