"""The sign is turned: x holds plus sigma times the noise, so it is x minus the picture."""


def noise_from_x0(x, x0_hat, alpha, sigma):
    return (alpha * x0_hat - x) / sigma
