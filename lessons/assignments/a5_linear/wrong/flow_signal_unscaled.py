"""The variance along an eigenvector is alpha^2 lambda + sigma^2: the alpha^2 is missing."""


def flow(x, mean, covariance, now, then):
    variances, basis = np.linalg.eigh(covariance)
    variances = np.maximum(variances, 0)
    before, after = (variances + level[1] ** 2 for level in (now, then))
    return then[0] * mean + (((x - now[0] * mean) @ basis) * np.sqrt(after / before)) @ basis.T
