"""Only x is divided by alpha: the whole right side is alpha times the picture."""


def x0_from_score(x, score, alpha, sigma):
    return x / alpha + sigma**2 * score
