"""The 2 of the exponent is still there: the slope of a square brings a factor 2 that cancels it."""


def score_from_x0(x, x0_hat, alpha, sigma):
    return (alpha * x0_hat - x) / (2 * sigma**2)
