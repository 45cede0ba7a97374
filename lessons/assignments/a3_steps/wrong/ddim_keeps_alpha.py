"""You mix with the old alpha: picture and noise both take the proportions of the next level."""


def ddim(x, x0_hat, now, then):
    noise_hat = (x - now[0] * x0_hat) / now[1]
    return now[0] * x0_hat + then[1] * noise_hat
