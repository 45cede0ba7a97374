"""The noisy density is centered on alpha times the picture: alpha is missing."""


def score_from_x0(x, x0_hat, alpha, sigma):
    return (x0_hat - x) / sigma**2
