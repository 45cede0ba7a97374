"""Your arrow points away from the data: the score leads from x towards alpha times the picture."""


def score_from_x0(x, x0_hat, alpha, sigma):
    return (x - alpha * x0_hat) / sigma**2
