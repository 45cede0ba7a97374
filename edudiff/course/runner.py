"""Run the tests of one assignment on one submission, task by task, and take the fingerprint of what it answered.

A test is a plain function `test_name(student)` with a marker that names its task. `student.add_noise(...)` calls the
submission, wherever it runs. pytest runs the same files (see `plugin`); here they run without it, so that a grader can
trust what is counted.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from edudiff.course import answers
from edudiff.course.assignment import functions, python
from edudiff.course.sandbox.process import CannotStart

MOST_LETTERS = 2000  # of one message
Call = Callable[[str, tuple, dict], Any]  # a function of a submission by name, its arguments, its keywords


@dataclass(frozen=True)
class Test:
    """One test function of a file: `about` is the first line of its docstring."""

    name: str
    task: str
    about: str
    run: Callable


@dataclass
class Outcome:
    """What one test found: `error` is the type of exception it ended in, "" if it passed."""

    test: Test
    error: str = ""
    message: str = ""
    raised: bool = False  # by the submission, not by the test


@dataclass
class Result:
    """All outcomes of one task, and the fingerprint of the answers that were given on the way."""

    task: str
    outcomes: list[Outcome] = field(default_factory=list)
    prints: list[str] = field(default_factory=list, repr=False)

    @property
    def passed(self) -> bool:
        """True if there are tests and all of them passed."""
        return bool(self.outcomes) and not any(outcome.error for outcome in self.outcomes)

    @property
    def unwritten(self) -> bool:
        """True if a test met NotImplementedError, which is what a stub raises."""
        return any(outcome.error == "NotImplementedError" for outcome in self.outcomes)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of all answers; see `edudiff.course.answers.fingerprint`."""
        return answers.fingerprint(self.prints)


class Student:
    """What a test sees of a submission: its functions. Answers to the task under test are kept for the fingerprint."""

    def __init__(self, call: Call, task: str | None = None, prints: list[str] | None = None) -> None:
        self._call, self._task, self._prints = call, task, [] if prints is None else prints
        self._last: tuple[str, tuple, Any] | None = None  # function, arguments, answer
        self._raised: BaseException | None = None

    def __repr__(self) -> str:
        return f"Student(task={self._task!r})"

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def function(*args: Any, **kwargs: Any) -> Any:
            try:
                answer = self._call(name, args, kwargs)
            except Exception as error:
                self._raised = error
                self._keep(name, type(error).__name__)
                raise
            self._last = name, (*args, *kwargs.values()), answer
            self._keep(name, answer)
            return answer

        return function

    def _keep(self, name: str, answer: Any) -> None:
        if name == self._task:
            self._prints.append(answers.print_of(answer))


def local(names: dict[str, Any]) -> Call:
    """A `call` for `Student` in this process: for code that is trusted, or the student's own."""

    def call(name: str, args: tuple, kwargs: dict) -> Any:
        if name not in names:
            raise NameError(f"there is no function {name!r}")
        return names[name](*[_frozen(a) for a in args], **{k: _frozen(v) for k, v in kwargs.items()})

    return call


def _frozen(value: Any) -> Any:
    """A view that cannot be written to, so that a function which changes its input is found out."""
    if isinstance(value, tuple):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, np.ndarray):
        value = value.view()
        value.flags.writeable = False
    return value


def run(path: Path, call: Call, tasks: Sequence[str]) -> list[Result]:
    """Run the tests of a file: one `Result` for each of `tasks`, in order."""
    results = {task: Result(task) for task in tasks}
    for test in tests(path):
        if test.task in results:
            result = results[test.task]
            result.prints.append(test.name)
            outcome = _outcome(test, Student(call, test.task, result.prints))
            result.prints.append(outcome.error)
            result.outcomes.append(outcome)
    return list(results.values())


def _outcome(test: Test, student: Student) -> Outcome:
    try:
        with np.errstate(all="ignore"):
            test.run(student)
    except CannotStart:
        raise
    except Exception as error:
        raised = error is student._raised
        message = str(error) if raised else _message(error, student._last)
        return Outcome(test, type(error).__name__, (message or "a check failed")[:MOST_LETTERS], raised)
    return Outcome(test)


def _message(error: Exception, last: tuple[str, tuple, Any] | None) -> str:
    """What a test found wrong, with the function that it is about."""
    text = str(error)
    if last is None:
        return text
    name, arguments, answer = last
    if not isinstance(error, AssertionError):
        said = f"{type(error).__name__}: {text}"
        missing = "; is a return missing?" if answer is None else ""
        return f"the test cannot use what {name} returned, which is {answers.kind(answer)}{missing} ({said})"
    if text.startswith(answers.ANSWER):
        text = f"the answer of {name}{text.removeprefix(answers.ANSWER)}"
    return text + answers.times(error, arguments) if text else f"the answer of {name} is {answers.kind(answer)}"


def loaded(source: str, path: str | Path) -> dict[str, Any]:
    """The names that a trusted file defines: {name: value}. Its asserts hold, whatever Python was told."""
    module = ModuleType(f"{Path(path).stem}_of_the_course")  # as a module, because dataclasses look up their own
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    exec(compile(source, str(path), "exec", dont_inherit=True, optimize=0), module.__dict__)
    return module.__dict__


@lru_cache(maxsize=64)
def tests(path: Path) -> list[Test]:
    """The tests of a file. Raises ValueError for two of one name, or for one without exactly one marker."""
    source = python(path)
    names = [node.name for node in functions(source)]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"{path}: {', '.join(sorted(twice))} is defined twice, so the first would never run")
    found = []
    try:
        there = loaded(source, path)
    except ModuleNotFoundError as error:
        raise ValueError(f"{path} needs {error.name}, which is not installed: pip install {error.name}") from error
    except Exception as error:
        raise ValueError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error
    for name, value in there.items():
        if name.startswith("test_") and callable(value):
            markers = [mark.name for mark in getattr(value, "pytestmark", [])]
            if len(markers) != 1:
                raise ValueError(f"{path}: {name} has the markers {markers}, expected one: the task that it tests")
            found.append(Test(name, markers[0], _about(name, value), value))
    return found


def _about(name: str, test: Callable[..., Any]) -> str:
    """What a test is about, in a sentence: the first line of its docstring, or else its name."""
    lines = (test.__doc__ or "").strip().splitlines()
    words = name.removeprefix("test_").replace("_", " ")
    return lines[0] if lines else f"{words[:1].upper()}{words[1:]}."
