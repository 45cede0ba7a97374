"""You walk against the score: it points to the clean picture, so it is added."""


def x0_from_score(x, score, alpha, sigma):
    return (x - sigma**2 * score) / alpha
