"""Right solutions of assignment 10 that look unlike the master's."""


def pearson_r__of_corrcoef(a, b):
    return np.array([np.corrcoef(x.ravel(), y.ravel())[0, 1] for x, y in zip(a, b)], dtype=a.dtype)


def pearson_r__standardized(a, b):
    axes = tuple(range(1, a.ndim))
    a, b = ((x - x.mean(axes, keepdims=True)) / x.std(axes, keepdims=True) for x in (a, b))
    return (a * b).mean(axes)


def pearson_r__of_unit_vectors(a, b):
    out = np.zeros(len(a), a.dtype)
    for i in range(len(a)):
        x, y = a[i].flatten() - a[i].mean(), b[i].flatten() - b[i].mean()
        out[i] = np.vdot(x / np.linalg.norm(x), y / np.linalg.norm(y))
    return out


def pearson_r__guarded(a, b):
    kind = a.dtype
    a, b = (np.reshape(x, (x.shape[0], -1)).astype("float64") for x in (a, b))
    a, b = (x - x.mean(1)[:, None] for x in (a, b))
    below = np.einsum("bi,bi->b", a, a) ** 0.5 * np.einsum("bi,bi->b", b, b) ** 0.5
    return (np.einsum("bi,bi->b", a, b) / (below + 1e-12)).astype(kind)


def r2_score__of_variances(truth, prediction):
    axes = tuple(range(1, truth.ndim))
    return 1 - np.mean((truth - prediction) ** 2, axis=axes) / np.var(truth, axis=axes)


def r2_score__picture_by_picture(truth, prediction):
    scores = []
    for t, p in zip(truth, prediction):
        scores.append(1 - np.sum((p - t) ** 2) / np.sum((t - np.mean(t)) ** 2))
    return np.array(scores, truth.dtype)


def r2_score__one_fraction(truth, prediction):
    t, p = (x.reshape(len(x), -1).astype("float64") for x in (truth, prediction))
    spread = np.square(t - t.mean(-1, keepdims=True)).sum(-1)
    return ((spread - np.square(t - p).sum(-1)) / spread).astype(truth.dtype)


def calibrate__loops(wanted, answers, windows):
    best = []
    for i in range(len(wanted)):
        top, kept = -2, None
        for j, window in enumerate(windows):
            cosines = [a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) for a, b in zip(wanted[i], answers[i, j])]
            if np.mean(cosines) > top:
                top, kept = np.mean(cosines), window
        best.append(kept)
    return best


def calibrate__unit_vectors_and_an_array(wanted, answers, windows):
    unit = lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True)
    return np.array(windows)[np.mean(np.sum(unit(wanted)[:, None] * unit(answers), -1), -1).argmax(-1)]


def calibrate__einsum_and_max(wanted, answers, windows):
    dots = np.einsum("sbd,skbd->skb", wanted, answers)
    lengths = np.linalg.norm(wanted, axis=2)[:, None] * np.linalg.norm(answers, axis=3)
    likeness = (dots / (lengths + 1e-12)).sum(axis=2)
    return tuple(windows[max(range(len(windows)), key=lambda j: row[j])] for row in likeness)
