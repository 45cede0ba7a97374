"""Powers of 2 in plain arithmetic, so that a loop that takes them becomes vector instructions.

2**t = 2**k * 2**f with k the integer nearest to t: 2**f is a polynomial, and k is added to the exponent bits of it.
"""

import math

import numpy as np
from numba import types
from numba.extending import overload

from edudiff.fast.jit import compiled_as_written
from edudiff.fast.lanes import Lanes, add_to_exponent, larger, spread

LOG2_E = np.float32(1 / math.log(2))

# 2**f = sum_k (f log 2)**k / k! for |f| <= 1/2: 7 terms are exact to the rounding of float32, 14 to that of float64.
TERMS = tuple(math.log(2) ** k / math.factorial(k) for k in range(14))
TERMS32 = tuple(np.float32(term) for term in TERMS[:7])

# t + ROUNDER has no digits after the point: it is the integer nearest to t, plus ROUNDER, and sits in the lowest bits.
ROUNDER, ROUNDER32 = float(3 << 51), np.float32(3 << 22)
LEAST, LEAST32, MOST32 = -1022.0, np.float32(-126), np.float32(127)


def exp2(t):
    """2**t in the precision of t: float32 for t from -126 to 127, float64 for t from -1022 to 0; constant beyond.

    For `Lanes`, t must not be above 0 in either precision.
    """
    return 2.0**t


@compiled_as_written
def exp2_single(t):
    """2**t for a float32 number."""
    t = min(max(t, LEAST32), MOST32)
    rounded = t + ROUNDER32
    f = t - (rounded - ROUNDER32)
    power = TERMS32[6]
    for k in (5, 4, 3, 2, 1, 0):
        power = power * f + TERMS32[k]
    return np.int32((np.float32(rounded).view(np.int32) << 23) + np.float32(power).view(np.int32)).view(np.float32)


@compiled_as_written
def exp2_double(t):
    """2**t for a float64 number."""
    t = min(max(t, LEAST), 0.0)
    rounded = t + ROUNDER
    f = t - (rounded - ROUNDER)
    power = TERMS[13]
    for k in (12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0):
        power = power * f + TERMS[k]
    return np.int64((np.float64(rounded).view(np.int64) << 52) + np.float64(power).view(np.int64)).view(np.float64)


@compiled_as_written
def exp2_lanes_single(t):
    """2**t for Lanes of float32, t <= 0."""
    t = larger(t, spread(LEAST32))
    rounded = t + ROUNDER32
    f = t - (rounded - ROUNDER32)
    power = f * TERMS32[6] + TERMS32[5]
    for k in (4, 3, 2, 1, 0):
        power = power * f + TERMS32[k]
    return add_to_exponent(power, rounded)


@compiled_as_written
def exp2_lanes_double(t):
    """2**t for Lanes of float64, t <= 0."""
    t = larger(t, spread(LEAST))
    rounded = t + ROUNDER
    f = t - (rounded - ROUNDER)
    power = f * TERMS[13] + TERMS[12]
    for k in (11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0):
        power = power * f + TERMS[k]
    return add_to_exponent(power, rounded)


@overload(exp2)
def _exp2(t):
    if isinstance(t, Lanes):
        return (lambda t: exp2_lanes_single(t)) if t.real == types.float32 else (lambda t: exp2_lanes_double(t))
    return (lambda t: exp2_single(t)) if t == types.float32 else (lambda t: exp2_double(t))
