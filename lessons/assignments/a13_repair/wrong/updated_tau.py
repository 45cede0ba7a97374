"""You add tau to the diagonal: it is a standard deviation, and its square is what adds to a covariance."""


def updated(x0_hat, covariance, matrix, y, tau):
    total = matrix @ covariance @ matrix.T + tau * np.eye(len(matrix), dtype=x0_hat.dtype)
    return x0_hat + np.linalg.solve(total, (y - x0_hat @ matrix.T).T).T @ matrix @ covariance
