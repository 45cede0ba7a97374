"""How every kernel is compiled, and how work is spread over the processor's cores."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba
from numba.core import cgutils
from numba.extending import intrinsic

# The state of this folder. Kernels contain functions of other files, so an edit of one file may change any of them.
FILES = [path.stat() for path in Path(__file__).parent.glob("*.py")]
STAMP = max(file.st_mtime_ns for file in FILES), sum(file.st_size for file in FILES)


def kernel(**settings: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator that compiles a function; what it compiled is kept on disk until a file of this folder changes."""

    def decorate(function):
        made = numba.njit(cache=True, nogil=True, error_model="numpy", **settings)(function)
        with suppress(AttributeError):  # no public way: Numba itself looks at the function's own file alone
            made._cache._cache_file._source_stamp = STAMP
        return made

    return decorate


# Sums may be reordered and fused, which makes them vectors; NaN and infinity keep their meaning.
REORDERED = {"reassoc", "contract", "nsz", "arcp"}
compiled = kernel(fastmath=REORDERED)

# For what is called once a pixel: its loops run in the caller, with no call between them.
inlined = kernel(fastmath=REORDERED, forceinline=True)

# For tricks with rounding, which reordering would undo.
compiled_as_written = kernel(fastmath={"contract"})


def _borrowed(typing_context, array):
    """The same array without an owner, so that its slices count no references; whoever lends it must outlive it.

    Counting costs more than a short row's arithmetic: a locked addition for each slice, taken and given back.
    """

    def generate(context, builder, signature, arguments):
        copy = context.make_array(array)(context, builder, arguments[0])
        copy.meminfo = cgutils.get_null_value(copy.meminfo.type)
        copy.parent = cgutils.get_null_value(copy.parent.type)
        return copy._getvalue()

    return array(array), generate


borrowed: Any = intrinsic(_borrowed)


def share_out(function: Callable[[Any], Any], pieces: Sequence[Any]) -> list[Any]:
    """`function(piece)` for every piece, on Numba's number of threads (`NUMBA_NUM_THREADS`, `numba.set_num_threads`).

    Threads only decide who computes a piece, never what is in it, so the answers do not depend on their number.
    """
    threads = min(numba.get_num_threads(), len(pieces))
    if threads == 1:
        return [function(piece) for piece in pieces]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, pieces))
