"""The noise that you keep is that of the class alone: take it from x with the guided answer."""


def guided_step(class_denoiser, all_denoiser, x, now, then, weight, low, high):
    own = class_denoiser(x, now[0], now[1])
    x0_hat = own
    if low * now[0] <= now[1] <= high * now[0]:
        x0_hat = own + (weight - 1) * (own - all_denoiser(x, now[0], now[1]))
    return then[0] * x0_hat + then[1] * (x - now[0] * own) / now[1]
