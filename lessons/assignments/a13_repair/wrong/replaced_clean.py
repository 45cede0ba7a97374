"""You put y in as it is: at this level it has to be as noisy as x, alpha times y and sigma times the noise."""


def replaced(x, y, keep, alpha, sigma, noise):
    return np.where(keep, y, x)
