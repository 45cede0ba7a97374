"""The parameters before training."""

import math

import numpy as np

from edudiff.support import checks

RECTIFIED = math.sqrt(2.0)


class Initial:
    """Collects named arrays: `make = Initial(rng, dtype)`, `make.layer(...)`, and then `make.parameters`."""

    def __init__(self, rng, dtype):
        self.rng = np.random.default_rng(0) if rng is None else checks.generator(rng)
        self.dtype, self.parameters = np.dtype(dtype), {}
        checks.one_of(self.dtype.name, ("float32", "float64"), "dtype")

    def layer(self, name, shape, gain=RECTIFIED):
        """Weights `name.w` of `shape` (..., D), standard deviation gain / sqrt(fan-in), and a bias `name.b` of zeros.

        A gain of RECTIFIED keeps the size of what passes a rectifier (He et al. 2015), 1 that of what passes a matrix.
        """
        self.normal(f"{name}.w", shape, gain / math.sqrt(math.prod(shape[:-1])))
        self.parameters[f"{name}.b"] = np.zeros(shape[-1], self.dtype)

    def transposed(self, name, channels):
        """A 3x3 transposed convolution of stride 2: a fine pixel hears 9 / 4 windows of the coarse ones on average."""
        self.normal(f"{name}.w", (3, 3, channels, channels), 1 / math.sqrt(9 / 4 * channels))
        self.parameters[f"{name}.b"] = np.zeros(channels, self.dtype)

    def normal(self, name, shape, deviation):
        """An array `name` of independent normal values."""
        self.parameters[name] = (self.rng.standard_normal(shape) * deviation).astype(self.dtype)

    def constant(self, name, shape, value):
        """An array `name` of one value."""
        self.parameters[name] = np.full(shape, value, self.dtype)

    def embedding(self, config, size):
        """The arrays that `edudiff.nn.condition` needs for vectors of `size` values."""
        self.layer("embedding", (config["embedding_size"], size), 1.0)
        if config["classes"] is not None:
            self.normal("class.table", (config["classes"] + 1, size), 1.0)
