"""You divide by the sigma of the next level to find the noise: x is still at the level now."""


def ddim(x, x0_hat, now, then):
    noise_hat = (x - then[0] * x0_hat) / then[1] if then[1] else 0 * x
    return then[0] * x0_hat + then[1] * noise_hat
