"""Two measurements: the median seconds of calls that take turns, and the memory that one call needs."""

import ctypes
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edudiff.support.backends import has_gpu, has_numba

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def interleaved(calls: Mapping[str, Callable[[], Any]], rounds: int = 5) -> dict[str, float]:
    """Median seconds of each of `calls` {name: function without arguments}: {name: seconds}.

    They take turns, so that whatever else the machine does slows all of them down; a first round, in which kernels are
    compiled and caches filled, does not count. Raises ValueError for no calls or fewer than one round.
    """
    if not calls or rounds < 1:
        raise ValueError(f"got {len(calls)} calls and {rounds} rounds, expected at least one of each")
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            begun = time.perf_counter()
            call()
            found[name].append(time.perf_counter() - begun)
    return {name: statistics.median(seconds[1:]) for name, seconds in found.items()}


def extra_memory(call: Callable[[], Any]) -> int:
    """Bytes that `call()` needs at its peak beyond what was there before.

    On Linux, the growth of the process's resident memory, which sees the arrays of compiled kernels and of other
    libraries too; elsewhere, what NumPy and Python ask for.
    """
    if sys.platform == "linux" and _reset_peak():
        before = _resident("VmRSS")
        call()
        return max(0, _resident("VmHWM") - before)
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _reset_peak():
    """Give freed memory back and start the peak anew; False where the system does not allow it."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
        RESET.write_text("5")
    except (OSError, AttributeError):
        return False
    return True


def _resident(name):
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return 1024 * int(line.split()[1])


def usable(backend: str) -> bool:
    """Can this back end run here? "numpy" always, "numba" if it is installed, "cupy" if there is a GPU too."""
    return backend == "numpy" or (has_numba() if backend == "numba" else has_gpu())
