"""The dense layer, and one whose matrix is another at each noise level."""

from edudiff.support.arrays import array_namespace


def dense(x, w, b):
    """x @ w + b. `x`: (..., C). `w`: (C, D). `b`: (D,). Returns out (..., D) and the cache."""
    return x @ w + b, (x, w)


def dense_backward(dout, cache):
    """Gradients of `dense`: returns dx = dout @ w^T (..., C), dw = x^T @ dout (C, D), db = sum of dout (D,)."""
    x, w = cache
    rows = dout.reshape(-1, w.shape[1])  # (N, D)
    return dout @ w.T, x.reshape(-1, w.shape[0]).T @ rows, rows.sum(axis=0)


def dense_at_level(x, w, b, share):
    """out = sum over noise levels k of share[k] * (x @ w[k] + b[k]), as one matrix product.

    `x`: (B, C). `w`: (K, C, D). `b`: (K, D). `share`: (B, K), how much each level has in each item; see
    `edudiff.nn.noise_level.shares`. Returns out (B, D) and the cache.
    """
    levels, channels, features = w.shape
    wide = (share[:, :, None] * x[:, None, :]).reshape(len(x), levels * channels)  # (B, K * C)
    return wide @ w.reshape(levels * channels, features) + share @ b, (wide, w, share)  # (B, D)


def dense_at_level_backward(dout, cache):
    """Gradients of `dense_at_level`: returns dx (B, C), dw (K, C, D), db (K, D). The shares are given, not learned.

    1. db[k] = sum over items of share[k] dout
    2. dw[k] = sum over items of (share[k] x)^T dout
    3. dx = sum over levels of share[k] dout @ w[k]^T
    """
    wide, w, share = cache
    xp = array_namespace(dout)
    db = share.T @ dout  # 1. (K, D)
    dw = (wide.T @ dout).reshape(w.shape)  # 2. (K, C, D)
    dwide = (dout @ w.reshape(-1, w.shape[2]).T).reshape(len(dout), *w.shape[:2])  # (B, K, C)
    return xp.einsum("bk,bkc->bc", share, dwide), dw, db  # 3. (B, C)
