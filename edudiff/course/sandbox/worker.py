"""The process in which a submission runs: locked in first, then it answers calls until its input ends.

It never sees a test or an expected answer. It is sent a file and then calls with their arguments, and sends back what
the functions return. So the worst that a submission can forge is an answer, and a wrong answer fails.
"""

import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO

from edudiff.course.sandbox import lockdown, wire


def main(numpy_folder: str, seconds: int, memory: int) -> None:
    """Serve one submission. Standard input and output are the channel; what the submission prints goes nowhere."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    order = wire.receive(source)
    held = lockdown.lock(numpy_folder, seconds, memory)
    _forget_the_package()
    wire.send(sink, held)
    names, error = _load(order["source"].tobytes().decode(), order["name"])
    wire.send(sink, error or {"loaded": sorted(name for name, value in names.items() if callable(value))})
    channel = Channel(source, sink, order["name"])
    while True:
        channel.answer(names, wire.receive(source, channel.stand_in))


class Channel:
    """Answers calls, and lets a function under test call back the functions that it was given."""

    def __init__(self, source: BinaryIO, sink: BinaryIO, name: str) -> None:
        self.source, self.sink, self.name = source, sink, name

    def answer(self, names: dict, order: dict) -> None:
        """One call: {"call", "args", "kwargs"} in, {"result"} or {"error"} out."""
        try:
            if order["call"] not in names:
                raise NameError(f"there is no function {order['call']!r}")
            wire.send(self.sink, {"result": names[order["call"]](*order["args"], **order["kwargs"])})
        except wire.WireError as error:
            wire.send(self.sink, {"error": ("TypeError", f"returned {error}", 0)})
        except BaseException as error:  # SystemExit too: the next task may still be right
            wire.send(self.sink, _error(error, self.name))

    def stand_in(self, place: int) -> Callable[..., Any]:
        """A function that asks the grader for the answer of its `place`-th function."""

        def function(*args: Any, **kwargs: Any) -> Any:
            wire.send(self.sink, {"ask": place, "args": args, "kwargs": kwargs})
            reply = wire.receive(self.source)
            if "error" in reply:
                raise ValueError(reply["error"])
            return reply["result"]

        return function


def _load(text: str, name: str) -> tuple[dict, dict | None]:
    """Run a submission's file; returns its names, and None or the error."""
    names: dict[str, Any] = {"__name__": "submission", "__file__": name}
    try:
        exec(compile(text, name, "exec"), names)
    except BaseException as error:  # SystemExit too: a file that ends itself is a file that cannot be loaded
        return names, _error(error, name)
    return names, None


def _error(error: BaseException, name: str) -> dict:
    """What is told of an exception: its type, its text, and the line of the submission where it was raised."""
    try:
        frames = traceback.walk_tb(error.__traceback__)
        lines = [line for frame, line in frames if frame.f_code.co_filename == name]
        line = lines[-1] if lines else getattr(error, "lineno", 0) or 0
        return {"error": (type(error).__name__, str(error)[:500], line)}
    except BaseException:  # its __str__ is the submission's too
        return {"error": ("Exception", "an error without a text", 0)}


def _forget_the_package() -> None:
    """The package answers most tasks; a submission has to write them."""
    for name in [name for name in sys.modules if name.split(".")[0] == "edudiff"]:
        del sys.modules[name]
    sys.path[:] = [path for path in sys.path if "site-packages" not in path and "dist-packages" not in path]
