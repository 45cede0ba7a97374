"""From a step back to a step forward are two steps: divide by both."""


def divergence(denoise, x, alpha, sigma, signs, step):
    change = denoise(x + step * signs, alpha, sigma) - denoise(x - step * signs, alpha, sigma)
    return (signs * change).sum(axis=1) / step
