"""You replace what is not known: keep is true where y counts."""


def replaced(x, y, keep, alpha, sigma, noise):
    return np.where(keep, x, alpha * y + sigma * noise).astype(x.dtype)
