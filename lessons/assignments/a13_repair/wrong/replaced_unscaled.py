"""You add noise to y at full size: y comes in alpha times."""


def replaced(x, y, keep, alpha, sigma, noise):
    return np.where(keep, y + sigma * noise, x).astype(x.dtype)
