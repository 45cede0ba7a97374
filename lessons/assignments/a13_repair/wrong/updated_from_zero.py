"""You compare y with 0: it is the difference to what the answer of the denoiser would have measured that counts."""


def updated(x0_hat, covariance, matrix, y, tau):
    total = matrix @ covariance @ matrix.T + tau**2 * np.eye(len(matrix), dtype=x0_hat.dtype)
    return x0_hat + np.linalg.solve(total, y.T).T @ matrix @ covariance
