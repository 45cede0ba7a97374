"""Right solutions of assignment 13 that look unlike the master's."""


def posterior__picture_by_picture(images, known, y, noise):
    logits = np.array([-sum((y[k] - one[place]) ** 2 for k, place in enumerate(known)) for one in images.astype(float)])
    logits = logits / (2 * noise**2)
    weights = np.exp(logits - max(logits))
    return (weights / sum(weights)).astype(images.dtype)


def posterior__from_the_nearest(images, known, y, noise):
    squares = (((images[:, known] - y) / noise) ** 2).sum(1)
    weights = np.exp(-(squares - squares.min()) / 2)
    return weights / weights.sum()


def posterior__log_sum(images, known, y, noise):
    away = (y - images[:, known]) / noise
    logits = -np.einsum("nm,nm->n", away, away) / 2
    return np.exp(logits - np.logaddexp.reduce(logits))


def replaced__copy(x, y, keep, alpha, sigma, noise):
    out = x.copy()
    out[:, keep] = alpha * y[:, keep] + sigma * noise[:, keep]
    return out


def replaced__sum(x, y, keep, alpha, sigma, noise):
    there = keep.astype(x.dtype)
    return (there * (alpha * y + sigma * noise) + (1 - there) * x).astype(x.dtype)


def replaced__column_by_column(x, y, keep, alpha, sigma, noise):
    columns = [alpha * y[:, k] + sigma * noise[:, k] if keep[k] else x[:, k] for k in range(x.shape[1])]
    return np.stack(columns, axis=1)


def updated__inverse(x0_hat, covariance, matrix, y, tau):
    total = matrix @ covariance @ matrix.T + tau**2 * np.eye(len(matrix))
    gain = covariance @ matrix.T @ np.linalg.inv(total)
    return (x0_hat + (y - x0_hat @ matrix.T) @ gain.T).astype(x0_hat.dtype)


def updated__item_by_item(x0_hat, covariance, matrix, y, tau):
    out = []
    for one, value in zip(x0_hat.astype(float), y):
        total = matrix @ covariance @ matrix.T + tau**2 * np.eye(len(matrix))
        out.append(one + covariance @ matrix.T @ np.linalg.solve(total, value - matrix @ one))
    return np.array(out).astype(x0_hat.dtype)


def updated__gain_by_solving(x0_hat, covariance, matrix, y, tau):
    pull = matrix @ covariance
    total = pull @ matrix.T
    total = total + tau**2 * np.identity(len(total), total.dtype)
    return x0_hat + (y - x0_hat @ matrix.T) @ np.linalg.solve(total, pull)
