"""What is done to each value by itself: ReLU, SiLU, GELU, which bend a straight line, and dropout."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from edudiff.support.arrays import array_namespace, move
from edudiff.support.types import Array

INNER = math.sqrt(2 / math.pi)
CUBIC = 0.044715


def relu(x: Array) -> tuple[Array, Any]:
    """max(x, 0)."""
    xp = array_namespace(x)
    return xp.maximum(x, 0), x


def relu_backward(dout: Array, x: Array) -> Array:
    """dout where x > 0, else 0."""
    return dout * (x > 0)


def silu(x: Array) -> tuple[Array, Any]:
    """x * sigmoid(x) (Elfwing et al. 2018)."""
    xp = array_namespace(x)
    sigmoid = (1 + xp.tanh(x / 2)) / 2  # the form that cannot overflow
    return x * sigmoid, (x, sigmoid)


def silu_backward(dout: Array, cache: Any) -> Array:
    """dout * (sigmoid + x * sigmoid * (1 - sigmoid))."""
    x, sigmoid = cache
    return dout * (sigmoid + x * sigmoid * (1 - sigmoid))


def gelu(x: Array) -> tuple[Array, Any]:
    """x times about the normal law's P(X < x): x / 2 * (1 + tanh(INNER * (x + CUBIC * x**3))).

    Hendrycks & Gimpel 2016, section 2: the form with tanh, since NumPy has no error function.
    """
    xp = array_namespace(x)
    tanh = xp.tanh(INNER * (x + CUBIC * x * x * x))
    return x / 2 * (1 + tanh), (x, tanh)


def gelu_backward(dout: Array, cache: Any) -> Array:
    """dout * ((1 + tanh) / 2 + x / 2 * (1 - tanh**2) * INNER * (1 + 3 CUBIC x**2))."""
    x, tanh = cache
    return dout * ((1 + tanh) / 2 + x / 2 * (1 - tanh * tanh) * INNER * (1 + 3 * CUBIC * x * x))


def dropout(x: Array, rate: float, rng: Sequence[np.random.Generator] | None) -> tuple[Array, Any]:
    """Each value of `x` (B, ..., C) becomes 0 with probability `rate`, and the others grow by 1 / (1 - rate).

    `rng`: one random generator for each item (`edudiff.support.random.streams`), so that an item's mask does not
    depend on its batch; or None to leave all values in, as when an image is drawn. Source: Srivastava et al. 2014.
    """
    if rng is None or rate == 0:
        return x, None
    xp = array_namespace(x)
    kept = np.stack([stream.random(x.shape[1:]) >= rate for stream in rng])  # (B, ..., C)
    mask = xp.asarray(move(kept, x), dtype=x.dtype) / (1 - rate)  # (B, ..., C)
    return x * mask, mask


def dropout_backward(dout: Array, mask: Array | None) -> Array:
    """dout where the value was kept, grown alike."""
    return dout if mask is None else dout * mask
