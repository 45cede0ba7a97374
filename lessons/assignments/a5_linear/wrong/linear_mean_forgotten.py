"""You return the deviation from the mean: add the mean again."""


def linear(x, mean, covariance, alpha, sigma):
    noisy = alpha**2 * covariance + sigma**2 * np.eye(len(mean))
    return (x - alpha * mean) @ (alpha * np.linalg.solve(noisy, covariance))
