"""float32 comes back as float64: np.eye is float64 unless you ask for the dtype of x, and lifts all that it is added
to."""


def linear(x, mean, covariance, alpha, sigma):
    noisy = alpha**2 * covariance + sigma**2 * np.eye(len(mean))
    return mean + (x - alpha * mean) @ (alpha * np.linalg.solve(noisy, covariance))
