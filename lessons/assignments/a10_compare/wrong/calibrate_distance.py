"""You look for the smallest distance: a formula whose noise is right but too weak would lose, and the cosine does not
see strength."""


def calibrate(wanted, answers, windows):
    error = ((wanted[:, None] - answers) ** 2).sum(axis=-1).mean(axis=2)
    return [windows[j] for j in error.argmin(axis=1)]
