"""The parameters before training."""

import math
from collections.abc import Mapping
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


class Stored(Initial):
    """Parameters that are there already, `arrays` by name, "net/in.w" for in.w of the `group` net, instead of new ones.

    What the network asks for is compared as it is asked for, and only then read, so a file that promises more than it
    holds, or holds more than it promises, costs nothing.
    Half precision becomes float32. Raises ValueError for an array that is missing, of another shape, of no float dtype
    or another than the rest, or that holds NaN or infinity.
    """

    def __init__(self, arrays: Mapping[str, Any], group: str) -> None:
        super().__init__(None, "float32")
        self.arrays, self.group = arrays, group
        self.stored: Any = None  # the dtype of all arrays

    def normal(self, name: str, shape: tuple[int, ...], deviation: float) -> None:
        """The array `name`, which must have this shape."""
        self.constant(name, shape, 0.0)

    def constant(self, name: str, shape: int | tuple[int, ...], value: float) -> None:
        """The array `name`, which must have this shape."""
        said = f"{self.group}/{name}"
        if said not in self.arrays:
            raise ValueError(f"{said} is missing")
        array, shape = self.arrays[said], (shape,) if isinstance(shape, int) else tuple(shape)
        if array.shape != shape:
            raise ValueError(f"{said} has shape {array.shape}, expected {shape}")
        if array.dtype.name not in ("float16", "float32", "float64"):
            raise ValueError(
                f"{said} has dtype {array.dtype}, expected float32 or float64, or float16 of a network alone"
            )
        self.stored = self.stored or array.dtype
        if array.dtype != self.stored:
            raise ValueError(f"{said} has dtype {array.dtype}, but those before it have {self.stored}")
        array = np.asarray(array)  # read now, where it comes from a file
        if not np.isfinite(array).all():
            raise ValueError(f"{said} holds {(~np.isfinite(array)).sum()} NaN or infinite values of {array.size}")
        whole = "float32" if array.dtype == "float16" else array.dtype.name
        self.parameters[name] = np.ascontiguousarray(array, whole)
