"""x0_hat comes in at full size: multiply it by the next alpha."""


def ddim(x, x0_hat, now, then):
    noise_hat = (x - now[0] * x0_hat) / now[1]
    return x0_hat + then[1] * noise_hat
