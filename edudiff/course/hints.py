"""What is known of wrong solutions: the fingerprint of their answers to the visible tests, and a hint for each.

The list can be given to students. The fingerprint is a hash, and the hint is sealed with the answers themselves: only
who gave these wrong answers can read it, and nobody learns all mistakes, and so the solution, beforehand.
"""

import json
import re
from collections.abc import Sequence
from hashlib import shake_256
from pathlib import Path

from edudiff.course import answers, runner
from edudiff.course.assignment import HIDDEN, VISIBLE, Assignment

FILE = "hints.json"
Hints = dict[str, dict[str, str]]  # {task: {fingerprint: sealed hint}}


def collect(assignment: Assignment) -> Hints:
    """{task: {fingerprint: sealed hint}} of all wrong solutions.

    Raises ValueError if the master fails a test, if a wrong solution passes all hidden tests, or if it answers the
    visible tests as the master or another wrong solution does: then these need a case that tells them apart.
    """
    visible, hidden = (assignment.test_file(name) for name in (VISIBLE, HIDDEN))
    master = runner.local(runner.loaded(assignment.source, assignment.name))
    known: dict[str, dict[str, tuple[str, bytes]]] = {}
    for path in (hidden, visible):
        for result in runner.run(path, master, assignment.tasks):
            if not result.passed:
                said = [o.message for o in result.outcomes if o.error] or ["no test has its marker"]
                raise ValueError(f"{assignment.name}: the master fails {path.name} of {result.task}: {said[0]}")
            known[result.task] = {_mark(result): ("the master", b"")}
    for wrong in assignment.wrongs:
        call = runner.local(runner.loaded(wrong.source, wrong.name))
        [result], [unseen] = (runner.run(path, call, [wrong.task]) for path in (visible, hidden))
        if unseen.passed:
            raise ValueError(f"{assignment.name}: {wrong.name} passes all hidden tests")
        twin = known[wrong.task].setdefault(_mark(result), (wrong.name, _seal(wrong.hint.encode(), result.prints)))
        if twin[0] != wrong.name:
            raise ValueError(f"{assignment.name}: {wrong.name} answers the visible tests as {twin[0]} does")
    return {task: {mark: hint.hex() for mark, (_, hint) in found.items() if hint} for task, found in known.items()}


def hint(hints: Hints, result: runner.Result) -> str:
    """The hint for the answers in a `runner.Result`; empty if none is known."""
    sealed = hints[result.task].get(_mark(result), "")
    return _seal(bytes.fromhex(sealed), result.prints).decode()


def _mark(result: runner.Result) -> str:
    """The fingerprint of the answers, and of what errors said, without places and sizes.

    Answers alone are not enough: a function that raises a ValueError wherever it is called may do so for many reasons.
    """
    said = [outcome.message for outcome in result.outcomes if outcome.error not in ("", "AssertionError")]
    return answers.fingerprint([*result.prints, *(re.sub(r"\d+", "#", text.rpartition(": ")[2]) for text in said)])


def _seal(text: bytes, prints: Sequence[str]) -> bytes:
    """`text` (bytes) added to a stream of bytes made from answers; doing it twice gives the text again."""
    stream = shake_256("\n".join(prints).encode("utf-8", "backslashreplace")).digest(len(text))
    return bytes(a ^ b for a, b in zip(text, stream, strict=True))


def write(path: Path, hints: Hints) -> None:
    """Write hints as JSON."""
    path.write_text(json.dumps(hints, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Hints:
    """Hints as `collect` made them; their keys are the tasks, in order. Raises ValueError for another file."""
    try:
        hints = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read ({error}); build the bundle again: edudiff course build") from error
    if not isinstance(hints, dict) or not all(isinstance(known, dict) for known in hints.values()):
        raise ValueError(f"{path} is not a list of hints; build the bundle again: edudiff course build")
    return hints
