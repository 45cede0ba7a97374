"""Grades as files: a table for all (CSV), and for each student JUnit XML and Gradescope's results.json.

What a hidden test said is in none of them, only how many passed: the messages of a submission's own errors could carry
what it was tested with.
"""

import csv
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from edudiff.course.judge import NOT_THERE, Graded, Verdict

FORMULA = re.compile(r"\s*[=+\-@\t\r]")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # what XML cannot hold


def write_table(path: Path, done: list[Graded]) -> None:
    """One row a student: total, and 1 or 0 for each task; the last column says what was wrong with files."""
    names = [f"{name}/{verdict.task}" for name, verdicts in done[0].verdicts.items() for verdict in verdicts]
    with open(path, "w", newline="", encoding="utf-8-sig") as file:  # without the mark spreadsheets misread names
        table = csv.writer(file)
        table.writerow(["student", "points", "out of", *names, "notes"])
        for graded in done:
            points = [int(verdict.passed) for verdicts in graded.verdicts.values() for verdict in verdicts]
            notes = "; ".join(f"{name} {problem}" for name, problem in graded.problems.items())
            table.writerow([cell(graded.student), graded.points, graded.most, *points, cell(notes)])


def write_one(folder: Path, graded: Graded) -> None:
    """`junit.xml` and `results.json` of one student."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "junit.xml").write_bytes(junit(graded))
    (folder / "results.json").write_text(json.dumps(gradescope(graded), indent=1) + "\n", encoding="utf-8")


def junit(graded: Graded) -> bytes:
    """One test suite an assignment, one test case a task: bytes."""
    root = ElementTree.Element("testsuites", name=clean(graded.student))
    for name, verdicts in graded.verdicts.items():
        failures = sum(not verdict.passed for verdict in verdicts)
        suite = ElementTree.SubElement(root, "testsuite", name=name, tests=str(len(verdicts)), failures=str(failures))
        for verdict in verdicts:
            case = ElementTree.SubElement(suite, "testcase", classname=name, name=verdict.task)
            if not verdict.passed:
                failure = ElementTree.SubElement(case, "failure", message=verdict.status)
                failure.text = clean(text(verdict))
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def gradescope(graded: Graded) -> dict[str, Any]:
    """The dictionary that Gradescope reads: one point a task."""
    tests = [
        {
            "name": f"{name}: {verdict.task}",
            "score": int(verdict.passed),
            "max_score": 1,
            "status": "passed" if verdict.passed else "failed",
            "output": clean(text(verdict)),
        }
        for name, verdicts in graded.verdicts.items()
        for verdict in verdicts
    ]
    notes = "\n".join(f"{name}: {problem}" for name, problem in graded.problems.items())
    shown = {"score": graded.points, "stdout_visibility": "hidden", "visibility": "visible", "tests": tests}
    return {**shown, "output": clean(notes)} if notes else shown


def lines(graded: Graded) -> list[str]:
    """One student for a terminal: the points, and for each task that is wrong the reason."""
    said = [f"{graded.student}: {graded.points} of {graded.most}"]
    absent = [name for name, problem in graded.problems.items() if problem == NOT_THERE]
    said += [f"    not handed in: {', '.join(absent)}"] if absent else []
    said += [f"    {name}: {problem}" for name, problem in graded.problems.items() if name not in absent]
    for name, verdicts in graded.verdicts.items():
        for verdict in verdicts:
            if not verdict.passed and name not in absent and verdict.message != graded.problems.get(name):
                reason = f": {verdict.message}" if verdict.message else ""
                said.append(f"    {name}/{verdict.task}: {verdict.status}{reason}")
    return [clean(" ".join(line.split("\n"))) for line in said]


def text(verdict: Verdict) -> str:
    """What a student reads about one task."""
    lines = [verdict.status, verdict.message, f"Hint: {verdict.hint}" if verdict.hint else ""]
    if verdict.hidden is not None:
        lines.append("{} of {} hidden tests passed".format(*verdict.hidden))
    return "\n".join(line for line in lines if line)


def cell(string: str) -> str:
    """`string` as a cell of a table: one that a spreadsheet would take for a formula begins with an apostrophe."""
    string = clean(string)
    return f"'{string}" if FORMULA.match(string) else string


def clean(string: str) -> str:
    """`string` with what a file in UTF-8 or XML cannot hold replaced: names and messages are the submission's."""
    return CONTROL.sub("?", string)
