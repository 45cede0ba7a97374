"""The parameters before training."""

import math
from typing import Any

import numpy as np

from edudiff.support import checks
from edudiff.support.types import Arrays

RECTIFIED = math.sqrt(2.0)


class Initial:
    """The parameters before training, by name: `make = Initial(rng, dtype)`, `make.layer(...)`, `make.parameters`."""

    def __init__(self, rng: np.random.Generator | None, dtype: Any) -> None:
        self.rng = np.random.default_rng(0) if rng is None else checks.generator(rng)
        self.dtype = np.dtype(dtype)
        self.parameters: Arrays = {}
        checks.one_of(self.dtype.name, ("float32", "float64"), "dtype")

    def layer(self, name: str, shape: tuple[int, ...], gain: float = RECTIFIED) -> None:
        """Weights `name.w` of `shape` (..., D), standard deviation gain / sqrt(fan-in), and a bias `name.b` of zeros.

        A gain of RECTIFIED keeps the size of what passes a rectifier (He et al. 2015), 1 that of what passes a matrix.
        """
        self.normal(f"{name}.w", shape, gain / math.sqrt(math.prod(shape[:-1])))
        self.constant(f"{name}.b", shape[-1], 0.0)

    def normal(self, name: str, shape: tuple[int, ...], deviation: float) -> None:
        """An array `name` of independent normal values."""
        self.parameters[name] = (self.rng.standard_normal(shape) * deviation).astype(self.dtype)

    def constant(self, name: str, shape: int | tuple[int, ...], value: float) -> None:
        """An array `name` of one value."""
        self.parameters[name] = np.full(shape, value, self.dtype)
