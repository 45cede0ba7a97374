"""The grader's side of a process that runs a submission: start it, call its functions, end it when its time is up."""

import builtins
import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from edudiff.course.sandbox import callbacks, submission, wire

# The package's own __init__ is not run there: it would put the answers of most tasks into the process.
START = """
import sys, types
sandbox, numpy_folder, seconds, memory = sys.argv[1:]
for name, place in (("edudiff", None), ("edudiff.course", None), ("edudiff.course.sandbox", sandbox)):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [place] if place else []
sys.path.append(numpy_folder)
import numpy, numpy.fft, numpy.linalg, numpy.random
numpy.linalg.svd(numpy.eye(3) @ numpy.eye(3))  # some builds load their kernels at the first use
sys.path.remove(numpy_folder)
from edudiff.course.sandbox import worker
worker.main(numpy_folder, int(seconds), int(memory))
"""
START_SECONDS = 60
MOST_SKIPPED = 8  # statements of a file that may end its process or never end, before the file is given up
UNKNOWN = "an error that cannot be read"
HERE = Path(__file__).parent
PLAIN = {"ValueError", "TypeError", "NotImplementedError", "IndexError", "KeyError", "NameError", "AttributeError"}
PLAIN |= {"AssertionError", "RuntimeError", "ZeroDivisionError", "FloatingPointError", "OverflowError", "MemoryError"}


class Broken(Exception):
    """A submission gave no answer: its process ended, took too long, or sent what is no answer."""


class CannotStart(OSError):
    """The process for a submission did not start, which is no fault of the submission and must not cost it a point."""


@dataclass(frozen=True)
class Limits:
    """What one file may use: `call` and `total` seconds, `memory` in MiB."""

    call: float = 5.0
    total: float = 60.0
    memory: int = 1024

    def __post_init__(self) -> None:
        if not (0 < self.call <= self.total and self.memory >= 256):
            raise ValueError(f"limits are {self}; expected 0 < call <= total seconds and at least 256 MiB of memory")


class Sandbox:
    """The functions of one submission, each call made in its locked process; a process that died is started anew."""

    def __init__(
        self, source: str, name: str, limits: Limits | None = None, beside: Mapping[str, str] | None = None
    ) -> None:
        """`source`: the text of the file `name`; `beside`: {module: text} of the files handed in with it."""
        self.source, self.name, self.limits, self.beside = source, name, limits or Limits(), dict(beside or {})
        self.process: Any = None
        self.talk: Any = None
        self.held: list[str] = []
        self.reasons: dict[str, str] = {}  # why a function is called no more; "" is all
        self.left = self.limits.total
        self.at = 0  # the line of the statement that is being run
        self.skipped: dict[int, str] = {}  # {line: reason} of statements that are not run again
        self.failed: list[str] = []  # statements that could not be run, as sentences

    def __repr__(self) -> str:
        return f"Sandbox({self.name!r}, {self.limits}, held={self.held})"

    def call(self, function: str, args: tuple, kwargs: dict) -> Any:
        """The answer of one function. Raises Broken, or the function's own exception if it is a plain one."""
        reason = self.reasons.get(function) or self.reasons.get("")
        if reason:
            raise Broken(reason)
        if self.process is None:
            self._start()
        reply = self._timed({"call": function, "args": args, "kwargs": kwargs}, function)
        if not isinstance(reply, dict) or not {"result", "error"} & set(reply):
            self._give_up(function, "its process sent something that is no answer")
        if "result" in reply:
            return reply["result"]
        error = exception(reply["error"])
        if self.failed and str(error).endswith(f"there is no function {function!r}"):
            raise NameError(f"there is no function {function!r}; {self.failed[0]}")
        raise error

    def defenses(self) -> list[str]:
        """The names of the defenses that hold in a process like this one; nothing of the submission runs."""
        self._launch()
        return self.held

    def close(self) -> None:
        """End the process and all that it started."""
        if self.process is None:
            return
        process, self.process = self.process, None
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        self.talk.join(1.0)
        if not self.talk.is_alive():  # else a process that got away holds the pipe, and closing it would wait for that
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        """Start the process and run the file in it: again, without a statement that ended it or took too long."""
        while True:
            self._launch()
            self.at = 0
            try:
                loaded = self._spend(None)
                break
            except Broken as error:
                self.close()
                if self.at in {0, *self.skipped} or len(self.skipped) == MOST_SKIPPED:
                    self._give_up("", f"the file cannot be loaded: {error}")
                self.skipped[self.at] = str(error)
                self._check_time()
        told = loaded.get("loaded") if isinstance(loaded, dict) else None
        if not isinstance(told, list):
            self._give_up("", f"the file cannot be loaded: {UNKNOWN}")
        place = submission.Loaded(self.source, self.name, {}).place
        self.failed = [f"{place(line)} was not run: {reason}" for line, reason in self.skipped.items()]
        self.failed += [f"not run: {describe(one[1:] if isinstance(one, tuple) else one)}" for one in told]

    def _launch(self) -> None:
        numpy_folder = str(Path(np.__file__).parents[1])
        seconds, memory = int(self.limits.total) + 1, self.limits.memory << 20
        quiet = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        keep = {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", "-c", START, str(HERE), numpy_folder, str(seconds), str(memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=quiet | keep,
                cwd=os.path.abspath(os.sep),
                start_new_session=True,
            )
        except OSError as error:
            raise CannotStart(f"the process for submissions does not start: {error}") from error
        beside = {name: _bytes(text) for name, text in self.beside.items()}
        order = {"source": _bytes(self.source), "name": self.name, "beside": beside, "skip": list(self.skipped)}
        try:  # up to here nothing of the submission has run
            self.held = self._exchange(order, START_SECONDS)
        except Broken as error:
            self.close()
            raise CannotStart(f"the process for submissions does not start: {error}") from error

    def _timed(self, order: dict | None, function: str) -> Any:
        """One exchange on the submission's time; without an answer the function is given up."""
        try:
            return self._spend(order)
        except Broken as error:
            return self._give_up(function, str(error))
        finally:
            self._check_time()

    def _spend(self, order: dict | None) -> Any:
        """One exchange on the submission's time. Raises Broken without an answer."""
        started = time.monotonic()
        try:
            return self._exchange(order, max(0.01, min(self.limits.call, self.left)))
        finally:
            self.left -= time.monotonic() - started

    def _check_time(self) -> None:
        if self.left <= 0:
            self._give_up("", f"all calls together took longer than {self.limits.total:g} s")

    def _exchange(self, order: dict | None, seconds: float) -> Any:
        """Send `order`, if there is one, and wait for the reply. Raises Broken without one."""
        box: queue.Queue = queue.Queue(1)
        # In a thread, because neither a pipe that is never read nor one that is never written can be waited for in time
        # on every platform. It ends with the process.
        process = self.process
        self.talk = threading.Thread(target=lambda: box.put(self._talk(process, order)), daemon=True)
        self.talk.start()
        try:
            reply = box.get(timeout=seconds)
        except queue.Empty:
            raise Broken(f"no answer within {seconds:.3g} s; is there a loop that does not end?") from None
        if isinstance(reply, Exception):
            raise reply
        return reply

    def _talk(self, process: Any, order: dict | None) -> Any:
        """Send a message and return the answer; in between, answer for the functions that were sent with it."""
        asked = callbacks.Callbacks()
        try:
            if order is not None:
                wire.send(process.stdin, order, asked.functions)
            while True:
                reply = wire.receive_answer(process.stdout)
                if isinstance(reply, dict) and "ask" in reply:
                    wire.send(process.stdin, asked.answer(reply))
                elif isinstance(reply, dict) and isinstance(reply.get("at"), float):
                    self.at = int(reply["at"])
                else:
                    return reply
        except callbacks.Spent as error:
            return Broken(str(error))
        except (EOFError, OSError):
            return Broken("the process of the submission ended")
        except wire.WireError as error:
            return Broken(f"its process sent {error}")
        except (ValueError, OverflowError):
            return Broken("the process of the submission was ended")

    def _give_up(self, function: str, reason: str) -> NoReturn:
        """End the process, and call this function no more; without a name, none."""
        self.close()
        self.reasons[function] = reason
        raise Broken(reason)


def exception(told: Any) -> Exception:
    """The exception that a submission's process told of, if it is of a plain kind; otherwise a Broken that says so."""
    text = describe(told)
    kind = told[0] if text != UNKNOWN else None
    return getattr(builtins, kind)(text) if kind in PLAIN else Broken(text)


def describe(told: Any) -> str:
    """(type, message, place) as one line of text. What is not that came from a submission that plays tricks."""
    if not isinstance(told, tuple) or [type(part) for part in told] != [str, str, str]:
        return UNKNOWN
    kind, message, place = told
    return f"{kind}{f' in {place}' if place else ''}{f': {message}' if message else ''}"


def _bytes(text: str) -> Any:
    """A text as an array, since one in a message is short; what is no text in a notebook is no Python either."""
    return np.frombuffer(text.encode("utf-8", "backslashreplace"), np.uint8)  # (bytes,)
