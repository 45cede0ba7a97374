"""How every kernel is compiled, and how work is spread over the processor's cores."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba
from numba.core import caching, cgutils
from numba.extending import intrinsic

from edudiff.support import progress


def stamp(files: Iterable[Path]) -> str:
    """What these sources say, as a hash: a copy of them has the same, and an edit of any has another."""
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(files))).hexdigest()


# Kernels contain functions of other files, so an edit of one file may change any of them. Inside a zip there are no
# files to look at.
FILES = [*Path(__file__).parent.glob("*.py")]
STAMP = stamp(FILES)


class Kept:
    """What was compiled, kept on disk until a file of this folder changes; where that fails, it costs time alone.

    No place may be writable, the disk may fill up, a file may be damaged or of another user. `cache`: Numba's own, for
    one function, to which all else goes. Where it is the user's own, what lies beside the function's file is read as
    well: whoever installed the package may have compiled it for all (`edudiff warm`).
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.cache: Any = caching.NullCache()
        self.beside: Any = None  # what is kept beside the function's file, if that is another place
        if FILES and _has_place():
            with suppress(OSError, RuntimeError):  # no place can be written
                self.cache = caching.FunctionCache(function)
        with suppress(AttributeError):  # no public way: Numba itself looks at the function's own file alone
            self.cache._cache_file._source_stamp = STAMP
            beside = Path(function.__code__.co_filename).parent / "__pycache__"
            if str(beside) != self.cache.cache_path:
                self.beside = caching.IndexDataCacheFile(str(beside), self.cache._impl.filename_base, STAMP)

    def __repr__(self) -> str:
        return f"Kept({self.cache!r})"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cache, name)

    def load_overload(self, signature: Any, context: Any) -> Any:
        """The compiled function for these types of arguments, or None."""
        found = None
        try:
            found = self.cache.load_overload(signature, context)
        except Exception:  # whatever reading a damaged pickle can raise
            with suppress(OSError):
                self.cache.flush()  # begin anew, or nothing would be kept from now on
        if found is None:
            found = self._installed(signature, context)
        if found is None:
            progress.compiling()
        return found

    def _installed(self, signature, context):
        """What was compiled beside the package, for all its users: Numba itself reads only where it may write."""
        if self.beside is None:
            return None
        own, self.cache._cache_file = self.cache._cache_file, self.beside
        try:
            return self.cache.load_overload(signature, context)
        except Exception:  # as above; but it is not for this user to mend
            return None
        finally:
            self.cache._cache_file = own

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep a compiled function."""
        with suppress(Exception):
            self.cache.save_overload(signature, result)


def _has_place() -> bool:
    """False where there is no home: Numba would make a folder named ~ in the working directory."""
    named = getattr(numba.config, "CACHE_DIR", "") or "XDG_CACHE_HOME" in os.environ
    return bool(named) or os.path.expanduser("~") != "~"


def kernel(**settings: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator that compiles a function, and keeps on disk what it compiled."""

    def decorate(function):
        made = numba.njit(nogil=True, error_model="numpy", **settings)(function)
        if made is not function:  # it is with NUMBA_DISABLE_JIT
            made._cache = Kept(function)
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
