"""The grader's own memory: tests compute with the answers of strangers, so a limit is set while they run."""

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def memory(more: int) -> Iterator[None]:
    """In this block the process may take `more` bytes of address space than it has: a test that asks for it fails.

    Holds on Linux alone, where the size of a process can be read and limited.
    """
    if sys.platform != "linux":
        yield
        return
    import resource

    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = [limit for limit in (now + more, soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(most), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
