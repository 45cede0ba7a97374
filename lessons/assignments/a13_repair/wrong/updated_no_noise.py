"""The noise of the measurement is missing: add tau squared to the diagonal of what you solve with."""


def updated(x0_hat, covariance, matrix, y, tau):
    total = matrix @ covariance @ matrix.T
    return x0_hat + np.linalg.solve(total, (y - x0_hat @ matrix.T).T).T @ matrix @ covariance
