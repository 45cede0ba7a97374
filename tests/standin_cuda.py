"""A stand-in for the part of CuPy that compiles CUDA C: the same source through a C++ compiler, its threads in loops.

It refuses what CuPy would read wrongly without a word: arguments of another number, kind or type than the kernel's
parameters, host arrays, arrays with gaps, and grids that a GPU does not start.
"""

import atexit
import ctypes
import functools
import itertools
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from standin_cupy import ndarray

COMPILER = shutil.which("g++") or shutil.which("clang++")
HEADER = Path(__file__).with_name("standin_cuda.h")
LARGEST_GRID, MOST_THREADS = (2**31 - 1, 65535, 65535), 1024
ENDS = """
extern "C" const char *types() { return types_of(%s); }
extern "C" void launch(const unsigned *grid, const unsigned *block, void **given) { run(%s, grid, block, given); }
"""

_numbers = itertools.count()


@functools.cache
def _folder():
    folder = tempfile.mkdtemp(prefix="edudiff-standin-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@functools.cache
def _built(code, options, name):
    """The library of a kernel, compiled once in a run of the tests."""
    source = _folder() / f"{next(_numbers)}.cpp"
    source.write_text(f'#include "{HEADER}"\n#line 1 "kernel"\n{code}\n' + ENDS % (name, name))
    library = source.with_suffix(".so")
    command = [COMPILER, "-std=c++17", "-O1", "-shared", "-fPIC", *options, source, "-o", library]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{COMPILER} does not take the kernel:\n{done.stderr}")
    loaded = ctypes.CDLL(str(library))
    loaded.types.restype = ctypes.c_char_p
    return loaded


class RawModule:
    """CuPy's of this name, for CUDA C without barriers."""

    def __init__(self, *, code, options=()):
        self.code, self.options = code, tuple(options)

    def get_function(self, name):
        library = _built(self.code, self.options, name)
        expected = library.types().decode().split()

        def launch(grid, block, args):
            grid, block = (*grid, 1, 1)[:3], (*block, 1, 1)[:3]
            if not all(0 < n <= most for n, most in zip(grid, LARGEST_GRID, strict=True)):
                raise ValueError(f"a grid of {grid} blocks does not start")
            if np.prod(block) > MOST_THREADS:
                raise ValueError(f"a block of {block} threads does not start")
            given = [_type_of(a) for a in args]
            if given != expected:
                raise TypeError(f"the kernel takes {expected}, got {given}")
            held = [ctypes.c_void_p(a._host.ctypes.data) if isinstance(a, ndarray) else np.array(a) for a in args]
            addresses = [h.ctypes.data if isinstance(h, np.ndarray) else ctypes.addressof(h) for h in held]
            pointers = (ctypes.c_void_p * len(args))(*addresses)
            library.launch((ctypes.c_uint * 3)(*grid), (ctypes.c_uint * 3)(*block), pointers)

        return launch


class Cuda:
    """CuPy's `cuda`, as far as the package and tests/gpu/check.py ask it: one card that is none."""

    class runtime:
        @staticmethod
        def getDeviceCount():
            return 1

        @staticmethod
        def runtimeGetVersion():
            return 0

        @staticmethod
        def getDeviceProperties(number):
            return {"name": b"stand-in", "totalGlobalMem": 0, "multiProcessorCount": 0}


def _type_of(argument):
    if isinstance(argument, np.generic):
        return argument.dtype.str[1:]
    if not isinstance(argument, ndarray):
        raise TypeError(f"expected a device array or a NumPy number, got {type(argument).__name__}")
    if not argument._host.flags.c_contiguous:
        raise ValueError(f"an array of shape {argument.shape} has gaps; a kernel sees memory alone")
    return "*" + argument.dtype.str[1:]
