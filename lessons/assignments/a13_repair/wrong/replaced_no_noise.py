"""The known values have no noise: x at this level has."""


def replaced(x, y, keep, alpha, sigma, noise):
    return np.where(keep, alpha * y, x).astype(x.dtype)
