"""At the far end you still ask about the level now: x has moved, and so must the level."""


def heun(denoise, x, now, then):
    x0_hat = denoise(x, *now)
    ahead = ddim(x, x0_hat, now, then)
    if then[1] == 0:
        return ahead
    slopes = (x - now[0] * x0_hat) / now[1] + (ahead - now[0] * denoise(ahead, *now)) / now[1]
    return then[0] * (x / now[0] + (then[1] / then[0] - now[1] / now[0]) * slopes / 2)
