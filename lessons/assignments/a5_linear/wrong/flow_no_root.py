"""You multiply by the ratio of the variances: distances go with the root of it."""


def flow(x, mean, covariance, now, then):
    variances, basis = np.linalg.eigh(covariance)
    variances = np.maximum(variances, 0)
    before, after = (level[0] ** 2 * variances + level[1] ** 2 for level in (now, then))
    return then[0] * mean + (((x - now[0] * mean) @ basis) * (after / before)) @ basis.T
