"""The score is multiplied by sigma where sigma squared belongs: solve the equation of task 2 again."""


def x0_from_score(x, score, alpha, sigma):
    return (x + sigma * score) / alpha
