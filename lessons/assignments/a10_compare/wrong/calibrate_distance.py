"""You look for the smallest distance: a formula whose noise is right but too weak would lose, and the cosine does not
see strength."""


def calibrate(wanted, answers, sizes):
    error = ((wanted[:, None] - answers) ** 2).sum(axis=-1).mean(axis=2)
    return [sizes[j] for j in error.argmin(axis=1)]
