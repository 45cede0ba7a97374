"""Your ratio is upside down: the spread of the level that the walk leads to is above the line."""


def flow(x, mean, covariance, now, then):
    variances, basis = np.linalg.eigh(covariance)
    variances = np.maximum(variances, 0)
    before, after = (level[0] ** 2 * variances + level[1] ** 2 for level in (now, then))
    return then[0] * mean + (((x - now[0] * mean) @ basis) * np.sqrt(before / after)) @ basis.T
