"""The noise has the variance sigma squared: you add sigma."""


def linear(x, mean, covariance, alpha, sigma):
    noisy = alpha**2 * covariance + sigma * np.eye(len(mean))
    return mean + (x - alpha * mean) @ (alpha * np.linalg.solve(noisy, covariance))
