"""Right solutions of assignment 4 that look unlike the master's."""


def softmax__log_sum_exp(logits):
    return np.exp(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True))


def softmax__log_sum_exp_by_hand(logits):
    top = np.max(logits, axis=-1)[..., None]
    return np.exp(logits - (top + np.log(np.sum(np.exp(logits - top), axis=-1)[..., None])))


def softmax__row_by_row(logits):
    out = np.empty_like(logits)
    for i in np.ndindex(logits.shape[:-1]):
        e = [math.exp(v - max(logits[i])) for v in logits[i]]
        out[i] = [v / sum(e) for v in e]
    return out


def softmax__transposed(logits):
    turned = logits.swapaxes(0, -1)
    e = np.exp(turned - turned.max(axis=0))
    return (e / e.sum(axis=0)).swapaxes(0, -1)


def ideal__einsum(x, data, alpha, sigma):
    d = (np.expand_dims(x, 1) - alpha * data[np.newaxis]) / sigma
    return np.einsum("bn,nd->bd", softmax(-np.einsum("bnd,bnd->bn", d, d) / 2), data)


def ideal__norms(x, data, alpha, sigma):
    lengths = np.linalg.norm(x[:, None, :] - alpha * data[None, :, :], axis=2)
    return np.array([np.average(data, axis=0, weights=w) for w in softmax(-0.5 * (lengths / sigma) ** 2)], x.dtype)


def ideal__streamed(x, data, alpha, sigma):
    piece = (np.full(len(x), -np.inf, x.dtype), np.zeros_like(x), np.zeros(len(x), x.dtype))
    for one in data:
        top = -((x - alpha * one) ** 2).sum(axis=1) / (2 * sigma**2)
        piece = merge(piece, (top, np.tile(one, (len(x), 1)), np.ones_like(top)))
    return piece[1] / piece[2][:, None]


def ideal__expanded_in_double(x, data, alpha, sigma):
    wide, y = x.astype("float64"), alpha * data.astype("float64")
    squares = (wide**2).sum(1)[:, None] - 2 * wide @ y.T + (y**2).sum(1)
    return (softmax(-squares / (2 * sigma**2)) @ data).astype(x.dtype)


def ideal__guarded(x, data, alpha, sigma):
    rows = []
    for point in x:
        logits = -np.sum((point - alpha * data) ** 2, axis=1) / (2 * sigma**2 + 1e-12)
        w = np.exp(logits - logits.max())
        rows.append((w[:, None] * data).sum(axis=0) / w.sum())
    return np.stack(rows)


def merge__stacked(a, b):
    tops, nums, dens = (np.stack(parts) for parts in zip(a, b))
    scales = np.exp(tops - tops.max(axis=0))
    return [tops.max(axis=0), np.einsum("pb,pbd->bd", scales, nums), (scales * dens).sum(axis=0)]


def merge__where(a, b):
    first = a[0] >= b[0]
    small = np.exp(-np.abs(a[0] - b[0]))
    x, y = np.where(first, 1, small).astype(a[0].dtype), np.where(first, small, 1).astype(a[0].dtype)
    return np.where(first, a[0], b[0]), (x * a[1].T + y * b[1].T).T, x * a[2] + y * b[2]


def merge__row_by_row(a, b):
    out = tuple(np.array(part) for part in a)
    for i in range(len(a[0])):
        top = max(a[0][i], b[0][i])
        x, y = math.exp(a[0][i] - top), math.exp(b[0][i] - top)
        out[0][i], out[2][i] = top, x * a[2][i] + y * b[2][i]
        out[1][i] = x * a[1][i] + y * b[1][i]
    return out
