"""Dropout: a random part of the values is left out of each training step."""

import numpy as np

from edudiff.support.arrays import array_namespace, move


def dropout(x, rate, rng):
    """Each value of `x` (B, ..., C) becomes 0 with probability `rate`, and the others grow by 1 / (1 - rate).

    `rng`: one random generator for each item (`edudiff.support.random.streams`), so that an item's mask does not
    depend on its batch; or None to leave all values in, as when a picture is drawn. Source: Srivastava et al. 2014.
    """
    if rng is None or rate == 0:
        return x, None
    xp = array_namespace(x)
    kept = np.stack([stream.random(x.shape[1:]) >= rate for stream in rng])  # (B, ..., C)
    mask = xp.asarray(move(kept, x), dtype=x.dtype) / (1 - rate)  # (B, ..., C)
    return x * mask, mask


def dropout_backward(dout, mask):
    """dout where the value was kept, grown alike."""
    return dout if mask is None else dout * mask
