"""Progress of long work on standard error: one line that changes on a terminal, elsewhere a line now and then."""

import math
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

PAUSE = 5.0  # seconds between two lines of a file, at least
LONG = 1.0  # seconds of compiling that nobody need be told of
BLINK = 0.3  # seconds between two changes of a terminal's line

_shown: list["Shown"] = []  # what is shown now, the innermost last
_compiles: float | None = None  # since when kernels are compiled without any progress shown


def bar(iterable: Iterable[T], total: int, label: str) -> Iterator[T]:
    """Iterate over `iterable` and show how far it is and the time left, on standard error. `total`: its length.

    Time in which kernels were compiled does not count in what is left. Where nothing can be written, nothing is shown,
    and the work goes on.
    """
    shown = Shown(total, label)
    _shown.append(shown)
    try:
        for item in iterable:
            yield item
            shown.step()
    finally:
        _shown.remove(shown)
        shown.close()


def note(text: str) -> None:
    """Write a line to standard error, above what is shown of some progress."""
    _write(f"\r{text:<50}\n" if _is_screen() else f"{text}\n")


def compiling() -> None:
    """Say that a kernel is compiled now, once, and all after it is faster: beside progress, or if it takes long."""
    global _compiles
    for shown in _shown[-1:]:
        return shown.compiling()
    now = time.monotonic()
    if _compiles is None:
        _compiles = now
    elif now - _compiles > LONG:
        _compiles = math.inf  # it is told
        note("edudiff: compiling, once; what is compiled is kept on disk")


class Shown:
    """How far some work is, as `bar` shows it."""

    def __init__(self, total: int, label: str) -> None:
        self.total, self.label, self.done = total, label, 0
        self.changes = _is_screen()
        self.began = self.begun = self.said = time.monotonic()  # begun: what is left is measured from there on
        self.first, self.compiled = 0, False  # so many were done then; a kernel was compiled since the last step
        if self.changes:
            self._say(f"0 of {total}")

    def __repr__(self) -> str:
        return f"Shown({self.done} of {self.total}, label={self.label!r})"

    def compiling(self) -> None:
        """A kernel is being compiled."""
        if not self.compiled:
            self._say("compiling, once")
        self.compiled = True

    def step(self) -> None:
        """One more is done."""
        self.done += 1
        now = time.monotonic()
        if self.compiled:
            self.first, self.begun, self.compiled = self.done, now, False
        pause = BLINK if self.changes else max(PAUSE, 0.05 * (now - self.began))  # long work is told of less often
        if self.done == self.total:
            self._say(f"{self.done} of {self.total}, {now - self.began:.0f} s")
        elif now - self.said > pause and self.done > self.first:
            left = (now - self.begun) / (self.done - self.first) * (self.total - self.done)
            self._say(f"{self.done} of {self.total}, {left:.0f} s left")

    def close(self) -> None:
        """Nothing more comes: leave a terminal's line as it is."""
        if self.changes:
            _write("\n")

    def _say(self, text: str) -> None:
        self.said = time.monotonic()
        text = f"{self.label:<12} {text}"
        if self.changes:
            width = shutil.get_terminal_size().columns - 1
            _write(f"\r{text[:width]:<{min(width, 50)}}")
        else:
            _write(f"{text}\n")


def _is_screen() -> bool:
    """Can a line be written over: on a terminal, below a notebook's cell?"""
    with suppress(AttributeError, ValueError):  # none, closed
        return "ipykernel" in sys.modules or sys.stderr.isatty()
    return False


def _write(text: str) -> None:
    with suppress(AttributeError, OSError, ValueError):  # none, its reader is gone, closed
        sys.stderr.write(text)
        sys.stderr.flush()
