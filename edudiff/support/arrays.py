"""Which array library an array belongs to: found from the array, never imported for its owner.

NumPy is imported; a formula never imports CuPy. A CuPy array can only exist if its owner imported CuPy, so
`sys.modules` tells. So it does of NumPy's masked arrays, which NumPy itself imports when they are first used.
"""

import sys
from types import ModuleType
from typing import Any

import numpy as np

from edudiff.support.types import Array


def is_device_array(x: Any) -> bool:
    """True for a CuPy array, False for anything else."""
    cupy = sys.modules.get("cupy")
    return cupy is not None and isinstance(x, cupy.ndarray)


def array_namespace(*arrays: Any) -> ModuleType:
    """The library that all `arrays` belong to: NumPy, or CuPy if they live on a GPU.

    Raises TypeError if an argument is not an array, if it is a masked array or a matrix, which compute otherwise than
    other arrays, or if host and device arrays are mixed.

    >>> array_namespace(np.zeros(2)).__name__
    'numpy'
    """
    cupy = sys.modules.get("cupy")
    on_device = [cupy is not None and isinstance(a, cupy.ndarray) for a in arrays]
    if all(on_device) and arrays:
        return sys.modules["cupy"]
    for a, device in zip(arrays, on_device, strict=True):
        if not device and not isinstance(a, np.ndarray):
            raise TypeError(f"expected NumPy or CuPy arrays, got {type(a).__name__}; wrap it in numpy.asarray first")
        masked = "numpy.ma" in sys.modules and isinstance(a, np.ma.MaskedArray)  # its mask is lost on the way
        if masked or isinstance(a, np.matrix):  # whose * is no product of elements
            use = "x.filled(value)" if masked else "numpy.asarray"
            raise TypeError(f"expected a plain array, got a {type(a).__name__}; make it one with {use}")
    if any(on_device):
        places = ", ".join("GPU" if device else "host" for device in on_device)
        raise TypeError(
            f"arrays live in different places ({places}); move them to one with edudiff.support.arrays.move"
        )
    return np


def to_numpy(x: Any) -> Array:
    """`x` as a NumPy array on the host; a CuPy array is copied, a NumPy array is returned as it is."""
    return x.get() if is_device_array(x) else np.asarray(x)


def move(x: Array, like: Array) -> Array:
    """`x` copied to where the array `like` lives; an array that is there already is returned as it is."""
    xp = array_namespace(like)
    return to_numpy(x) if xp is np else xp.asarray(x)
