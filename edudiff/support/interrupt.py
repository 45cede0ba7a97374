"""Being stopped at a good moment: a loop that must not be cut in the middle of a step asks after each step.

Ctrl-C (SIGINT), `kill`, a time limit of a cluster (SIGTERM) and a terminal that is closed (SIGHUP) are one.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Stopped(KeyboardInterrupt):
    """What SIGTERM and SIGHUP raise within `raised`; its one argument is the signal's number."""


@contextmanager
def deferred() -> Iterator[threading.Event]:
    """`with deferred() as stop:` notes a signal instead of obeying; `stop.is_set()` says whether one came.

    It is obeyed at the end of the block: Ctrl-C then raises KeyboardInterrupt. A second one raises it at once. Signals
    that are ignored, or handled by what is not Python, are left alone; outside the main thread none can be caught, and
    nothing changes.
    """
    stop, came = threading.Event(), []

    def note(number: int, frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        came.append(number)
        stop.set()

    with _handled(dict.fromkeys(SIGNALS, note)):
        yield stop
    if came:
        signal.raise_signal(came[0])


@contextmanager
def raised() -> Iterator[None]:
    """Inside, SIGTERM and SIGHUP raise `Stopped` where they would end the process: what is open is closed."""

    def stop(number: int, frame: Any) -> None:
        raise Stopped(number)

    fatal = [number for number in SIGNALS if signal.getsignal(number) == signal.SIG_DFL]
    with _handled(dict.fromkeys(fatal, stop)):
        yield


@contextmanager
def _handled(handlers: dict[int, Any]) -> Iterator[None]:
    """Inside, signals are handled by these functions."""
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        known = {number: signal.getsignal(number) for number in handlers}
        before = {number: known[number] for number in handlers if known[number] not in (None, signal.SIG_IGN)}
    try:
        for number in before:
            signal.signal(number, handlers[number])
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
