"""A class is graded: right solutions get their points, wrong ones their hints, and attacks get nothing."""

import csv
import json
import os
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from edudiff import cli
from edudiff.course import assignment, grade, handed_in, judge
from edudiff.course.sandbox.process import Limits

NAME = "a1_noise"
LIMITS = Limits(call=2.0, total=20.0, memory=512)
HEAD = "import os, sys, time\nimport numpy as np\n"

# What the one function that is there does before it answers; none of it should help.
ATTACKS = {
    "loop": "while True: pass",
    "sleep": "time.sleep(1000)",
    "fork": "children = [os.fork() for _ in range(20)]\ntime.sleep(3)",
    "allocate": "blocks = [bytearray(1 << 28) for _ in range(8)]",
    "allocate_array": "np.ones((1 << 28), 'float64')",
    "exit": "os._exit(0)",
    "leave": "sys.exit(0)",
    "shout": "[print('all tests passed\\n' * 100_000) for _ in range(20)]",
    "boast": "print('passed 3 of 3'); sys.stderr.write('OK')",
    "program": "os.system('true'); os.execv('/bin/sh', ['sh', '-c', 'sleep 100'])",
    "recurse": "sys.setrecursionlimit(10**9)\ndef g(): return g()\ng()",
    "channel": "[os.write(n, b'\\0' * 4096) for n in range(3, 10)]",
    "close": "[os.close(n) for n in range(10)]",
    "patch": "np.abs = np.asarray = np.isfinite = lambda *a, **k: True",
    "frames": "f = sys._getframe()\nwhile f: f.f_globals.update(agree=print); f = f.f_back",
    "write": "open('answers.txt', 'w').write('x')",
    "signal": "os.kill(os.getppid(), 9)",
}


def function(body):
    """A file with one of the assignment's functions, which does `body`."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"{HEAD}\ndef cosine(*a, **k):\n{lines}\n    return True\n"


@pytest.fixture(scope="module")
def grader(bundles, tmp_path_factory):
    """A grader's bundle with one assignment."""
    folder = tmp_path_factory.mktemp("grader")
    shutil.copytree(bundles / "grader" / NAME, folder / NAME)
    return folder


@pytest.fixture(scope="module")
def master(grader):
    return (grader / NAME / f"{NAME}.py").read_text()


def hand_in(folder, student, text, name=f"{NAME}.py"):
    path = folder / student / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def rows(path):
    with open(path, newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def attacked(grader, master, tmp_path_factory):
    """A class of attackers, with an honest student before, between and after them: (the grades, their folder)."""
    folder = tmp_path_factory.mktemp("attacked")
    for number, (name, body) in enumerate(ATTACKS.items()):
        hand_in(folder / "in", f"{number:02}_{name}", function(body))
    theft = f"ns = {{}}\nexec(open({str(grader / NAME / NAME)!r} + '.py').read(), ns)\nglobals().update(ns)\n"
    hand_in(folder / "in", "90_steal", f"{function('pass')}\ntry:\n    1 / 0\nexcept Exception:\n    pass\n{theft}")
    spy = f"seen = os.listdir({str(grader / NAME)!r}) + [open({str(grader / NAME / 'test_hidden.py')!r}).read()]"
    hand_in(folder / "in", "91_spy", function(spy))
    library = "from edudiff.schedule import cosine as made\nfrom edudiff.forward import add_noise\n"
    hand_in(folder / "in", "92_library", f"{library}cosine = lambda t, s=1.008: made(s)(t)\n")
    hand_in(folder / "in", "93_import_loop", "while True: pass\n")
    hand_in(folder / "in", "94_broken", "def cosine(t:\n")
    for student in ("00_honest", "50_honest", "99_honest"):
        hand_in(folder / "in", student, master)
    done = grade.grade(folder / "in", grader, folder / "grades.csv", LIMITS, jobs=2)
    return done, folder


def test_every_attack_scores_zero_and_hurts_nobody(attacked):
    done, folder = attacked
    table = rows(folder / "grades.csv")
    assert len(table) == len(done) == len(ATTACKS) + 5 + 3
    for student, row in table.items():
        assert row["points"] == ("3" if "honest" in student else "0"), student
        assert row["out of"] == "3"


def test_attacks_are_told_what_happened(attacked):
    said = {graded.student: graded.verdicts[NAME][0].message for graded in attacked[0]}
    assert "no answer within 2 s" in said["00_loop"]
    assert "PermissionError" in said["02_fork"]
    assert "MemoryError" in said["03_allocate"]
    assert "the process of the submission ended" in said["05_exit"]
    assert "No module named 'edudiff'" in said["92_library"]
    assert "cannot be loaded: no answer" in said["93_import_loop"] or "no answer within" in said["93_import_loop"]
    assert "SyntaxError in line 1" in said["94_broken"]


def test_no_report_holds_what_a_hidden_test_said(attacked):
    for file in attacked[1].rglob("*.*"):
        if file.suffix in (".xml", ".json", ".csv"):
            assert "The cosine schedule of edudiff, at many times" not in file.read_text()


def test_wrong_solutions_get_their_hints_and_the_other_points(grader, tmp_path, capsys):
    """A solved, an empty, a wrong one, a notebook, both kinds in one folder, and folders that are no submissions."""
    one = assignment.read(grader / NAME)
    source = assignment.read(Path(__file__).parents[2] / "lessons" / "assignments" / NAME)
    [wrong] = [wrong for wrong in source.wrongs if wrong.name == "add_noise_variance"]
    stub, notebook = one.stub, (grader / NAME / f"{NAME}.ipynb").read_text()
    hand_in(tmp_path / "in", "anna", one.source)
    hand_in(tmp_path / "in", "ben", stub)
    hand_in(tmp_path / "in", "carla <&> \u00e9", wrong.source)
    hand_in(tmp_path / "in", "dora", notebook, f"{NAME}.ipynb")
    hand_in(tmp_path / "in", "emil", stub, f"{NAME}/{NAME}.py")
    hand_in(tmp_path / "in", "emil", notebook, f"{NAME}/{NAME}.ipynb")
    (tmp_path / "in" / "frida").mkdir()
    hand_in(tmp_path / "in", "gustav", "not a notebook", f"{NAME}.ipynb")
    hand_in(tmp_path / "in", "hilde", one.source, "other.py")
    (tmp_path / "in" / "hilde" / f"{NAME}.py").symlink_to(grader / NAME / f"{NAME}.py")
    (tmp_path / "in" / "iris").symlink_to(tmp_path / "in" / "anna")
    (tmp_path / "in" / "jan").mkdir()
    os.mkfifo(tmp_path / "in" / "jan" / f"{NAME}.py")
    hand_in(tmp_path / "in", "kurt", "#" * (handed_in.MOST_BYTES + 1))
    hand_in(tmp_path / "in", os.fsdecode(b"lena_\xff"), one.source)
    (tmp_path / "in" / "notes.txt").write_text("not a student")

    command = ["course", "grade", tmp_path / "in", "--grader", grader, "--out", tmp_path / "out" / "grades.csv"]
    (tmp_path / "out").mkdir()
    assert cli.main([str(part) for part in command]) == 0
    said = capsys.readouterr().out
    assert "anna: 3 of 3" in said
    table = rows(tmp_path / "out" / "grades.csv")
    points = {student.split()[0]: int(row["points"]) for student, row in table.items()}
    right = {"anna": 3, "carla": 2, "dora": 3, "emil": 3, "lena_?": 3}
    assert points == {**dict.fromkeys(["ben", "frida", "gustav", "hilde", "iris", "jan", "kurt"], 0), **right}
    carla = next(row for student, row in table.items() if student.startswith("carla"))
    assert [carla[f"{NAME}/{task}"] for task in one.tasks] == ["1", "0", "1"]
    notes = {student.split()[0]: row["notes"] for student, row in table.items()}
    assert notes["frida"] == f"{NAME} not handed in"
    assert "is a link or no plain file" in notes["hilde"]
    assert "is a link or no plain file" in notes["jan"]
    assert "not handed in" in notes["iris"]
    assert "not a notebook" in notes["gustav"]
    assert "at most" in notes["kurt"]

    results = json.loads((tmp_path / "out" / "grades" / "carla <&> \u00e9" / "results.json").read_text())
    assert results["score"] == 2
    assert [test["score"] for test in results["tests"]] == [1, 0, 1]
    assert all(test["max_score"] == 1 for test in results["tests"])
    assert f"Hint: {wrong.hint}" in results["tests"][1]["output"]
    assert "hidden tests passed" in results["tests"][0]["output"]
    tree = ElementTree.parse(tmp_path / "out" / "grades" / "carla <&> \u00e9" / "junit.xml").getroot()
    [suite] = tree
    assert suite.attrib == {"name": NAME, "tests": "3", "failures": "1"}
    [failure] = suite.iter("failure")
    assert wrong.hint in failure.text


def test_only_hidden_tests_catch_what_passes_the_visible_ones(grader):
    """A submission that knows the visible tests by heart."""
    source = (
        "import numpy as np\n\n"
        "def log_snr(alpha, sigma):\n"
        "    if np.ndim(alpha) == 0:\n        return 0.0\n"
        "    return 2 * np.log(alpha / sigma) + 1\n"
    )
    folder, known = grader / NAME, {"log_snr": {}}
    files = folder / assignment.VISIBLE, known, folder / assignment.HIDDEN
    [verdict], held = judge.judge(source, "mine.py", *files, LIMITS)
    assert verdict.status == judge.WRONG
    assert verdict.message == "the visible tests pass, hidden ones do not"
    assert verdict.hidden == (0, 2)
    [verdict], _ = judge.judge(source, "mine.py", *files[:2], limits=LIMITS)
    assert verdict.passed
    assert set(held) >= {"limits", "audit hook"}


def test_what_the_platform_does_not_enforce_is_said():
    done = [judge.Graded("a", held={"limits", "audit hook"}), judge.Graded("b")]
    assert "kernel did not restrict files and system calls" in grade.warning(done)
    assert grade.warning([judge.Graded("a", held={"files", "system calls"})]) == ""
    assert grade.warning([]) == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["grade", "nowhere"], "nowhere is not a folder"),
        (["grade", "."], "has no folders"),
        (["grade", "..", "--grader", "nowhere"], "nowhere is not a folder"),
        (["grade", "..", "--jobs", "0"], "jobs is 0"),
        (["grade", "..", "--seconds", "1"], "expected 0 < call <= total"),
        (["check", "mine.py"], "keep your file in the folder of the assignment"),
    ],
)
def test_bad_arguments_are_one_line(arguments, says, tmp_path, monkeypatch, capsys):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert cli.main(["course", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert "Traceback" not in error


def test_the_file_with_the_fewest_functions_unwritten_counts(tmp_path):
    stub = 'def f():\n    """Do it."""\n    raise NotImplementedError\n'
    solved = 'def f():\n    """Do it."""\n    # raise NotImplementedError\n    return 1\n'
    cell = {"cell_type": "code", "metadata": {}, "source": solved}
    (tmp_path / "a.py").write_text(stub)
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [cell]}))
    assert handed_in.find(tmp_path, "a").name == "a.ipynb"


def test_results_among_the_submissions_are_refused(grader, tmp_path, capsys):
    (tmp_path / "anna").mkdir()
    assert cli.main(["course", "grade", str(tmp_path), "--grader", str(grader), "--out", f"{tmp_path}/grades.csv"]) == 2
    assert "lies among the submissions" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["anna"]
