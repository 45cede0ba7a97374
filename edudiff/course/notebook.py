"""Assignments as notebooks with nbgrader's metadata, and code out of notebooks that were handed in.

The instructor's notebook is what nbgrader calls a source notebook: solutions between its markers, hidden tests between
theirs. The student's is the release version of the same notebook.
"""

import ast
import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from edudiff.course.assignment import HIDDEN, VISIBLE, Assignment, functions

HIDE, SHOW = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
MARK, COLON = re.compile(rb'["\[\]{}]'), re.compile(rb"\s*:")
LARGE = {b'"outputs"', b'"attachments"', b'"widgets"'}  # parts of a notebook that hold no code
MOST_MARKS = 1_000_000
STUDENT = "student = SimpleNamespace(**globals())"


def build(assignment: Assignment, for_student: bool) -> Any:
    """The assignment as a notebook node: text, one cell to solve a task, one cell with its tests.

    Needs jupytext and nbformat. Raises ImportError that says how to get them, and nbformat's ValidationError.
    """
    jupytext, nbformat = libraries()
    made = jupytext.reads(assignment.stub if for_student else assignment.source, fmt="py:percent")
    cells = []
    for place, cell in enumerate(made.cells):
        named = [node.name for node in functions(cell.source)] if cell.cell_type == "code" else []
        task = next((name for name in named if name in assignment.tasks), None)
        cells.append(_mark(cell, task or f"text_{place}", solution=task is not None))
        if task:
            source = tests(assignment.test_file(VISIBLE), task)
            if not for_student:
                source += f"\n\n{HIDE}\n{tests(assignment.test_file(HIDDEN), task)}\n{SHOW}"
            cells.append(_mark(nbformat.v4.new_code_cell(source), f"test_{task}", points=1))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    done = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    for cell in done.cells:
        cell["id"] = cell.metadata.nbgrader.grade_id  # ids of nbformat are random; these are the same in every build
    nbformat.validate(done)
    return done


def write(path: Path, notebook: Any) -> None:
    """Write a notebook as JSON."""
    _, nbformat = libraries()
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def code(text: str) -> str:
    """The code of a notebook that was handed in, as one file: its code cells but the tests, each with its number.

    Magics and commands are in it as they are: `edudiff.course.sandbox.submission` leaves them out, where reading a
    program of a stranger costs the stranger. Raises ValueError for what is no notebook.
    """
    try:
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        sources = {place: "".join(cell["source"]) for place, cell in enumerate(cells, 1) if not _is_test(cell)}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a notebook of version 4 ({type(error).__name__})") from error
    return "".join(f"# %% [cell {place}]\n{source}\n\n\n" for place, source in sources.items())


def without_outputs(data: bytes) -> bytes:
    """A notebook (bytes) without outputs and attachments, which may be far larger than its code.

    Found without reading the JSON as a whole. Raises ValueError for more parts than notebooks have.
    """
    kept, start, depth, hidden = [], 0, 0, 0
    for mark, end in _marks(data):
        if mark in (b"[", b"{"):
            depth += 1
        elif mark in (b"]", b"}"):
            depth -= 1
            if hidden and depth == hidden:
                kept.append(b"null")
                start, hidden = end, 0
        elif mark in LARGE and not hidden and (colon := COLON.match(data, end)):
            after = data[colon.end() : colon.end() + 9].lstrip()[:1]
            if after in (b"[", b"{"):
                kept.append(data[start : colon.end()])
                start, hidden = colon.end(), depth
    if hidden:
        raise ValueError("not a notebook: its brackets do not match")
    return b"".join([*kept, data[start:]])


def _marks(data: bytes) -> Iterator[tuple[bytes, int]]:
    """(bracket, or text in its quotes; where it ends) of JSON, one after the other."""
    place = 0
    for _ in range(MOST_MARKS):
        found = MARK.search(data, place)
        if found is None:
            return
        place = found.end()
        if found[0] == b'"':
            end = _closing(data, place)
            yield data[place - 1 : min(end + 1, place + 20)], end + 1
            place = end + 1
        else:
            yield found[0], place
    raise ValueError(f"not a notebook: more than {MOST_MARKS:,} brackets and texts")


def _closing(data: bytes, place: int) -> int:
    """Where the quote is that ends a text which begins at `place`."""
    for _ in range(MOST_MARKS):
        end = data.find(b'"', place)
        if end < 0:
            break
        before = end
        while data[before - 1 : before] == b"\\":
            before -= 1
        if (end - before) % 2 == 0:
            return end
        place = end + 1
    raise ValueError("not a notebook: a text in it has no end")


def tests(path: Path, task: str) -> str:
    """The tests of one task as the text of a cell that runs them on the notebook's own functions.

    All in a function, so that no helper of the tests takes the place of one that a student wrote.
    """
    source = path.read_text(encoding="utf-8-sig")
    lines, kept, names = source.splitlines(keepends=True), [], []
    for node in ast.parse(source).body:
        start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        text = "".join(lines[start - 1 : node.end_lineno])
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            if f"@pytest.mark.{task}\n" in text:
                kept.append("".join(lines[node.lineno - 1 : node.end_lineno]))
                names.append(node.name)
        elif not (isinstance(node, ast.Expr) or text == "import pytest\n"):
            kept.append(text)
    calls = "".join(f"{name}(student)\n" for name in names)
    body = "\n".join([*kept, "from types import SimpleNamespace\n", STUDENT, calls]).rstrip("\n")
    return f"def _check_{task}():\n{textwrap.indent(body, '    ')}\n\n\n_check_{task}()"


def libraries() -> tuple[ModuleType, ModuleType]:
    """(jupytext, nbformat). Raises ImportError that says how to get them."""
    try:
        import jupytext
        import nbformat
    except ImportError as error:
        raise ImportError("notebooks need jupytext; install it with: pip install 'edudiff[lessons]'") from error
    return jupytext, nbformat


def _mark(cell: Any, grade_id: str, solution: bool = False, points: int | None = None) -> Any:
    """Give a cell nbgrader's metadata: to be solved, to be graded (with points), or to be read only."""
    cell.metadata.clear()
    cell.metadata["nbgrader"] = {
        "schema_version": 3,
        "grade_id": grade_id,
        "solution": solution,
        "grade": points is not None,
        "locked": not solution,
        "task": False,
        **({} if points is None else {"points": points}),
    }
    return cell


def _is_test(cell: Any) -> bool:
    return bool(cell.get("metadata", {}).get("nbgrader", {}).get("grade")) or STUDENT in "".join(cell["source"])
