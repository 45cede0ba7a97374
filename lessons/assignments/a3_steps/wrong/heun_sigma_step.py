"""The step is the change of sigma: in the variable y = x / alpha it is the change of sigma / alpha."""


def heun(denoise, x, now, then):
    x0_hat = denoise(x, *now)
    ahead = ddim(x, x0_hat, now, then)
    if then[1] == 0:
        return ahead
    slopes = (x - now[0] * x0_hat) / now[1] + (ahead - then[0] * denoise(ahead, *then)) / then[1]
    return then[0] * (x / now[0] + (then[1] - now[1]) * slopes / 2)
