"""The covariance of x is alpha^2 S + sigma^2: the alpha^2 is missing."""


def linear(x, mean, covariance, alpha, sigma):
    noisy = covariance + sigma**2 * np.eye(len(mean))
    return mean + (x - alpha * mean) @ (alpha * np.linalg.solve(noisy, covariance))
