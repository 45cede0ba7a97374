"""The identity that you add is float64, and so is your answer: give it the dtype of x0_hat."""


def updated(x0_hat, covariance, matrix, y, tau):
    total = matrix @ covariance @ matrix.T + tau**2 * np.eye(len(matrix))
    return x0_hat + np.linalg.solve(total, (y - x0_hat @ matrix.T).T).T @ matrix @ covariance
