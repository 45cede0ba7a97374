"""What you return is alpha times the clean picture: divide by alpha."""


def x0_from_score(x, score, alpha, sigma):
    return x + sigma**2 * score
