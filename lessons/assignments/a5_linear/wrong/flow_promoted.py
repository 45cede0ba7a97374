"""float32 comes back as float64: leave the dtype of x, mean and covariance as it is."""


def flow(x, mean, covariance, now, then):
    variances, basis = np.linalg.eigh(np.asarray(covariance, dtype=float))
    variances = np.maximum(variances, 0)
    before, after = (level[0] ** 2 * variances + level[1] ** 2 for level in (now, then))
    return then[0] * mean + ((x - now[0] * mean) @ basis * np.sqrt(after / before)) @ basis.T
