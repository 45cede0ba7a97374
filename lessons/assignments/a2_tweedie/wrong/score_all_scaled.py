"""Both terms are multiplied by alpha: only the picture is."""


def score_from_x0(x, x0_hat, alpha, sigma):
    return alpha * (x0_hat - x) / sigma**2
