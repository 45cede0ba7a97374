"""The process in which a submission runs: locked in first, then it answers calls until its input ends.

It never sees a test or an expected answer. It is sent a file and then calls with their arguments, and sends back what
the functions return. So the worst that a submission can forge is an answer, and a wrong answer fails.
"""

import builtins
import os
import pdb  # noqa: F401  # before the lock, for doctest asks for it
import sys
import types
from collections.abc import Callable
from typing import Any, BinaryIO

from edudiff.course.sandbox import lockdown, submission, wire


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
    sys.breakpointhook = lambda *_, **__: None  # one that was left in stops nobody here
    sys.modules |= {name: types.ModuleType(name) for name in ("ipdb", "pudb")}
    for name in ("pdb", "ipdb", "pudb"):
        sys.modules[name].set_trace = sys.breakpointhook  # type: ignore[attr-defined]
    builtins.input = _no_input
    builtins.display = lambda *_, **__: None  # type: ignore[attr-defined]  # notebooks have it
    beside = {name: text.tobytes().decode() for name, text in order["beside"].items()}
    sys.meta_path.append(submission.Beside(beside))
    made = submission.load(
        order["source"].tobytes().decode(),
        order["name"],
        set(order["skip"]),
        lambda line: wire.send(sink, {"at": line}),
    )
    channel = Channel(source, sink, made)
    wire.send(sink, {"loaded": [(line, *told) for line, told in made.failed[:99]]})
    while True:
        channel.answer(made.names, wire.receive(source, channel.stand_in))


class Channel:
    """Answers calls, and lets a function under test call back the functions that it was given."""

    def __init__(self, source: BinaryIO, sink: BinaryIO, made: submission.Loaded) -> None:
        self.source, self.sink, self.made = source, sink, made

    def answer(self, names: dict, order: dict) -> None:
        """One call: {"call", "args", "kwargs"} in, {"result"} or {"error"} out."""
        try:
            if order["call"] not in names:
                raise NameError(f"there is no function {order['call']!r}{self.made.why_not(order['call'])}")
            wire.send(self.sink, {"result": names[order["call"]](*order["args"], **order["kwargs"])})
        except wire.WireError as error:
            wire.send(self.sink, {"error": ("TypeError", f"{order['call']} returned {error}", "")})
        except BaseException as error:  # SystemExit too: the next task may still be right
            wire.send(self.sink, {"error": submission.told(error, self.made)})

    def stand_in(self, place: int) -> Callable[..., Any]:
        """A function that asks the grader for the answer of its `place`-th function."""

        def function(*args: Any, **kwargs: Any) -> Any:
            wire.send(self.sink, {"ask": place, "args": args, "kwargs": kwargs})
            reply = wire.receive(self.source)
            if "error" in reply:
                raise ValueError(reply["error"])
            return reply["result"]

        return function


def _no_input(*_: object) -> str:
    raise EOFError("input() waits for a person, and nobody is here; take it out")


def _forget_the_package() -> None:
    """The package answers most tasks; a submission has to write them."""
    for name in [name for name in sys.modules if name.split(".")[0] == "edudiff"]:
        del sys.modules[name]
    sys.path[:] = [path for path in sys.path if "site-packages" not in path and "dist-packages" not in path]
