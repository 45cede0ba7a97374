"""Work for all cores: the same function on several parts, each in its own thread.

NumPy and the compiled kernels let other threads run while they compute. The matrix library then has to keep to one
thread per caller, which only threadpoolctl (extra `fast`) can tell it; without it the parts run one after the other
and the matrix library uses the cores by itself.
"""

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")
Part = TypeVar("Part")


def cores() -> int:
    """The number of processor cores that this process may use: one in a browser, where there are no threads."""
    if sys.platform == "emscripten":
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_threads(function: Callable[[Part], T], parts: Sequence[Part]) -> list[T]:
    """`[function(part) for part in parts]`, on all cores at once if that is possible; results in the same order."""
    matrix_library = _matrix_library()
    if matrix_library is None or cores() == 1 or len(parts) == 1:
        return [function(part) for part in parts]
    with matrix_library.limit(limits=1, user_api="blas"):
        return list(_pool().map(function, parts))


def blas_threads() -> int | None:
    """How many threads the matrix library takes; None where that cannot be known, without threadpoolctl."""
    library = _matrix_library()
    found = [] if library is None else [one["num_threads"] for one in library.info() if one["user_api"] == "blas"]
    return max(found, default=None)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(cores(), thread_name_prefix="edudiff")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive a fork: the child makes its own


@cache
def _matrix_library() -> Any:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()
