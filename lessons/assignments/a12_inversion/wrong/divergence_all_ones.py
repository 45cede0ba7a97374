"""You step along all values alike and ignore the signs that you were given."""


def divergence(denoise, x, alpha, sigma, signs, step):
    change = denoise(x + step, alpha, sigma) - denoise(x - step, alpha, sigma)
    return change.sum(axis=1) / (2 * step)
