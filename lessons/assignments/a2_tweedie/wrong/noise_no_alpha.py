"""You take the whole picture out of x, but only alpha times the picture is in it."""


def noise_from_x0(x, x0_hat, alpha, sigma):
    return (x - x0_hat) / sigma
