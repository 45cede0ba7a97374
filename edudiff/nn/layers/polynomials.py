"""All polynomials up to a degree, in a basis that noise does not make collinear."""

import math
from functools import cache as remembered
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from edudiff.support.arrays import array_namespace, move
from edudiff.support.types import Array


@remembered
def exponents(dimensions: int, degree: int) -> Array:
    """The exponents of every monomial of degree 1 to `degree`: host integers (F, D), F = C(D + degree, D) - 1."""
    rows = []
    for total in range(1, degree + 1):
        for chosen in combinations_with_replacement(range(dimensions), total):
            rows.append([chosen.count(d) for d in range(dimensions)])
    return np.array(rows)


def hermite(x: Array, degree: int) -> tuple[Array, Any]:
    """Products of normalized Hermite polynomials of the coordinates, of every total degree 1 to `degree`.

    The same polynomials as the monomials span; but these have unit variance and no correlation where x is standard
    normal, so that gradient descent finds its way. `x`: (B, D). Returns out (B, F) and the cache. The recursion is
    h[n + 1] = (x h[n] - sqrt(n) h[n - 1]) / sqrt(n + 1).
    """
    xp = array_namespace(x)
    powers = move(exponents(x.shape[1], degree), x)  # (F, D)
    h = [xp.ones_like(x), x]
    for n in range(1, degree):
        h.append((x * h[n] - math.sqrt(n) * h[n - 1]) / math.sqrt(n + 1))
    table = xp.stack(h, axis=2)  # (B, D, degree + 1)
    factors = table[:, xp.arange(x.shape[1]), powers]  # (B, F, D)
    return factors.prod(axis=2), (table, factors, powers)


def hermite_backward(dout: Array, cache: Any) -> Array:
    """The gradient in x (B, D): in each coordinate, h[n]' = sqrt(n) h[n - 1] times the other coordinates' factors."""
    table, factors, powers = cache
    xp = array_namespace(dout)
    dx = xp.empty_like(table[:, :, 0])  # (B, D)
    roots = xp.sqrt(xp.arange(table.shape[2]).astype(table.dtype))  # (degree + 1,)
    for d in range(dx.shape[1]):
        slope = roots[powers[:, d]] * table[:, d, xp.maximum(powers[:, d] - 1, 0)]  # (B, F)
        others = factors[:, :, :d].prod(axis=2) * factors[:, :, d + 1 :].prod(axis=2)  # (B, F)
        dx[:, d] = (dout * slope * others).sum(axis=1)  # (B,)
    return dx
