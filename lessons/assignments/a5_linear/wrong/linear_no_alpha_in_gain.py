"""The gain lacks its alpha: x0 and x have the covariance alpha S."""


def linear(x, mean, covariance, alpha, sigma):
    noisy = alpha**2 * covariance + sigma**2 * np.eye(len(mean))
    return mean + (x - alpha * mean) @ np.linalg.solve(noisy, covariance)
