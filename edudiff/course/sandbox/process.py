"""The grader's side of a process that runs a submission: start it, call its functions, end it when its time is up."""

import builtins
import contextlib
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from edudiff.course.sandbox import wire

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
MOST_ASKED = 10_000_000  # values in an array that a submission makes the grader compute
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

    def __init__(self, source: str, name: str, limits: Limits | None = None) -> None:
        self.source, self.name, self.limits = source, name, limits or Limits()
        self.process: Any = None
        self.talk: Any = None
        self.held: list[str] = []
        self.reasons: dict[str, str] = {}  # why a function is called no more; "" is all
        self.left = self.limits.total

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
        raise exception(reply["error"])

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
        # As bytes, since a text in a message is kept short; what is no text in a notebook is no Python either.
        text = np.frombuffer(self.source.encode("utf-8", "backslashreplace"), np.uint8)  # (bytes,)
        try:  # up to here nothing of the submission has run
            self.held = self._exchange({"source": text, "name": self.name}, START_SECONDS)
        except Broken as error:
            self.close()
            raise CannotStart(f"the process for submissions does not start: {error}") from error
        loaded = self._timed(None, "")
        if not isinstance(loaded, dict) or "loaded" not in loaded:
            told = loaded.get("error") if isinstance(loaded, dict) else None
            self._give_up("", f"the file cannot be loaded: {describe(told)}")

    def _timed(self, order: dict | None, function: str) -> Any:
        """One exchange on the submission's time; without an answer the function is given up."""
        started = time.monotonic()
        try:
            return self._exchange(order, max(0.01, min(self.limits.call, self.left)))
        except Broken as error:
            return self._give_up(function, str(error))
        finally:
            self.left -= time.monotonic() - started
            if self.left <= 0:
                self._give_up("", f"all calls together took longer than {self.limits.total:g} s")

    def _exchange(self, order: dict | None, seconds: float) -> Any:
        """Send `order`, if there is one, and wait for the reply. Raises Broken without one."""
        box: queue.Queue = queue.Queue(1)
        # In a thread, because neither a pipe that is never read nor one that is never written can be waited for in time
        # on every platform. It ends with the process.
        process = self.process
        self.talk = threading.Thread(target=lambda: box.put(_talk(process, order)), daemon=True)
        self.talk.start()
        try:
            reply = box.get(timeout=seconds)
        except queue.Empty:
            raise Broken(f"no answer within {seconds:.3g} s; is there a loop that does not end?") from None
        if isinstance(reply, Exception):
            raise reply
        return reply

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
    """(type, message, line) as one line of text. What is not that came from a submission that plays tricks."""
    if not isinstance(told, tuple) or [type(part) for part in told] != [str, str, int]:
        return UNKNOWN
    kind, message, line = told
    return f"{kind}{f' in line {line}' if line else ''}{f': {message}' if message else ''}"


def _talk(process: Any, order: dict | None) -> Any:
    """Send a message and return the answer; in between, answer for the functions that were sent with it."""
    functions: list = []
    try:
        if order is not None:
            wire.send(process.stdin, order, functions)
        while True:
            reply = wire.receive(process.stdout)
            if not (isinstance(reply, dict) and "ask" in reply):
                return reply
            wire.send(process.stdin, _ask(functions, reply))
    except (EOFError, OSError):
        return Broken("the process of the submission ended")
    except wire.WireError as error:
        return Broken(f"its process sent {error}")
    except ValueError:
        return Broken("the process of the submission was ended")


def _ask(functions: list, reply: dict) -> dict:
    """The answer of a test's own function to what the submission passed to it."""
    try:
        args, kwargs = reply["args"], reply["kwargs"]
        shapes = [value.shape for value in (*args, *kwargs.values()) if isinstance(value, np.ndarray | np.generic)]
        if math.prod(np.broadcast_shapes(*shapes)) > MOST_ASKED:
            raise ValueError(f"arrays of the shapes {shapes} are too large; at most {MOST_ASKED:,} values together")
        return {"result": functions[reply["ask"]](*args, **kwargs)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
