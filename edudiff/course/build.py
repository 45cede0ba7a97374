"""Make the bundles: what students get, without a line of a solution, and what a grader needs."""

import shutil
from pathlib import Path

from edudiff import __version__
from edudiff.course import assignment, hints, notebook, sound
from edudiff.support.files import check_folder

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
one folder or zip file for each student, as `.py` or `.ipynb` under the names that they got, and run

    pip install edudiff pytest
    edudiff course grade SUBMISSIONS --grader {folder} --out grades.csv

It writes the table `grades.csv`, and for each student `grades/STUDENT/results.json`, which Gradescope reads, and
`junit.xml`. A task's point needs all its visible and hidden tests. `--only {first}` grades one assignment.

**Gradescope.** Zip `setup.sh`, `run_autograder` and the folders of the assignments that it shall grade, all at the top
of the zip, and upload it as the autograder. If edudiff {version} is on no package index, put its wheel in, too.

**nbgrader.** The notebooks here are its source notebooks: put each into `source/NAME/` of a course, and install edudiff
where the kernel runs. A right solution gets the same points; but nbgrader confines nothing, so grade in a container. It
leaves a submission that ends the kernel to be graded by hand, and gives no hints.

**What a submission can reach.** On Linux 5.13 or later, and as root on most others, it can read NumPy and the standard
library and nothing else, and reach no network and no program. On macOS and Windows only Python's audit hook refuses
that, which determined code gets around (on Windows memory is not limited either), so `grade` asks for `--unconfined`
there; better grade in a container: `docker run --rm -it -v "$PWD":/class -w /class python:3.12 bash`.
"""

SETUP = """\
#!/usr/bin/env bash
# Gradescope runs this once, when the autograder is uploaded.
set -euo pipefail
apt-get update
apt-get install -y python3 python3-venv
python3 -m venv /opt/edudiff
wheel=$(find "$(dirname "$0")" /autograder/source -name 'edudiff-*.whl' 2>/dev/null | head -n 1)
/opt/edudiff/bin/pip install "${{wheel:-edudiff=={version}}}" pytest
"""

RUN_AUTOGRADER = """\
#!/usr/bin/env bash
# Gradescope runs this for each submission: all files of one student lie in one folder.
set -euo pipefail
root=${AUTOGRADER:-/autograder}
chmod -R go-rwx "$root/source"
"${EDUDIFF:-/opt/edudiff/bin/edudiff}" course grade "$root/submission" --single \\
    --grader "$root/source" --out "$root/results/table.csv"
cp "$root/results/table/submission/results.json" "$root/results/results.json"
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

    Raises ValueError, which names the file, for a broken assignment (see `edudiff.course.sound`), for wrong solutions
    that cannot be told apart, or if a bundle is already there; ImportError without jupytext, OSError if it cannot be
    written.
    """
    found = assignment.read_all(source)
    student, grader = (Path(target) / name for name in (STUDENT, GRADER))
    for bundle in (student, grader):
        check_folder(bundle)
        _check_empty(bundle)
    notebook.libraries()
    for one in found:
        sound.check(one)
    known = {one.name: hints.collect(one) for one in found}
    for bundle in (student, grader):
        bundle.mkdir(parents=True, exist_ok=True)
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
    text = FOR_GRADER.format(folder=grader, first=found[0].name, version=__version__)
    (grader / "README.md").write_text(text, encoding="utf-8")
    for name, script in (("setup.sh", SETUP.format(version=__version__)), ("run_autograder", RUN_AUTOGRADER)):
        (grader / name).write_text(script, encoding="utf-8", newline="\n")
        (grader / name).chmod(0o755)
    for bundle in (student, grader):
        (bundle / "pytest.ini").write_text(PYTEST, encoding="utf-8")
    return found


def _readme(found: list[assignment.Assignment]) -> str:
    rows = "\n".join(f"| `{one.name}` | {', '.join(f'`{task}`' for task in one.tasks)} |" for one in found)
    return README.format(first=found[0].name, task=found[0].tasks[0], rows=rows)


def _check_empty(folder: Path) -> None:
    """Raise ValueError if there is something in a folder: it may be a student's work."""
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty; name another folder, or remove it first")
