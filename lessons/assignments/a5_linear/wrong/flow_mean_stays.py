"""The mean moves too: at each level it is alpha times mu, and you use mu at both ends."""


def flow(x, mean, covariance, now, then):
    variances, basis = np.linalg.eigh(covariance)
    variances = np.maximum(variances, 0)
    before, after = (level[0] ** 2 * variances + level[1] ** 2 for level in (now, then))
    return mean + (((x - mean) @ basis) * np.sqrt(after / before)) @ basis.T
