"""Judge one file: run tests in the sandbox, and say for each task what is wrong, with a hint where one is known."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edudiff.course import hints, runner
from edudiff.course.handed_in import HandedIn
from edudiff.course.sandbox.process import Limits, Sandbox

PASSED, UNWRITTEN, WRONG = "passed", "not written yet", "wrong"
NOT_THERE = "not handed in"


@dataclass(frozen=True)
class Verdict:
    """One task: `status`, what a visible test said (`message`), the `hint` for a known mistake.

    `hidden` is the number of hidden tests that passed and that there are, or None where none were run.
    """

    task: str
    status: str
    message: str = ""
    hint: str = ""
    hidden: tuple[int, int] | None = None

    @property
    def passed(self) -> bool:
        """True for a task that is solved."""
        return self.status == PASSED


@dataclass
class Graded:
    """One student: {assignment: verdicts}, {assignment: what was wrong with the file}, and the defenses that held."""

    student: str
    verdicts: dict[str, list[Verdict]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)

    @property
    def points(self) -> int:
        """How many tasks passed."""
        return sum(verdict.passed for verdicts in self.verdicts.values() for verdict in verdicts)

    @property
    def most(self) -> int:
        """How many tasks there are."""
        return sum(len(verdicts) for verdicts in self.verdicts.values())


@dataclass(frozen=True)
class Judged:
    """One file: a verdict on each task, the defenses that its process had, and what of the file was not run."""

    verdicts: list[Verdict]
    held: list[str]
    notes: list[str]


def judge(
    file: HandedIn, visible: Path, known: hints.Hints, hidden: Path | None = None, limits: Limits | None = None
) -> Judged:
    """Run the tests in the file `visible`, and in `hidden` if given, on the code in `file`.

    `known`: from `edudiff.course.hints`. Hidden tests run last, and only for tasks that pass the visible ones: no
    message of a visible test can then tell what a hidden one asked.
    """
    with Sandbox(file.source, file.name, limits, file.beside) as sandbox:
        shown = runner.run(visible, sandbox.call, list(known))
        left = [result.task for result in shown if result.passed]
        unseen = {result.task: result for result in runner.run(hidden, sandbox.call, left)} if hidden and left else {}
    verdicts = [_verdict(result, unseen.get(result.task), hints.hint(known, result)) for result in shown]
    wrong = [verdict.task for verdict in verdicts if not verdict.passed]
    verdicts = [verdict if verdict.passed else _with_cause(verdict, file.source, wrong) for verdict in verdicts]
    return Judged(verdicts, sandbox.held, sandbox.failed)


def _with_cause(verdict: Verdict, source: str, wrong: Sequence[str]) -> Verdict:
    """The verdict, which says so if the function calls others of the tasks that are `wrong`: it may be right itself.

    Found in the text, since to parse it would be to trust it.
    """
    bodies = re.findall(rf"^def {verdict.task}\b.*?(?=^[A-Za-z_@]|\Z)", source, re.MULTILINE | re.DOTALL)
    called = [task for task in wrong if task != verdict.task and bodies and re.search(rf"\b{task}\(", bodies[-1])]
    if not called:
        return verdict
    cause = f"it calls {' and '.join(called)}, not right yet: begin there"
    return replace(verdict, message=f"{verdict.message}; {cause}" if verdict.message else cause)


def _verdict(shown: runner.Result, unseen: runner.Result | None, hint: str) -> Verdict:
    count = (sum(not outcome.error for outcome in unseen.outcomes), len(unseen.outcomes)) if unseen else None
    if shown.passed and (unseen is None or unseen.passed):
        return Verdict(shown.task, PASSED, hint=hint, hidden=count)
    if shown.passed:
        return Verdict(shown.task, WRONG, "the visible tests pass, hidden ones do not", hint, count)
    if shown.unwritten:
        return Verdict(shown.task, UNWRITTEN)
    first = next((outcome for outcome in shown.outcomes if outcome.error), None)
    message = "there is no test of it" if first is None else first.message
    if first and not first.raised:
        message = f"{first.test.about} {message}"
    return Verdict(shown.task, WRONG, message, hint)
