"""You scale each coordinate by its own variance: that is right only in the basis of eigenvectors, where coordinates
do not vary together."""


def flow(x, mean, covariance, now, then):
    variances = np.diag(covariance)
    before, after = (level[0] ** 2 * variances + level[1] ** 2 for level in (now, then))
    return then[0] * mean + (x - now[0] * mean) * np.sqrt(after / before)
