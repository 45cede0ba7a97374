"""exp in plain float32 arithmetic, so that a loop that calls it becomes vector instructions."""

import numpy as np

from edudiff.fast.jit import compiled


@compiled
def exp32(x):
    """exp(x) for a float32 number, relative error below 2e-7; beyond -87 and 88 it stays at its value there.

    x = k log(2) + f with k whole and |f| <= log(2) / 2: exp(f) by a polynomial (Cephes, Moshier 1992), and 2**k by
    writing k into the exponent bits.
    """
    x = min(max(x, np.float32(-87.0)), np.float32(88.0))
    k = np.floor(x * np.float32(1.4426950408889634) + np.float32(0.5))
    f = (x - k * np.float32(0.693359375)) - k * np.float32(-2.12194440e-4)  # log(2) in two parts
    p = np.float32(1.9875691500e-4)
    p = p * f + np.float32(1.3981999507e-3)
    p = p * f + np.float32(8.3334519073e-3)
    p = p * f + np.float32(4.1665795894e-2)
    p = p * f + np.float32(1.6666665459e-1)
    p = p * f + np.float32(5.0000001201e-1)
    power = np.int32((np.int32(k) + np.int32(127)) << np.int32(23)).view(np.float32)  # 2**k
    return (p * f * f + f + np.float32(1)) * power
