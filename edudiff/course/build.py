"""Make the bundles: what students get, without a line of a solution, and what a grader needs."""

import shutil
from pathlib import Path

from edudiff.course import assignment, hints, notebook

STUDENT, GRADER = "student", "grader"

README = """\
# Assignments

Each folder is one assignment: text and functions to write, as a file (`.py`) and as a notebook (`.ipynb`). Fill in one
of the two and hand it in under its name.

    pip install 'edudiff[lessons]'

    python grade.py    # check all that is here
    python grade.py {first}    # check one assignment
    pytest -m {task}    # run the tests of one task in your own process, so that breakpoints work

A solution may import NumPy and the standard library. It computes: it reads and writes no file. It never writes to its
inputs. Whoever grades has more tests than these.

| assignment | tasks |
|---|---|
{rows}
"""

FOR_GRADER = """\
# For grading

Do not hand this folder out: it holds the solutions and the hidden tests. Put what students hand in into a folder with
one folder for each student, as `.py` or `.ipynb` under the names that they got, and run

    edudiff course grade SUBMISSIONS --grader {folder} --out grades.csv

It writes the table `grades.csv`, and for each student `grades/STUDENT/results.json`, which Gradescope reads, and
`junit.xml`. A task's point needs all its visible and hidden tests. The notebooks here are source notebooks of nbgrader.
"""

GRADE = '''\
"""Check the assignments in this folder: `python grade.py`, or `python grade.py FOLDER` for one of them."""

import sys
from pathlib import Path

from edudiff.cli import main

HERE = Path(__file__).parent
sys.exit(main(["course", "check", str(HERE.joinpath(*sys.argv[1:]))]))
'''

PYTEST = """\
[pytest]
addopts = -q -p edudiff.course.plugin --import-mode=importlib
"""


def build(source: str | Path, target: str | Path) -> list[assignment.Assignment]:
    """Build `target`/student and `target`/grader from the assignments in `source`; returns the assignments.

    Raises ValueError for a broken assignment, for wrong solutions that cannot be told apart, or if a bundle is already
    there.
    """
    found = assignment.read_all(source)
    known = {one.name: hints.collect(one) for one in found}
    student, grader = (_fresh(Path(target) / name) for name in (STUDENT, GRADER))
    for one in found:
        for bundle, text in ((student, one.stub), (grader, one.source)):
            folder = bundle / one.name
            folder.mkdir()
            (folder / f"{one.name}.py").write_text(text, encoding="utf-8")
            shutil.copyfile(one.test_file(assignment.VISIBLE), folder / assignment.VISIBLE)
            notebook.write(folder / f"{one.name}.ipynb", notebook.build(one, bundle == student))
            hints.write(folder / hints.FILE, known[one.name])
        shutil.copyfile(one.test_file(assignment.HIDDEN), grader / one.name / assignment.HIDDEN)
    (student / "README.md").write_text(_readme(found), encoding="utf-8")
    (student / "grade.py").write_text(GRADE, encoding="utf-8")
    (grader / "README.md").write_text(FOR_GRADER.format(folder=grader), encoding="utf-8")
    for bundle in (student, grader):
        (bundle / "pytest.ini").write_text(PYTEST, encoding="utf-8")
    return found


def _readme(found: list[assignment.Assignment]) -> str:
    rows = "\n".join(f"| `{one.name}` | {', '.join(f'`{task}`' for task in one.tasks)} |" for one in found)
    return README.format(first=found[0].name, task=found[0].tasks[0], rows=rows)


def _fresh(folder: Path) -> Path:
    """An empty folder. Raises ValueError if there is something in it: it may be a student's work."""
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty; name another folder, or remove it first")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
