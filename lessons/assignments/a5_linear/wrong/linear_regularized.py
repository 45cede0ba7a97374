"""You add something to the diagonal: sigma^2 is there already, and for data that vary little what you add is more than
all of it."""


def linear(x, mean, covariance, alpha, sigma):
    noisy = alpha**2 * covariance + (sigma**2 + 1e-6) * np.eye(len(mean), dtype=x.dtype)
    return mean + (x - alpha * mean) @ (alpha * np.linalg.solve(noisy, covariance))
