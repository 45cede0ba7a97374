"""You take the mean over the values: a divergence is their sum."""


def divergence(denoise, x, alpha, sigma, signs, step):
    change = denoise(x + step * signs, alpha, sigma) - denoise(x - step * signs, alpha, sigma)
    return (signs * change).mean(axis=1) / (2 * step)
