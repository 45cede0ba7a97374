"""You divide by sigma, which gives minus the noise; the score divides by sigma squared."""


def score_from_x0(x, x0_hat, alpha, sigma):
    return (alpha * x0_hat - x) / sigma
