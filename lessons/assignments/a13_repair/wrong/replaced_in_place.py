"""You write into x: make a copy first."""


def replaced(x, y, keep, alpha, sigma, noise):
    x[:, keep] = alpha * y[:, keep] + sigma * noise[:, keep]
    return x
