"""At the last level sigma is 0 and your second slope divides by it: return the DDIM step there."""


def heun(denoise, x, now, then):
    x0_hat = denoise(x, *now)
    ahead = ddim(x, x0_hat, now, then)
    slopes = (x - now[0] * x0_hat) / now[1] + (ahead - then[0] * denoise(ahead, *then)) / then[1]
    return then[0] * (x / now[0] + (then[1] / then[0] - now[1] / now[0]) * slopes / 2)
