"""Right solutions of assignment 5 that look unlike the master's."""


def moments__of_cov(data):
    d = data.shape[1]
    return data.mean(0), np.cov(data.T, bias=True).reshape(d, d).astype(data.dtype)


def moments__outer_products(data):
    mean = np.add.reduce(data) / len(data)
    return mean, np.mean([np.outer(x - mean, x - mean) for x in data], axis=0)


def moments__einsum(data):
    n = data.shape[0]
    mean = np.einsum("nd->d", data) / n
    return [mean, np.einsum("ni,nj->ij", data - mean, data - mean) / n]


def moments__of_squares(data):
    wide = data.astype("float64")
    mean = wide.mean(axis=0)
    covariance = wide.T @ wide / len(data) - np.outer(mean, mean)
    return mean.astype(data.dtype), covariance.astype(data.dtype)


def linear__inverse(x, mean, covariance, alpha, sigma):
    inverse = np.linalg.inv(alpha**2 * covariance + sigma**2 * np.identity(len(mean)))
    return (mean + alpha * ((x - alpha * mean) @ inverse @ covariance)).astype(x.dtype)


def linear__eigenvectors(x, mean, covariance, alpha, sigma):
    variances, basis = np.linalg.eigh(covariance)
    gains = alpha * variances / (alpha**2 * variances + sigma**2)
    return mean + (x - alpha * mean) @ (basis * gains) @ basis.T


def linear__point_by_point(x, mean, covariance, alpha, sigma):
    noisy = alpha**2 * covariance
    noisy[np.diag_indices(len(mean))] += sigma**2
    out = np.empty_like(x)
    for i, point in enumerate(x):
        out[i] = mean + alpha * covariance @ np.linalg.lstsq(noisy, point - alpha * mean, rcond=None)[0]
    return out


def linear__cholesky(x, mean, covariance, alpha, sigma):
    kind, wide = x.dtype, covariance.astype("float64")
    root = np.linalg.cholesky(alpha**2 * wide + sigma**2 * np.eye(len(mean)))
    half = np.linalg.solve(root, (x - alpha * mean).T.astype("float64"))
    return (mean + (alpha * wide @ np.linalg.solve(root.T, half)).T).astype(kind)


def linear__pseudo_inverse_guarded(x, mean, covariance, alpha, sigma):
    noisy = alpha * alpha * covariance + (sigma**2 + 1e-12) * np.eye(mean.size, dtype=x.dtype)
    return mean + (x - alpha * mean) @ np.linalg.pinv(noisy) @ (alpha * covariance)


def flow__roots_of_matrices(x, mean, covariance, now, then):
    values, basis = np.linalg.eigh(covariance)
    before, after = (basis * np.sqrt(np.abs(a**2 * values + s**2)) @ basis.T for a, s in (now, then))
    return then[0] * mean + (after @ np.linalg.inv(before) @ (x - now[0] * mean).T).T


def flow__singular_values(x, mean, covariance, now, then):
    u, s, _ = np.linalg.svd(covariance)
    factor = np.sqrt((then[0] ** 2 * s + then[1] ** 2) / (now[0] ** 2 * s + now[1] ** 2))
    return then[0] * mean + np.einsum("bi,ij,j,kj->bk", x - now[0] * mean, u, factor, u)


def flow__axis_by_axis(x, mean, covariance, now, then):
    values, basis = np.linalg.eigh(covariance)
    out = np.tile(then[0] * mean, (len(x), 1))
    for value, axis in zip(np.clip(values, 0, None).tolist(), basis.T):
        share = math.sqrt(then[0] ** 2 * value + then[1] ** 2) / math.sqrt(now[0] ** 2 * value + now[1] ** 2)
        out += share * np.outer((x - now[0] * mean) @ axis, axis)
    return out


def flow__standardized(x, mean, covariance, now, then):
    values, basis = np.linalg.eigh(covariance.astype("float64"))
    values[values < 0] = 0
    quantiles = (x - now[0] * mean) @ basis / np.hypot(now[0] * np.sqrt(values), now[1])
    return (then[0] * mean + quantiles * np.hypot(then[0] * np.sqrt(values), then[1]) @ basis.T).astype(x.dtype)
