"""You return sigma times the noise: the noise itself has variance 1, so divide by sigma."""


def noise_from_x0(x, x0_hat, alpha, sigma):
    return x - alpha * x0_hat
