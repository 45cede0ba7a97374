"""You keep sigma above a floor before you divide by it: where there is less noise than that, the noise comes out too
small."""


def ddim(x, x0_hat, now, then):
    noise_hat = (x - now[0] * x0_hat) / max(now[1], 0.01)
    return then[0] * x0_hat + then[1] * noise_hat
