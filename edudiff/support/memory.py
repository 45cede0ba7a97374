"""Memory: that which is freed and asked for again all the time, and that which is not enough."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from edudiff.support.describe import reason

try:
    import resource
except ImportError:  # on Windows; in a browser it may be there and empty
    resource = None  # type: ignore[assignment]

GROUP = Path("/sys/fs/cgroup/memory.max")  # what a container on Linux may use, or "max"

LARGEST = 2**25 - 2**16  # bytes: just below the size from which on glibc always asks the system


def keep_freed_memory() -> None:
    """Let the C library keep what one layer frees for the next one; without that, a training step takes longer.

    By default glibc gives large blocks back to the system at once, and getting them back costs a page fault every
    4 KB. But it learns: a block that is freed tells it that blocks up to this size come and go, and from then on it
    keeps up to twice as much. So one large block is freed here, untouched, which costs nothing. Elsewhere it does no
    harm.
    """
    np.empty(LARGEST, np.uint8)


class OutOfMemory(MemoryError):
    """Memory ran out, and the message names what to choose smaller."""


@contextmanager
def blamed(*settings: str) -> Iterator[None]:
    """Where memory runs out in the block, raise OutOfMemory that names the `settings` it hangs on."""
    try:
        yield
    except OutOfMemory:
        raise
    except MemoryError as error:
        named = " or ".join(f"{name}=" for name in settings)
        raise OutOfMemory(f"memory ran out ({reason(error)}); choose a smaller {named}") from error


def check_room(setting: str, value: int, size: int) -> None:
    """Raise ValueError if the `value` of a setting needs `size` bytes and this process can never have so many."""
    most = room()
    if size > most:
        raise ValueError(
            f"{setting} is {value:,}: that alone needs {size / 1e9:,.0f} GB of memory, of {most / 1e9:,.0f} GB here;"
            " choose a smaller one"
        )


def room() -> float:
    """Bytes of memory that this process may use at most, as far as the system tells; infinity if it does not."""
    found = [float("inf")]
    with suppress(OSError, ValueError, AttributeError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):
        found.append(int(GROUP.read_text()))
    if (
        hasattr(resource, "getrlimit")
        and (limit := resource.getrlimit(resource.RLIMIT_AS)[0]) != resource.RLIM_INFINITY
    ):
        found.append(limit)
    return min(found)
