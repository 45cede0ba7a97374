"""Standard output and error of a process: closed, broken, or without a letter, they cost no result."""

import os
import sys
from contextlib import suppress
from typing import Any


def prepare() -> None:
    """Open what is closed, to nowhere, and let a letter that cannot be written be written as its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed: the next file that is opened would get its number, and all that is written to it
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, it stays open
        with suppress(AttributeError):  # replaced by something simpler
            getattr(sys, name).reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """A line on standard error, if anybody can read it."""
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def reader_is_gone() -> bool:
    """True if who read standard output has gone, as `head` does: that is no error of the command."""
    try:
        print(flush=True)  # what failed before is not tried again
    except BrokenPipeError:
        return True
    except (OSError, ValueError):
        return False
    return False


def close() -> None:
    """Write what is left; what cannot be written is given up here, and not by a message when Python ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _give_up(stream)


def _give_up(stream: Any) -> None:
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
