"""You take the clean mean off x: noisy pictures have the mean alpha times mu."""


def linear(x, mean, covariance, alpha, sigma):
    noisy = alpha**2 * covariance + sigma**2 * np.eye(len(mean))
    return mean + (x - mean) @ (alpha * np.linalg.solve(noisy, covariance))
