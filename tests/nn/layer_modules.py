"""Every way in which the layers are written, for tests that hold them together."""

import numpy as np

from edudiff.nn import layers
from edudiff.support.backends import has_numba


def modules():
    """The definition, and its compiled twin where there is Numba."""
    if not has_numba():
        return [layers]
    from edudiff.nn.layers import compiled

    return [layers, compiled]


def normal(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng((seed, *shape)).standard_normal(shape).astype(dtype)
