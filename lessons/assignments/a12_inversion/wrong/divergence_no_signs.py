"""You add up the slope without the signs: it is e times J e, so that what is off the diagonal cancels in the mean."""


def divergence(denoise, x, alpha, sigma, signs, step):
    change = denoise(x + step * signs, alpha, sigma) - denoise(x - step * signs, alpha, sigma)
    return change.sum(axis=1) / (2 * step)
