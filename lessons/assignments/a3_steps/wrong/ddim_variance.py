"""You scale the noise by the next sigma squared: sigma is a standard deviation."""


def ddim(x, x0_hat, now, then):
    noise_hat = (x - now[0] * x0_hat) / now[1]
    return then[0] * x0_hat + then[1] ** 2 * noise_hat
