"""Ctrl-C at a good moment: a loop that must not be cut in the middle of a step asks after each step."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def deferred() -> Iterator[threading.Event]:
    """`with deferred() as stop:` notes Ctrl-C instead of raising; `stop.is_set()` says whether it came.

    A second Ctrl-C raises KeyboardInterrupt at once. Outside the main thread signals cannot be caught, and nothing
    changes.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    signal.signal(signal.SIGINT, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
