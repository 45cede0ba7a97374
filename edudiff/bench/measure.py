"""Three measurements: the median seconds of calls that take turns, their cost, and the memory that one call needs."""

import ctypes
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from edudiff.support.backends import has_gpu, has_numba

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
CALIBRATION = 1 << 16, 1000  # numbers, so few that they stay in a core's own cache, and how often: some 50 ms


class Turn(NamedTuple):
    """One call: the seconds that passed, and those that processors worked for this process, all threads together."""

    elapsed: float
    processor: float


def turns(calls: Mapping[str, Callable[[], Any]], rounds: int = 5) -> dict[str, list[Turn]]:
    """What each of `calls` {name: function without arguments} took, `rounds` times: {name: list of `Turn`}.

    They take turns, so that whatever else the machine does slows all of them down; a first round, in which kernels are
    compiled and caches filled, does not count. Raises ValueError for no calls or fewer than one round.
    """
    if not calls or rounds < 1:
        raise ValueError(f"got {len(calls)} calls and {rounds} rounds, expected at least one of each")
    found: dict[str, list[Turn]] = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            begun, worked = time.perf_counter(), time.process_time()
            call()
            found[name].append(Turn(time.perf_counter() - begun, time.process_time() - worked))
    return {name: taken[1:] for name, taken in found.items()}


def interleaved(calls: Mapping[str, Callable[[], Any]], rounds: int = 5) -> dict[str, float]:
    """Median seconds of each of `calls`, which take turns as in `turns`: {name: seconds}."""
    return {name: float(np.median([turn.elapsed for turn in taken])) for name, taken in turns(calls, rounds).items()}


def costs(calls: Mapping[str, Callable[[], Any]], rounds: int = 5) -> dict[str, dict[str, float]]:
    """What each of `calls` costs, for a record: {name: {"seconds", "processor_seconds", "calibration_seconds"}}.

    `seconds`: the median of what passed. The two others, means of a call, can be compared with another run: how long
    processors worked, which other programs hardly change, and how long they did for a piece of work that no version of
    edudiff changes and that took its turns too. On two cores with seven busy programs the quotient varied by 1 %, the
    seconds by 15 %.
    """
    taken = turns({**calls, "calibration": calibration}, rounds)
    worked = {name: float(np.mean([turn.processor for turn in of_one])) for name, of_one in taken.items()}
    unit = worked.pop("calibration")
    return {
        name: {
            "seconds": float(np.median([turn.elapsed for turn in taken[name]])),
            "processor_seconds": value,
            "calibration_seconds": unit,
        }
        for name, value in worked.items()
    }


def calibration() -> None:
    """Work of a fixed amount on one core, in its cache: NumPy's exponentials, products and sums, float32."""
    count, repeats = CALIBRATION
    x = np.linspace(-1, 0, count, dtype=np.float32)  # (count,)
    out = np.empty_like(x)  # (count,)
    for _ in range(repeats):
        np.exp(x, out=out)
        out *= x
        out += x


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
