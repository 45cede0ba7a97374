"""A stand-in for CuPy that needs no GPU: NumPy underneath, CuPy's refusals on top.

Tests get it as a fixture, and hand its arrays to the package:

    def test_x(standin_cupy):
        x = standin_cupy.asarray(host)      # a "device" array
        y = ed.forward.add_noise(x, ...)    # the package finds the module in sys.modules, as it would find CuPy
        y.get()                             # back to NumPy

It is as strict as CuPy, and stricter where CuPy would copy between host and GPU unasked:

- no implicit conversion: `np.asarray(x)`, `np.exp(x)`, `np.sum(x)` and `host[...] = x` raise TypeError;
- no mixing: host arrays in arithmetic, in functions, as an index, as `out=` or on the right of `x[...] =` raise;
- functions, methods and reductions return device arrays, 0-d ones too; only `float`, `int`, `bool`, `.item()`,
  `.tolist()` and `.get()` leave the device;
- device arrays have no read-only flag, no object or text dtype, and are no `__index__`; there is no `cupy.random`:
  the package draws its noise on the host.
"""

import operator
import sys
from types import ModuleType

import numpy as np

ABSENT = {"random", "testing", "ma", "char", "rec", "nditer", "memmap", "matrix", "vectorize", "frompyfunc", "errstate"}
ABSENT_METHODS = {"setflags", "byteswap", "ctypes", "resize", "data", "tofile", "dumps", "__array_interface__"}
LOOKS = (np.ndim, np.shape, np.size)  # these read attributes and copy nothing


def to_host(value):
    """`value` with every device array replaced by the NumPy array below it; TypeError for a NumPy array."""
    if isinstance(value, ndarray):
        return value._host
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}: a host array among device arrays, shape {value.shape}")
    if isinstance(value, list | tuple):
        return type(value)(to_host(v) for v in value)
    if isinstance(value, dict):
        return {k: to_host(v) for k, v in value.items()}
    return value


def to_device(value):
    """`value` with every NumPy array and scalar replaced by a device array."""
    if isinstance(value, np.ndarray | np.generic):
        return ndarray(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):  # the named results of linalg
        return type(value)(*map(to_device, value))
    if isinstance(value, list | tuple):
        return type(value)(map(to_device, value))
    return value


def on_device(function):
    """`function` of NumPy arrays as a function of device arrays."""

    def call(*args, **kwargs):
        return result_of(function(*to_host(args), **to_host(kwargs)), args, kwargs)

    call.__name__ = getattr(function, "__name__", "call")
    return call


def result_of(value, args, kwargs):
    """The device array that was passed as `out=` if the result is its memory, else a new one."""
    for given in (*args, *kwargs.values()):
        if isinstance(given, ndarray) and given._host is value:
            return given
    return to_device(value)


class ndarray:
    """A NumPy array that behaves as if it lived elsewhere."""

    __slots__ = ("_host",)
    __array_ufunc__ = None  # host + device: NumPy steps back, and the reflected operator below refuses

    def __init__(self, value):
        if np.asarray(value).dtype.kind not in "biufc":
            raise ValueError(f"Unsupported dtype {np.asarray(value).dtype}")
        self._host = np.asarray(value)

    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")

    def __array_function__(self, function, types, args, kwargs):
        if function in LOOKS:
            return function(*to_host(args), **to_host(kwargs))
        raise TypeError(f"numpy.{function.__name__} was given a device array; use the function of array_namespace(x)")

    def get(self):
        return self._host.copy()

    def __getattr__(self, name):
        if name in ABSENT_METHODS or name.startswith("__"):
            raise AttributeError(f"'cupy.ndarray' object has no attribute {name!r}")
        value = getattr(self._host, name)
        return on_device(value) if callable(value) else to_device(value)

    def __getitem__(self, key):
        return to_device(self._host[to_host(key)])

    def __setitem__(self, key, value):
        self._host[to_host(key)] = to_host(value)

    def __iter__(self):
        return (to_device(row) for row in self._host)

    def __len__(self):
        return len(self._host)

    def __repr__(self):
        return repr(self._host)

    __hash__ = None


BINARY = ["add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "matmul", "and", "or", "xor"]
OTHER = ["lt", "le", "eq", "ne", "gt", "ge", "neg", "pos", "abs", "invert", "bool", "float", "int", "complex"]


def _operator(name):
    def call(self, *others):
        result = getattr(self._host, name)(*to_host(others))
        return NotImplemented if result is NotImplemented else to_device(result)

    return call


def _in_place(name):
    def call(self, other):
        getattr(operator, name)(self._host, to_host(other))
        return self

    return call


for _name in BINARY:
    setattr(ndarray, f"__{_name}__", _operator(f"__{_name}__"))
    setattr(ndarray, f"__r{_name}__", _operator(f"__r{_name}__"))
    if _name != "divmod":
        setattr(ndarray, f"__i{_name}__", _in_place(f"__i{_name}__"))
for _name in OTHER:
    setattr(ndarray, f"__{_name}__", _operator(f"__{_name}__"))


class Module(ModuleType):
    """A NumPy module whose functions take and give device arrays; types and constants are NumPy's own."""

    def __init__(self, name, numpy_module):
        super().__init__(name)
        self._numpy_module = numpy_module

    def __getattr__(self, name):
        if name in ABSENT or name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = getattr(self._numpy_module, name)
        if isinstance(value, ModuleType):
            return Module(f"{self.__name__}.{name}", value)
        return on_device(value) if callable(value) and not isinstance(value, type) else value


def module():
    """A fresh stand-in, to be put at `sys.modules["cupy"]`."""
    cupy = Module("cupy", np)
    cupy.ndarray = ndarray

    def array(value, dtype=None, copy=True, **kwargs):
        host = value._host if isinstance(value, ndarray) else _lowered(value)
        return ndarray(np.array(host, dtype=dtype, copy=copy or None, **kwargs))

    def asarray(value, dtype=None, **kwargs):
        if isinstance(value, ndarray):
            same = dtype is None or value.dtype == dtype
            return value if same else value.astype(dtype)
        return array(value, dtype, **kwargs)

    def asnumpy(value):
        return value.get() if isinstance(value, ndarray) else np.asarray(value)

    cupy.array, cupy.asarray, cupy.asnumpy = array, asarray, asnumpy
    cupy.get_array_namespace = lambda *args: cupy if any(isinstance(a, ndarray) for a in args) else np
    return cupy


def _lowered(value):
    """A nested list of device arrays as host arrays; CuPy stacks those on the device."""
    return [_lowered(v) for v in value] if isinstance(value, list | tuple) else getattr(value, "_host", value)


def is_installed():
    """True while the stand-in, not CuPy, is what the package would find."""
    return isinstance(sys.modules.get("cupy"), Module)
