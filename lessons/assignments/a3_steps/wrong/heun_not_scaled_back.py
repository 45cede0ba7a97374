"""You return y = x / alpha: multiply by the next alpha to come back to x."""


def heun(denoise, x, now, then):
    x0_hat = denoise(x, *now)
    ahead = ddim(x, x0_hat, now, then)
    if then[1] == 0:
        return ahead
    slopes = (x - now[0] * x0_hat) / now[1] + (ahead - then[0] * denoise(ahead, *then)) / then[1]
    return x / now[0] + (then[1] / then[0] - now[1] / now[0]) * slopes / 2
