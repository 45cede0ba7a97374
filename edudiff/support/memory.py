"""Memory that is freed and asked for again all the time."""

import numpy as np

LARGEST = 2**25 - 2**16  # bytes: just below the size from which on glibc always asks the system


def keep_freed_memory() -> None:
    """Let the C library keep what one layer frees for the next one; without that, a training step takes longer.

    By default glibc gives large blocks back to the system at once, and getting them back costs a page fault every
    4 KB. But it learns: a block that is freed tells it that blocks up to this size come and go, and from then on it
    keeps up to twice as much. So one large block is freed here, untouched, which costs nothing. Elsewhere it does no
    harm.
    """
    np.empty(LARGEST, np.uint8)
