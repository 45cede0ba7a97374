"""You divide by sigma squared: that is minus the score; the noise is multiplied by sigma, so divide by sigma once."""


def noise_from_x0(x, x0_hat, alpha, sigma):
    return (x - alpha * x0_hat) / sigma**2
