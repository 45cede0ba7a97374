"""Whether an assignment can grade: what `build` refuses before it makes anything, with the file that is at fault."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from edudiff.course import answers, runner
from edudiff.course.assignment import HIDDEN, VISIBLE, Assignment
from edudiff.course.sandbox.process import Sandbox


def check(one: Assignment) -> None:
    """Raise ValueError for an assignment that could take points from a right solution, or give them to none.

    Files that are no Python, tests with the marker of no task, tests that ask something else at each run, and a master
    that does not answer in a submission's process as it does here.
    """
    files = [one.test_file(name) for name in (VISIBLE, HIDDEN)]
    one.wrongs  # noqa: B018, reading them checks them
    for path in files:
        for test in runner.tests(path):
            if test.task not in one.tasks:
                raise ValueError(
                    f"{path}: {test.name} has the marker {test.task}, which is no task of {one.name}; expected one of"
                    f" {', '.join(one.tasks)}"
                )
            first, second = (_asked(one, test) for _ in range(2))
            if first != second:
                raise ValueError(
                    f"{path}: {test.name} asks something else at each run; draw with numpy.random.default_rng(SEED)"
                )
    _check_confined(one, files)


def _asked(one: Assignment, test: runner.Test) -> list[str]:
    """What a test asks of the master, as fingerprints of the arguments of each call."""
    inner, asked = runner.local(runner.loaded(one.source, one.name)), []

    def call(name: str, args: tuple, kwargs: dict) -> Any:
        asked.append(f"{name} {_print([*args, *kwargs.items()])}")
        return inner(name, args, kwargs)

    runner._outcome(test, runner.Student(call))
    return asked


def _print(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_print, value))}]"
    return "a function" if callable(value) else answers.print_of(value)


def _check_confined(one: Assignment, files: list[Path]) -> None:
    """The master in a submission's process: it may need a library, a file or time that a solution does not get."""
    here = runner.local(runner.loaded(one.source, one.name))
    with Sandbox(one.source, f"{one.name}.py") as box:
        for path in files:
            pairs = zip(runner.run(path, here, one.tasks), runner.run(path, box.call, one.tasks), strict=True)
            for result, confined in pairs:
                if result.passed and not confined.passed:
                    said = next((o.message for o in confined.outcomes if o.error), "")
                    raise ValueError(
                        f"{one.folder / f'{one.name}.py'}: {confined.task} passes {path.name} here and not in a"
                        f" submission's process: {said}{''.join(f'; {note}' for note in box.failed)}"
                    )
                if result.passed and result.fingerprint != confined.fingerprint:
                    raise ValueError(
                        f"{one.folder / f'{one.name}.py'}: {confined.task} answers {path.name} otherwise in a"
                        " submission's process, so no hint could fit; expected numbers, arrays, and tuples of them"
                    )
