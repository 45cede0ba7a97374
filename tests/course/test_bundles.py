"""What students and graders get: no solution leaks, notebooks are valid and run, the commands in it work."""

import ast
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from edudiff import cli
from edudiff.course import assignment, hints, notebook
from edudiff.course.assignment import shipped
from edudiff.course.build import build
from edudiff.course.sandbox import submission


def solution_lines(one):
    """The lines between the marks that are more than a return or a name."""
    for block in assignment.MARKED.finditer(one.source):
        for line in block.group(0).splitlines()[1:-1]:
            line = " ".join(line.split("  # ")[0].split())
            if len(line) > 12:
                yield line


def test_students_get_no_line_of_a_solution_and_no_hidden_test(bundles):
    files = [path for path in (bundles / "student").rglob("*") if path.is_file()]
    plain = {path: " ".join(path.read_text().replace("\\n", " ").replace('\\"', '"').split()) for path in files}
    lines = 0
    for one in assignment.read_all(bundles / "grader"):
        for line in solution_lines(one):
            lines += 1
            assert [path.name for path, text in plain.items() if line in text] == [], line
    assert lines > 60
    for text in plain.values():
        assert "HIDDEN" not in text
        assert "BEGIN SOLUTION" not in text
    assert {path.name for path in files} >= {"grade.py", "README.md", "pytest.ini", "hints.json", "test_visible.py"}
    assert assignment.HIDDEN not in {path.name for path in files}


def test_hints_cannot_be_read_without_the_answers(bundles):
    for path in (bundles / "student").rglob("hints.json"):
        for known in json.loads(path.read_text()).values():
            for mark, sealed in known.items():
                assert re.fullmatch("[0-9a-f]{16}", mark)
                assert b" the " not in bytes.fromhex(sealed)


@pytest.mark.parametrize("kind", ["student", "grader"])
def test_notebooks_are_valid_and_have_the_metadata_of_nbgrader(bundles, kind):
    import nbformat

    for path in sorted((bundles / kind).rglob("*.ipynb")):
        made = nbformat.read(path, as_version=4)
        nbformat.validate(made)
        marks = [cell.metadata.nbgrader for cell in made.cells]
        assert len({mark.grade_id for mark in marks}) == len(marks)
        assert all(mark.schema_version == 3 for mark in marks)
        tasks = [mark.grade_id for mark in marks if mark.solution]
        graded = [mark.grade_id for mark in marks if mark.grade]
        assert graded == [f"test_{task}" for task in tasks]
        assert all(mark.locked != mark.solution and not mark.task for mark in marks)
        assert sum(mark.get("points", 0) for mark in marks) == len(tasks) > 0


def cells_of(path):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def test_graders_notebooks_run(bundles):
    for path in sorted((bundles / "grader").rglob("*.ipynb")):
        names = {"__name__": "__main__"}
        for cell in cells_of(path):
            exec(compile("".join(cell["source"]), f"{path.stem}:{cell['id']}", "exec"), names)


def test_students_notebooks_run_up_to_what_is_not_written(bundles):
    for path in sorted((bundles / "student").rglob("*.ipynb")):
        names = {"__name__": "__main__"}
        for cell in cells_of(path):
            code = compile("".join(cell["source"]), f"{path.stem}:{cell['id']}", "exec")
            if cell["metadata"]["nbgrader"]["grade"]:
                with pytest.raises(NotImplementedError):
                    exec(code, names)
            else:
                exec(code, names)


def test_code_of_a_notebook_is_that_of_the_file(bundles):
    """Text, tests and commands of the notebook itself are left out; what is no notebook is refused."""
    path = bundles / "grader" / "a3_steps" / "a3_steps.ipynb"
    code = notebook.code(path.read_text())
    assert "def heun" in code
    assert "SimpleNamespace" not in code
    made = json.loads(path.read_text())
    made["cells"][1]["source"] = "%matplotlib inline\n!ls\nvalue = 3"
    assert "value = 3" in notebook.code(json.dumps(made))
    for text in ("", "{}", "[" * 100_000, '{"cells": 3}', '{"cells": [{"cell_type": "code"}]}', "null"):
        with pytest.raises(ValueError, match="not a notebook"):
            notebook.code(text)


def test_students_commands(bundles, tmp_path):
    """`python grade.py`, and `pytest -m TASK` in the student's own process, on a half-solved assignment."""
    for name in ("a2_tweedie", "a3_steps"):
        shutil.copytree(bundles / "student" / name, tmp_path / name)
    for name in ("grade.py", "pytest.ini"):
        shutil.copy(bundles / "student" / name, tmp_path)
    file = tmp_path / "a2_tweedie" / "a2_tweedie.py"
    sign = "    return (alpha * x0_hat - x) / sigma\n"
    file.write_text(file.read_text().replace("    raise NotImplementedError\n", sign, 1))

    def say(*command):
        run = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, timeout=100)
        return run.stdout + run.stderr

    said = say("grade.py")
    assert "noise_from_x0: wrong" in said
    assert "Hint: The sign is turned" in said
    assert "score_from_x0: not written yet" in said
    assert "0 of 4 tasks passed" in said
    assert "heun: not written yet" in said
    said = say("-m", "pytest", "-m", "noise_from_x0", "-p", "no:cacheprovider")
    assert re.search(r"[1-9]\d* failed, \d+ deselected", said)
    assert "AssertionError: the noise at alpha = 0.8, sigma = 0.6 is" in said
    assert "Warning" not in said


def test_a_bundle_that_cannot_be_written_is_refused_at_once(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(hints, "collect", None)  # which takes a minute
    for target in (tmp_path / "file", tmp_path / "file" / "course"):
        with pytest.raises(OSError, match=r"cannot write to the folder .*file is no folder; name another"):
            build(shipped(), target)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OSError, match=r"is not yours to write to; name another"):
        build(shipped(), tmp_path / "new" / "course")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_broken_assignments_are_named(tmp_path, bundles, capsys):
    with pytest.raises(ValueError, match="is not empty"):
        build(bundles / "grader", bundles)
    for master, says in (
        ("x = 1\n", "expected one pair in each function"),
        ("def f():\n    ### BEGIN SOLUTION\n    return 1\n", "found 1 x '### BEGIN SOLUTION', 0 x"),
        ("def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n", "has no test_visible.py"),
    ):
        folder = tmp_path / "from" / "a1_broken"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "a1_broken.py").write_text(master)
        assert cli.main(["course", "build", str(tmp_path / "to"), "--from", str(tmp_path / "from")]) == 2
        assert says in capsys.readouterr().err
        assert not (tmp_path / "to").exists()
    assert cli.main(["course", "build", str(tmp_path / "to"), "--from", str(tmp_path / "nowhere")]) == 2
    assert "is not a folder" in capsys.readouterr().err


def broken(task, visible, hidden, wrong="", master="3"):
    """An assignment of one function that returns 3."""
    yield "a1_three.py", f"def three(x):\n    ### BEGIN SOLUTION\n    return {master}\n    ### END SOLUTION\n"
    for name, body in (("test_visible.py", visible), ("test_hidden.py", hidden)):
        yield name, f"import pytest\n\n\n@pytest.mark.{task}\ndef test_it(student):\n    {body}\n"
    yield "wrong/four.py", f'"""It is not four."""\n\n\ndef three(x):\n    return {wrong or 4}\n'


RIGHT = "assert student.three(1) == 3"


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (("other", RIGHT, RIGHT), "test_visible.py: test_it has the marker other, which is no task of a1_three"),
        (
            ("three", f"{RIGHT}\n    student.three(__import__('random').random())", RIGHT),
            "visible.py: test_it asks some",
        ),
        (
            ("three", RIGHT, f"student.three(__import__('numpy').random.rand(2))\n    {RIGHT}"),
            "hidden.py: test_it asks",
        ),
        (("three", RIGHT, f"{RIGHT}\n\n\nx = ("), r"test_hidden.py, line \d+: '\(' was never closed; expected Python"),
        (("three", RIGHT, f"{RIGHT}\n\n\nx = 1 / 0"), "test_hidden.py cannot be loaded: ZeroDivisionError"),
        (("three", RIGHT, RIGHT, "4 +"), r"four.py, line 5: invalid syntax; expected Python"),
        (
            ("three", RIGHT, RIGHT, "4", "__import__('pytest') and 3"),
            "a1_three.py: three passes test_visible.py here and",
        ),
        (("three", RIGHT, RIGHT, "4", "3 +"), r"a1_three.py, line 3: invalid syntax; expected Python"),
        (("three", "assert student.three(1) == 5", RIGHT), "the master fails test_visible.py"),
        (("three", RIGHT, "assert student.three(1)"), "four passes all hidden tests"),
        (("three", "student.three(0)", "assert student.three(2) == 3", "4 if x else 3"), "as the master does"),
        (("three", f"{RIGHT}\n\n\ndef test_it(student):\n    pass", RIGHT), "test_it is defined twice"),
        (("three", f"{RIGHT}\n\n\ndef test_that(student):\n    pass", RIGHT), "expected one: the task"),
    ],
)
def test_an_assignment_that_could_not_grade_is_refused(parts, says, tmp_path):
    folder = tmp_path / "a1_three"
    for name, text in broken(*parts):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with pytest.raises(ValueError, match=says):
        build(tmp_path, tmp_path / "out")


def test_helpers_of_the_tests_do_not_replace_a_students_own(bundles):
    made = json.loads((bundles / "student" / "a9_attention" / "a9_attention.ipynb").read_text())
    tests = ["".join(cell["source"]) for cell in made["cells"] if cell["metadata"]["nbgrader"]["grade"]]
    mine = {"softmax": "mine", "student": "mine"}
    for source in tests:
        with contextlib.suppress(AttributeError):  # of the task, which is not written here
            exec(source, mine)
    assert (mine["softmax"], mine["student"]) == ("mine", "mine")


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("%matplotlib inline\nx = 7", "pass\nx = 7"),
        ("y = (7\n     % 4\n     %x)", "y = (7\n     % 4\n     %x)"),
        ("!ls\nz = 3", "pass\nz = 3"),
        ("if True:\n    %timeit f(3)\n    a = 1", "if True:\n    pass\n    a = 1"),
        ("np.sin?\n?np\nnp.cos??", "pass\npass\npass"),
        ("files = !ls\n%who\nb = 2", "pass\npass\nb = 2"),
        ("%%time\nc = 3", "\nc = 3"),
        ('text = """\n%matplotlib inline\n!ls\n"""', 'text = """\n%matplotlib inline\n!ls\n"""'),
        ("def f(:\n    pass", "def f(:\n    pass"),
    ],
)
def test_only_what_python_cannot_read_is_taken_out_of_a_cell(cell, kept):
    assert submission.python(cell) == kept


@pytest.mark.parametrize("word", ["%%bash", "%%html", "%%writefile", "%%javascript"])
def test_cells_in_other_languages_are_left_out(word):
    with pytest.raises(submission.LeftOut, match=word):
        submission.python(f"# a comment\n{word} x\nls")


def test_asserts_of_tests_hold_when_python_is_told_to_drop_them(tmp_path):
    script = (
        "from edudiff.course import runner\n"
        "names = runner.loaded('def f():\\n    assert False, \"held\"', 'x.py')\n"
        "try:\n    names['f']()\nexcept AssertionError as error:\n    print(error)"
    )
    run = subprocess.run([sys.executable, "-OO", "-c", script], capture_output=True, text=True, timeout=60)
    assert run.stdout == "held\n", run.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="Gradescope's scripts are bash")
def test_gradescopes_scripts_grade_one_student(bundles, tmp_path):
    """Its layout: the bundle in source, the files of one student flat in submission, the answer in results."""
    shutil.copytree(bundles / "grader", tmp_path / "source")
    (tmp_path / "submission").mkdir()
    (tmp_path / "results").mkdir()
    shutil.copy(bundles / "grader" / "a3_steps" / "a3_steps.py", tmp_path / "submission")
    edudiff = tmp_path / "edudiff"
    edudiff.write_text(f'#!/bin/sh\nexec {sys.executable} -m edudiff "$@"\n')
    edudiff.chmod(0o755)
    for name in ("setup.sh", "run_autograder"):
        assert subprocess.run(["bash", "-n", tmp_path / "source" / name], timeout=60).returncode == 0
    environment = {**os.environ, "AUTOGRADER": str(tmp_path), "EDUDIFF": str(edudiff)}
    run = subprocess.run([tmp_path / "source" / "run_autograder"], env=environment, capture_output=True, timeout=100)
    assert run.returncode == 0, run.stderr
    results = json.loads((tmp_path / "results" / "results.json").read_text())
    assert results["score"] == 3
    assert {test["max_score"] for test in results["tests"]} == {1}


def test_setup_installs_all_that_the_tests_import(bundles):
    """Gradescope's machine has nothing but what `setup.sh` puts there."""
    wanted = set()
    for file in (bundles / "grader").glob("*/test_*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            wanted |= {
                name.split(".")[0] for name in [*names, *([node.module] if isinstance(node, ast.ImportFrom) else [])]
            }
    [line] = [line for line in (bundles / "grader" / "setup.sh").read_text().splitlines() if "pip install" in line]
    assert wanted - set(sys.stdlib_module_names) - {"edudiff", "numpy"} == {"pytest"}
    assert line.split()[-1] == "pytest"
