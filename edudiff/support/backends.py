"""Which code runs a formula: chosen by name, or by what is installed."""

import functools
from typing import Any

from edudiff.support.arrays import array_namespace

BACKENDS = ("numpy", "numba", "cupy")


def has_numba() -> bool:
    """True if Numba is installed and works. Imports it where it is installed."""
    return not without_numba()


@functools.cache
def without_numba() -> str:
    """Why there are no compiled kernels here, in words that follow "Numba "; nothing if there are."""
    try:
        import numba
    except Exception as error:  # of any kind: it is not there, too old for the NumPy beside it, or damaged
        if isinstance(error, ModuleNotFoundError) and error.name == "numba":
            return "is not installed: pip install 'edudiff[fast]'"
        return f"cannot be imported ({(str(error) or type(error).__name__).splitlines()[0]})"
    return "is switched off by NUMBA_DISABLE_JIT" if getattr(numba.config, "DISABLE_JIT", False) else ""


def has_gpu() -> bool:
    """True if CuPy is installed and finds a GPU. Imports CuPy where it is installed."""
    try:
        import cupy

        return cupy.cuda.runtime.getDeviceCount() > 0
    except Exception:  # not installed, or without its driver
        return False


def choose(backend: str | None, *arrays: Any) -> str:
    """The name of the code that will run on `arrays`: `backend` if it can, or the fastest that can if it is None.

    `backend` is None, "numpy", "numba" or "cupy". Raises ValueError for another name or one that does not fit
    the arrays, ImportError if Numba is asked for and is not there or does not work.

    >>> import numpy as np
    >>> choose("numpy", np.zeros(2))
    'numpy'
    """
    if backend is not None and backend not in BACKENDS:
        raise ValueError(f"backend is {backend!r}, expected one of {', '.join(BACKENDS)} or None for the fastest")
    home = array_namespace(*arrays).__name__
    if home == "cupy":
        if backend not in (None, "cupy"):
            raise ValueError(
                f"backend is {backend!r} but the arrays are on a GPU; use 'cupy', or edudiff.support.arrays.to_numpy"
            )
        return "cupy"
    if backend == "cupy":
        raise ValueError("backend is 'cupy' but the arrays are NumPy arrays; move them with cupy.asarray first")
    if backend == "numba" and not has_numba():
        raise ImportError(f"backend 'numba' cannot be used, as Numba {without_numba()}; use backend 'numpy'")
    return backend or ("numba" if has_numba() else "numpy")
