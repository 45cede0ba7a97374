"""Right solutions of assignment 9 that look unlike the master's."""


def weights__log_sum_exp(q, k):
    logits = (q / math.sqrt(q.shape[-1])) @ k.T
    return np.exp(logits - np.logaddexp.reduce(logits, axis=1)[:, None])


def weights__query_by_query(q, k):
    out = np.empty((len(q), len(k)), q.dtype)
    for row, one in zip(out, q):
        logits = k.dot(one) * q.shape[1] ** -0.5
        row[:] = np.exp(logits - logits.max())
        row /= row.sum()
    return out


def weights__wide_inside(q, k):
    logits = np.einsum("td,sd->ts", q, k, dtype="float64") / np.sqrt(q.shape[1])
    p = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return np.divide(p, np.sum(p, axis=-1, keepdims=True)).astype(q.dtype)


def softmax_backward__two_terms(dp, p):
    both = p * dp
    return both - p * both.sum(axis=1)[:, None]


def softmax_backward__jacobian(dp, p):
    return np.stack([(np.diag(row) - np.outer(row, row)) @ drow for row, drow in zip(p, dp)])


def softmax_backward__einsum(dp, p):
    return np.einsum("...i,...i->...i", p, dp - np.einsum("...i,...i->...", p, dp)[..., np.newaxis])


def softmax_backward__in_place_on_a_copy(dp, p):
    out = dp.copy()
    out -= np.vecdot(p, dp)[:, None] if hasattr(np, "vecdot") else (p * dp).sum(1, keepdims=True)
    out *= p
    return out


def attention_backward__einsum(dout, q, k, v):
    p = weights(q, k)
    dp = np.einsum("te,se->ts", dout, v)
    dl = p * (dp - np.einsum("ts,ts->t", dp, p)[:, None]) * q.shape[1] ** -0.5
    return [np.einsum("ts,sd->td", dl, k), np.einsum("ts,td->sd", dl, q), np.einsum("ts,te->se", p, dout)]


def attention_backward__with_the_output(dout, q, k, v):
    scale = 1 / math.sqrt(k.shape[-1])
    p = weights(q, k)
    dlogits = p * (dout @ v.T - (dout * (p @ v)).sum(axis=1, keepdims=True))
    return scale * dlogits @ k, scale * dlogits.T @ q, p.T @ dout


def attention_backward__query_by_query(dout, q, k, v):
    dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
    for t, row in enumerate(weights(q, k)):
        dv += np.outer(row, dout[t])
        dl = softmax_backward((v @ dout[t])[None], row[None])[0] / q.shape[1] ** 0.5
        dq[t] = dl @ k
        dk += dl[:, None] * q[t]
    return dq, dk, dv
