"""You multiply by alpha, but the equation alpha * x0 = x + sigma^2 * score is solved by dividing."""


def x0_from_score(x, score, alpha, sigma):
    return alpha * (x + sigma**2 * score)
