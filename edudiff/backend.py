"""Which array library an array belongs to, and which code runs a formula: found from the array, or chosen by name.

NumPy is imported; a formula never imports CuPy. A CuPy array can only exist if its owner imported CuPy, so
`sys.modules` tells.
"""

import functools
import importlib.util
import sys

import numpy as np

BACKENDS = ("numpy", "numba", "cupy")


def is_device_array(x):
    """True for a CuPy array, False for anything else."""
    cupy = sys.modules.get("cupy")
    return cupy is not None and isinstance(x, cupy.ndarray)


def array_module(*arrays):
    """The library that all `arrays` belong to: NumPy, or CuPy if they live on a GPU.

    Raises TypeError if an argument is not an array, or if host and device arrays are mixed.

    >>> array_module(np.zeros(2)).__name__
    'numpy'
    """
    on_device = [is_device_array(a) for a in arrays]
    if all(on_device) and arrays:
        return sys.modules["cupy"]
    for a, device in zip(arrays, on_device, strict=True):
        if not device and not isinstance(a, np.ndarray):
            raise TypeError(f"expected NumPy or CuPy arrays, got {type(a).__name__}; wrap it in numpy.asarray first")
    if any(on_device):
        places = ", ".join("GPU" if device else "host" for device in on_device)
        raise TypeError(f"arrays live in different places ({places}); move them to one with edudiff.backend.move")
    return np


def to_numpy(x):
    """`x` as a NumPy array on the host; a CuPy array is copied, a NumPy array is returned as it is."""
    return x.get() if is_device_array(x) else np.asarray(x)


def move(x, like):
    """`x` copied to where the array `like` lives; an array that is there already is returned as it is."""
    xp = array_module(like)
    return to_numpy(x) if xp is np else xp.asarray(x)


@functools.cache
def has_numba():
    """True if Numba can be imported. It is not imported here."""
    return importlib.util.find_spec("numba") is not None


def has_gpu():
    """True if CuPy is installed and finds a GPU. Imports CuPy where it is installed."""
    try:
        import cupy

        return cupy.cuda.runtime.getDeviceCount() > 0
    except Exception:  # not installed, or without its driver
        return False


def choose(backend, *arrays):
    """The name of the code that will run on `arrays`: `backend` if it can, or the fastest that can if it is None.

    `backend` is None, "numpy", "numba" or "cupy". Raises ValueError for another name or one that does not fit
    the arrays, ImportError if Numba is asked for and not installed.

    >>> choose("numpy", np.zeros(2))
    'numpy'
    """
    if backend is not None and backend not in BACKENDS:
        raise ValueError(f"backend is {backend!r}, expected one of {', '.join(BACKENDS)} or None for the fastest")
    home = array_module(*arrays).__name__
    if home == "cupy":
        if backend not in (None, "cupy"):
            raise ValueError(
                f"backend is {backend!r} but the arrays are on a GPU; use 'cupy', or edudiff.backend.to_numpy"
            )
        return "cupy"
    if backend == "cupy":
        raise ValueError("backend is 'cupy' but the arrays are NumPy arrays; move them with cupy.asarray first")
    if backend == "numba" and not has_numba():
        raise ImportError("backend 'numba' needs Numba: pip install 'edudiff[fast]', or use backend 'numpy'")
    return backend or ("numba" if has_numba() else "numpy")
