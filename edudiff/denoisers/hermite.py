"""Hermite polynomials in several variables: the coordinates in which noise acts on a polynomial by one factor.

he_k are the probabilists' Hermite polynomials over sqrt(k!), so that E he_j(n) he_k(n) = [j = k] for standard normal n.
With c^2 + s^2 = 1, E he_k(c w + s n) = c^k he_k(w) (Mehler): the moments of noisy data are the moments of clean data
times powers of c, exactly. In several variables, he_k is the product over the coordinates, k a tuple of integers.
"""

import math
from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np

from edudiff.support.arrays import array_namespace
from edudiff.support.types import Array


def exponents(width: int, degree: int) -> list[tuple[int, ...]]:
    """All tuples of `width` integers >= 0 with a sum of at most `degree`: a list, by rising sum.

    >>> exponents(2, 1)
    [(0, 0), (1, 0), (0, 1)]
    """
    picks = (p for total in range(degree + 1) for p in combinations_with_replacement(range(width), total))
    return [tuple(pick.count(e) for e in range(width)) for pick in picks]


def values(w: Array, powers: Sequence[tuple[int, ...]]) -> Array:
    """he_k(w) for each tuple k of `powers` (K, D): points (B, D) to (B, K)."""
    xp = array_namespace(w)
    table = [xp.ones_like(w), w]  # he_0, he_1, ...: (B, D) each
    for k in range(1, max(map(max, powers))):
        table.append((w * table[k] - math.sqrt(k) * table[k - 1]) / math.sqrt(k + 1))  # (B, D)
    columns = []
    for power in powers:
        column = xp.ones(len(w))  # (B,)
        for e, k in enumerate(power):
            column = column * table[k][:, e] if k else column  # (B,)
        columns.append(column)
    return xp.stack(columns, 1)  # (B, K)


def linearization(i: tuple[int, ...], j: tuple[int, ...]) -> list[tuple[tuple[int, ...], float]]:
    """he_i he_j as a sum of he_k for tuples i, j: a list of (k, factor) (Feldheim's formula, coordinate by coordinate).

    In one variable he_i he_j = sum_r sqrt(C(i, r) C(j, r) C(i + j - 2r, i - r)) he_(i + j - 2r).
    """
    terms: list[tuple[tuple[int, ...], float]] = [((), 1.0)]
    for a, b in zip(i, j, strict=True):
        own = [
            (a + b - 2 * r, math.sqrt(math.comb(a, r) * math.comb(b, r) * math.comb(a + b - 2 * r, a - r)))
            for r in range(min(a, b) + 1)
        ]
        terms = [((*k, new), factor * more) for k, factor in terms for new, more in own]
    return terms


def monomials(degree: int) -> Array:
    """he_0 to he_degree of one variable in powers of it: (degree + 1, degree + 1), row k the coefficients of he_k."""
    rows = np.zeros((degree + 1, degree + 1))
    for k in range(degree + 1):
        one = np.array([0.0] * k + [1 / math.sqrt(math.factorial(k))])  # (k + 1,)
        rows[k, : k + 1] = np.polynomial.hermite_e.herme2poly(one)
    return rows
