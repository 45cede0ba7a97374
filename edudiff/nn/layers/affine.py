"""What a matrix does: the dense layer, one whose matrix is another at each noise level, and a vector for each class."""

from typing import Any

from edudiff.support.arrays import array_namespace
from edudiff.support.types import Array


def dense(x: Array, w: Array, b: Array) -> tuple[Array, Any]:
    """x @ w + b. `x`: (..., C). `w`: (C, D). `b`: (D,). Returns out (..., D) and the cache."""
    return x @ w + b, (x, w)


def dense_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Gradients of `dense`: returns dx = dout @ w^T (..., C), dw = x^T @ dout (C, D), db = sum of dout (D,)."""
    x, w = cache
    rows = dout.reshape(-1, w.shape[1])  # (N, D)
    return dout @ w.T, x.reshape(-1, w.shape[0]).T @ rows, rows.sum(axis=0)


def dense_at_level(x: Array, w: Array, b: Array, share: Array) -> tuple[Array, Any]:
    """out = sum over noise levels k of share[k] * (x @ w[k] + b[k]), as one matrix product.

    `x`: (B, C). `w`: (K, C, D). `b`: (K, D). `share`: (B, K), how much each level has in each item; see
    `edudiff.nn.noise_level.shares`. Returns out (B, D) and the cache.
    """
    levels, channels, features = w.shape
    wide = (share[:, :, None] * x[:, None, :]).reshape(len(x), levels * channels)  # (B, K * C)
    return wide @ w.reshape(levels * channels, features) + share @ b, (wide, w, share)  # (B, D)


def dense_at_level_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
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


def embed(labels: Array, table: Array) -> tuple[Array, Any]:
    """The row of `table` (K, D) that each label (B,) names: out (B, D), and the cache.

    As the product with a matrix of zeros and a one in each row: its gradient is then one product as well.
    """
    xp = array_namespace(labels, table)
    chosen = (labels[:, None] == xp.arange(len(table))).astype(table.dtype)  # (B, K)
    return chosen @ table, chosen


def embed_backward(dout: Array, chosen: Array) -> Array:
    """The gradient of `embed` in the table (K, D): each row gets the sum of dout over the items that name it."""
    return chosen.T @ dout
