"""You take the identity for the covariance where you solve: use C there too."""


def updated(x0_hat, covariance, matrix, y, tau):
    total = matrix @ matrix.T + tau**2 * np.eye(len(matrix), dtype=x0_hat.dtype)
    return x0_hat + np.linalg.solve(total, (y - x0_hat @ matrix.T).T).T @ matrix @ covariance
