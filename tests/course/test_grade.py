"""A class is graded: right solutions get their points, wrong ones their hints, and attacks get nothing."""

import csv
import json
import os
import shutil
import sys
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import pytest

from edudiff import cli
from edudiff.course import assignment, grade, handed_in, judge, runner
from edudiff.course.sandbox.process import Limits

NAME = "a1_noise"
LIMITS = Limits(call=2.0, total=20.0, memory=512)
HEAD = "import os, sys, time\nimport numpy as np\n"

# What the one function that is there does before it answers; none of it should help.
ATTACKS = {
    "loop": "while True: pass",
    "sleep": "time.sleep(1000)",
    "fork": "children = [os.fork() for _ in range(20)]\ntime.sleep(3)",
    "allocate": "blocks = [bytearray(1 << 29) for _ in range(8)]",
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


def book(*cells, outputs=()):
    """A notebook with these code cells."""
    made = [{"cell_type": "code", "metadata": {}, "outputs": list(outputs), "source": source} for source in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made})


def zipped(path, **texts):
    """A zip file with these texts; "__" in a name is a folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in texts.items():
            made.writestr(name, text)


def rows(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
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
    hand_in(folder / "in", "93_import_sleeps", "import time\ntime.sleep(1000)\n")
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
    assert "no answer within" in said["93_import_sleeps"]
    assert "SyntaxError in line 1" in said["94_broken"]
    problems = {graded.student: graded.problems.get(NAME, "") for graded in attacked[0]}
    assert "reads or writes no file" in problems["90_steal"]
    assert "No module named 'edudiff'" in problems["92_library"]
    assert problems["00_honest"] == ""


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


def test_only_hidden_tests_catch_what_passes_the_visible_ones(tmp_path):
    """A submission that knows the visible tests by heart."""
    for name, asked in (("visible", 0), ("hidden", 1)):
        text = f"import pytest\n\n\n@pytest.mark.three\ndef test_it(student):\n    assert student.three({asked}) == 3\n"
        (tmp_path / f"{name}.py").write_text(text)
    file = handed_in.HandedIn("mine.py", "def three(x):\n    return 3 if x == 0 else 4\n")
    [verdict] = judge.judge(file, tmp_path / "visible.py", {"three": {}}, tmp_path / "hidden.py", LIMITS).verdicts
    assert verdict.status == judge.WRONG
    assert verdict.message == "the visible tests pass, hidden ones do not"
    assert verdict.hidden == (0, 1)
    judged = judge.judge(file, tmp_path / "visible.py", {"three": {}}, limits=LIMITS)
    assert judged.verdicts[0].passed
    assert set(judged.held) >= {"limits", "audit hook"}


@pytest.mark.parametrize(
    ("held", "enough", "says"),
    [
        (["limits", "files", "system calls"], True, ""),
        (["limits", "nobody", "system calls"], True, "run as the user nobody"),
        (["limits", "system calls"], False, "from files here"),
        (["limits", "files"], False, "from the network and programs here"),
        (["audit hook"], False, "from files and from the network and programs here"),
    ],
)
def test_a_machine_that_confines_nothing_is_told_before_anything_runs(
    held, enough, says, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(grade.Sandbox, "defenses", lambda box: held)
    assert grade.confinement()[0] == enough
    assert says in grade.confinement()[1]
    ran = []
    monkeypatch.setattr(grade, "one_student", lambda *a: ran.append(a) or judge.Graded("anna"))
    monkeypatch.setattr(grade, "_rubric", lambda *a: [])
    (tmp_path / "in" / "anna").mkdir(parents=True)
    command = ["course", "grade", str(tmp_path / "in"), "--out", str(tmp_path / "grades.csv")]
    assert cli.main(command) == (0 if enough else 2)
    assert bool(ran) == enough
    assert says in capsys.readouterr().err
    assert cli.main([*command, "--unconfined"]) == 0
    assert len(ran) == 1 + enough


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["grade", "nowhere"], "nowhere is not a folder"),
        (["grade", "."], "has no folders"),
        (["grade", "..", "--grader", "nowhere"], "nowhere is not a folder"),
        (["grade", "..", "--jobs", "0"], "jobs is 0"),
        (["grade", "..", "--seconds", "1"], "expected 0 < call <= total"),
        (["grade", "..", "--only", "a99"], "is not a folder"),
        (["check", "mine.py"], "there is no file or folder mine.py"),
        (["check", "."], "keep your file in the folder of the assignment"),
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
    (tmp_path / "a.py").write_text(stub)
    (tmp_path / "a.ipynb").write_text(book(solved))
    assert handed_in.find(tmp_path, "a").name == "a.ipynb"


def test_results_among_the_submissions_are_refused(grader, tmp_path, capsys):
    (tmp_path / "anna").mkdir()
    assert cli.main(["course", "grade", str(tmp_path), "--grader", str(grader), "--out", f"{tmp_path}/grades.csv"]) == 2
    assert "lies among the submissions" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["anna"]


@pytest.mark.parametrize(
    "name",
    [
        "a1_noise (1).py",
        "A1_Noise.PY",
        "a1_noise - Copy.py",
        "a1_noise-Copy1.py",
        "a1_noise - Copy (2).py",
        "a1_noise[1].py",
        "a1_noise .py",
        "smith_12_345_a1_noise-2.py",
        "deeper/still/a1_noise.py",
        "hand in/a1_noise/a1_noise.ipynb",
    ],
)
def test_a_file_under_a_name_that_systems_make_is_found(name, tmp_path):
    hand_in(tmp_path, "anna", book("x = 1") if name.endswith("ipynb") else "x = 1\n", name)
    hand_in(tmp_path, "anna", "x = 2\n", "__MACOSX/a1_noise.py")
    hand_in(tmp_path, "anna", "x = 3\n", "._a1_noise.py")
    found = handed_in.find(tmp_path / "anna", NAME)
    assert "x = 1" in found.source
    assert found.path == name


@pytest.mark.parametrize("name", ["a1_noise.py.txt", "a11_noise.py", "ba1_noise.py", "a1_noise_tests.py", "noise.py"])
def test_another_file_is_not_taken_and_is_named(name, grader, tmp_path):
    hand_in(tmp_path / "in", "anna", "x = 1\n", name)
    assert handed_in.find(tmp_path / "in" / "anna", NAME) is None
    grade.grade(tmp_path / "in", grader, tmp_path / "grades.csv", LIMITS)
    assert name in rows(tmp_path / "grades.csv")["anna"]["notes"]


@pytest.mark.parametrize("name", ["a1_noise_final.py", "1/2/3/4/5/a1_noise.py"])
def test_what_is_not_taken_is_named_beside_what_is(name, bundles, master, tmp_path):
    """Under another name or too deep, in a folder and in a zip; a helper that the solution imports is not listed."""
    solved = (bundles / "grader" / "a2_tweedie" / "a2_tweedie.py").read_text()
    texts = {"a2_tweedie.py": f"import mine\n{solved}", "mine.py": "x = 1\n", name: master}
    for file, text in texts.items():
        hand_in(tmp_path / "in", "anna", text, file)
    zipped(tmp_path / "in" / "ben.zip", **texts)
    only = [NAME, "a2_tweedie"]
    for graded in grade.grade(tmp_path / "in", bundles / "grader", tmp_path / "grades.csv", LIMITS, only=only):
        assert graded.problems[NAME] == "not handed in"
        assert graded.problems["also there"] == ("a1_noise_final.py" if "final" in name else "1/2/3/4/5/")


@pytest.mark.parametrize("data", [b"\n" * 300_000, b" " * 300_000, b"\n \n" * 100_000])
def test_a_text_or_a_name_that_is_hard_to_search_costs_little(data, tmp_path):
    """In steps of the search: it would not end otherwise."""
    hand_in(tmp_path, "anna", data.decode(), f"{NAME}.py")
    hand_in(tmp_path, "anna", "", f"{NAME[:2]}{'copy 1' * 40}x.py")
    assert handed_in.find(tmp_path / "anna", NAME).source.encode() == data


def test_zip_files_are_read_without_writing_anything(grader, master, tmp_path):
    """As a student's only file, in a folder, and what is hostile: a path that leads out, a bomb, a broken one."""
    given = tmp_path / "in"
    zipped(given / "anna.zip", **{f"homework/{NAME}.py": master, f"__MACOSX/homework/._{NAME}.py": "junk"})
    zipped(given / "ben" / "all.zip", **{f"../../../{NAME}.py": master})
    zipped(given / "bomb.zip", **{f"{NAME}.py": "#" * (60 << 20)})
    zipped(given / "many.zip", **{f"{'d' * 200}/{i}": "" for i in range(5000)})
    (given / "broken.zip").write_bytes(b"PK\3\4 and so on")
    before = sorted(tmp_path.rglob("*"))
    done = grade.grade(given, grader, tmp_path / "grades.csv", LIMITS)
    points = {graded.student: graded.points for graded in done}
    assert points == {"anna": 3, "ben": 3, "bomb": 0, "broken": 0, "many": 0}
    notes = {name: row["notes"] for name, row in rows(tmp_path / "grades.csv").items()}
    assert "at most" in notes["bomb"]
    assert "of names" in notes["many"]
    assert "not a zip file" in notes["broken"]
    after = [path for path in sorted(tmp_path.rglob("*")) if "grades" not in str(path.relative_to(tmp_path))]
    assert after == before


def test_a_notebook_is_read_whatever_its_outputs_weigh(tmp_path):
    picture = {"output_type": "display_data", "data": {"image/png": 'AAAAAA\\"' * (1 << 19), "x": [{"outputs": ["]"]}]}}
    (tmp_path / "a.ipynb").write_text(book('x = 1  # "outputs": [', "y = {'outputs': [2]}", outputs=[picture]))
    assert (tmp_path / "a.ipynb").stat().st_size > handed_in.MOST_BYTES
    found = handed_in.find(tmp_path, "a")
    assert 'x = 1  # "outputs": [' in found.source
    assert "y = {'outputs': [2]}" in found.source
    (tmp_path / "a.ipynb").write_bytes(b"\xef\xbb\xbf" + book("x = 1").encode())
    assert "x = 1" in handed_in.find(tmp_path, "a").source


@pytest.mark.parametrize(
    "data", [b"[]" * 600_000, b'"a' * 1_100_001, b'{"outputs":' * 400_000, b'"' + b"\\" * 999_999, b"]" * 9, b""]
)
def test_a_hostile_notebook_costs_little(data, tmp_path):
    (tmp_path / "a.ipynb").write_bytes(data)
    assert "not a notebook" in handed_in.find(tmp_path, "a").problem


def test_cells_that_are_no_python_take_no_points(grader, master, tmp_path):
    """Shell, help, magics, a plot, await: left out, and said; `%` inside brackets is arithmetic and stays."""
    marked = master.replace("    ### BEGIN SOLUTION", "    a = (17\n     %5\n     + 100)\n    assert a == 102", 1)
    hand_in(
        tmp_path / "in",
        "anna",
        book(
            "%matplotlib inline",
            "%%bash\nls -la",
            f"%%time\n!pip install \\\n  numpy\n{marked.replace('import numpy', '%time import numpy', 1)}",
            "np.sin?",
            "files = !ls",
            "await task()",
            "import matplotlib.pyplot as plt\nplt.plot([1, 2])",
            "while True: pass",
        ),
        f"{NAME}.ipynb",
    )
    [graded] = grade.grade(tmp_path / "in", grader, tmp_path / "grades.csv", LIMITS)
    assert graded.points == 3
    note = rows(tmp_path / "grades.csv")["anna"]["notes"]
    for said in ("code cell 2, line 1: %%bash", "'await'", "'matplotlib'; a solution has NumPy", "code cell 8, line 1"):
        assert said in note


def test_a_file_of_python_that_fails_late_keeps_what_came_before(grader, master, tmp_path):
    helper = "import numpy as np\n\n\ndef cosine_of(x):\n    return np.cos(x)\n"
    used = master.replace("np.cos(", "cosine_of(").replace(
        "import numpy as np\n", "import numpy as np\nfrom mine import *\n", 1
    )
    for student, text in (("anna", f"{used}\nassert 1 == 2\n"), ("ben", f"{master}\n# %%\nprint 'done'\n")):
        hand_in(tmp_path / "in", student, text)
    hand_in(tmp_path / "in", "anna", helper, "mine.py")
    done = grade.grade(tmp_path / "in", grader, tmp_path / "grades.csv", LIMITS)
    assert [graded.points for graded in done] == [3, 3]
    assert "AssertionError" in done[0].problems[NAME]
    assert "SyntaxError" in done[1].problems[NAME]


def test_names_of_folders_are_no_formulas_and_no_numbers(grader, master, tmp_path):
    for student in ("=HYPERLINK(1)", "@sum", "+1", "\u00b2", "\u0663", "7"):
        hand_in(tmp_path / "in", student, "x = 1\n")
    grade.grade(tmp_path / "in", grader, tmp_path / "grades.csv", LIMITS, jobs=2)
    data = (tmp_path / "grades.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert set(rows(tmp_path / "grades.csv")) == {"'=HYPERLINK(1)", "'@sum", "'+1", "\u00b2", "\u0663", "7"}


def test_reasons_are_said_and_one_assignment_can_be_chosen(grader, bundles, master, tmp_path, capsys):
    hand_in(tmp_path / "in", "anna", master.replace("return", "return 2 *", 1))
    command = ["course", "grade", str(tmp_path / "in"), "--out", str(tmp_path / "grades.csv"), "--only", NAME]
    assert cli.main([*command, "--grader", str(bundles / "grader")]) == 0
    said = capsys.readouterr().out
    assert f"    {NAME}/cosine: wrong: " in said
    assert "a2_tweedie" not in said
    assert list(rows(tmp_path / "grades.csv")["anna"])[3:-1] == [
        f"{NAME}/{t}" for t in ("cosine", "add_noise", "log_snr")
    ]
    assert cli.main([*command, "nonsense", "--grader", str(bundles / "grader")]) == 2
    assert "has no nonsense; it has a1_noise, a2_tweedie" in capsys.readouterr().err
    assert cli.main([*command, "--grader", str(bundles / "student")]) == 2
    assert "is a students' bundle" in capsys.readouterr().err
    assert cli.main([*command, "--only", "a2_tweedie", "--grader", str(bundles / "grader")]) == 0
    said = capsys.readouterr().out
    assert f"    {NAME}/cosine: wrong: " in said
    assert "    not handed in: a2_tweedie" in said


def test_a_table_that_cannot_be_written_is_refused_before_anything_is_graded(grader, master, tmp_path):
    hand_in(tmp_path / "in", "anna", master)
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder.csv").mkdir()
    for out, says in ((tmp_path / "file" / "grades.csv", "file is no folder"), (tmp_path / "folder.csv", "a folder")):
        with pytest.raises(OSError, match=rf"cannot write .*{says}; name another"):
            grade.grade(tmp_path / "in", grader, out, LIMITS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.csv", "in"]


def test_the_tables_folder_is_not_one_of_the_submissions(grader, tmp_path, capsys):
    hand_in(tmp_path / "s5", "anna", "x = 1\n")
    for out in ("s5.csv", "s5/grades.csv", "s5/anna/grades.csv"):
        command = ["course", "grade", str(tmp_path / "s5"), "--grader", str(grader), "--out", str(tmp_path / out)]
        assert cli.main(command) == 2
        assert "lies among the submissions, or its folder" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "s5" / "anna").iterdir()] == [f"{NAME}.py"]


def test_a_terminal_that_fails_costs_no_grades(grader, tmp_path, monkeypatch):
    """One that cannot show a name, and one that is gone."""

    class Gone:
        encoding = "ascii"

        def write(self, text):
            text.encode("ascii")
            if self.broken:
                raise BrokenPipeError

        def flush(self):
            pass

    for student in ("anna", "\u0431\u0435\u043d"):
        hand_in(tmp_path / "in", student, "x = 1\n")
    for broken in (False, True):
        gone = Gone()
        gone.broken = broken
        out = tmp_path / f"{broken}.csv"
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", gone)
            assert cli.main(["course", "grade", str(tmp_path / "in"), "--grader", str(grader), "--out", str(out)]) == 0
        assert len(rows(out)) == 2

    def fail(_):
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        grade.grade(tmp_path / "in", grader, tmp_path / "third.csv", LIMITS, progress=fail)
    assert len(rows(tmp_path / "third.csv")) == 1


def test_one_students_flat_folder_is_graded_with_single(grader, master, tmp_path, capsys):
    hand_in(tmp_path, "submission", master)
    command = [
        "course",
        "grade",
        str(tmp_path / "submission"),
        "--grader",
        str(grader),
        "--out",
        str(tmp_path / "g.csv"),
    ]
    assert cli.main(command) == 2
    assert "add --single" in capsys.readouterr().err
    hand_in(tmp_path / "submission", "ben", master)
    assert cli.main(command) == 0
    assert f"not graded, as only folders and zip files are: {NAME}.py" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "submission" / "ben")
    assert cli.main([*command, "--single"]) == 0
    assert json.loads((tmp_path / "g" / "submission" / "results.json").read_text())["score"] == 3


def test_checking_says_by_its_status_whether_all_is_right(bundles, tmp_path, capsys):
    folder = tmp_path / NAME
    shutil.copytree(bundles / "student" / NAME, folder)
    assert cli.main(["course", "check", str(folder)]) == 1
    (folder / f"{NAME}.py").write_text(
        "\ufeff" + (bundles / "grader" / NAME / f"{NAME}.py").read_text(), encoding="utf-8"
    )
    assert cli.main(["course", "check", str(folder)]) == 0
    assert "3 of 3 tasks passed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("x = 1", "the answer of three is None; is a return missing?"),
        ("return 6.0", "the answer of three is 6, expected 3; that is 2 times as much"),
        ("return 3.0 * x", "the answer of three is 1.5, expected 3; that is 1/2 times as much"),
        ("return [3, 4]", "the answer of three is a list of 2 values (the number 3, the number 4), expected a number"),
        ("raise ValueError('no')", "ValueError in line 2: no"),
        ("return unknown", "NameError in line 2: name 'unknown' is not defined"),
    ],
)
def test_what_a_student_reads_of_a_wrong_answer(body, says, tmp_path):
    """The sentence of the test comes first where the answer is at fault, and not where there was none."""
    text = "import pytest\nfrom edudiff.course.answers import agree\n\n\n@pytest.mark.three\ndef test_it(student):\n"
    (tmp_path / "t.py").write_text(f'{text}    """Three is three."""\n    agree(student.three(0.5), 3.0)\n')
    file = handed_in.HandedIn("mine.py", f"def three(x):\n    {body}\n")
    [verdict] = judge.judge(file, tmp_path / "t.py", {"three": {}}, limits=LIMITS).verdicts
    assert verdict.message == (says if "Error" in says else f"Three is three. {says}")


@pytest.mark.parametrize(
    ("docstring", "says"),
    [
        ("", "Three is three."),
        ('"""  """', "Three is three."),
        ('"""\n    Of one half.\n\n    And more.\n    """', "Of one half."),
    ],
)
def test_a_test_is_told_in_a_sentence(docstring, says, tmp_path):
    """A test without a docstring has its name."""
    text = "import pytest\n\n\n@pytest.mark.three\ndef test_three_is_three(student):\n"
    (tmp_path / "t.py").write_text(f"{text}    {docstring}\n    assert student.three(1) == 3\n")
    assert [test.about for test in runner.tests(tmp_path / "t.py")] == [says]


def test_a_package_that_a_test_needs_is_named(tmp_path):
    (tmp_path / "t.py").write_text("import no_such_package.part\n")
    with pytest.raises(ValueError, match=r"t\.py needs no_such_package, .* pip install no_such_package"):
        runner.tests(tmp_path / "t.py")


CALLS = """
def three(x):
    {three}


def other(
    x,
):
    # not three
    {other}


def other_one(x):
    return three(x)
"""


@pytest.mark.parametrize(
    ("three", "other", "says"),
    [
        (
            "return 6.0",
            "return 2 * three(x)",
            "expected 6; that is 2 times as much; it calls three, not right yet: begin there",
        ),
        ("raise NotImplementedError", "return 2 * three(x)", "it calls three, not right yet: begin there"),
        ("return (", "return 2 * three(x)", "it calls three, not right yet: begin there"),
        ("return 6.0", "return 5.0", "the answer of other is 5, expected 6"),
        ("return 3.0", "return three(x)", "the answer of other is 3, expected 6; that is 1/2 times as much"),
    ],
)
def test_a_function_that_calls_a_wrong_one_is_told_where_to_begin(three, other, says, tmp_path):
    text = "import pytest\nfrom edudiff.course.answers import agree\n"
    for task, right in (("three", 3.0), ("other", 6.0)):
        text += f"\n\n@pytest.mark.{task}\ndef test_{task}(student):\n    agree(student.{task}(0.5), {right})\n"
    (tmp_path / "t.py").write_text(text)
    cells = [f"# %% [cell {i}]\ndef {part}" for i, part in enumerate(CALLS.split("def ")[1:])]
    file = handed_in.HandedIn("mine.ipynb", "".join(cells).format(three=three, other=other))
    verdicts = judge.judge(file, tmp_path / "t.py", {"three": {}, "other": {}}, limits=LIMITS).verdicts
    assert verdicts[1].message.endswith(says)
    assert "it calls" not in verdicts[0].message


def test_a_test_that_cannot_use_an_answer_says_what_it_was(tmp_path):
    text = "import pytest\n\n\n@pytest.mark.three\ndef test_it(student):\n    a, b = student.three(1)\n"
    (tmp_path / "t.py").write_text(text)
    for body, says in (("pass", "None; is a return missing?"), ("return 3, 4, 5", "a tuple of 3 values")):
        file = handed_in.HandedIn("mine.py", f"def three(x):\n    {body}\n")
        [verdict] = judge.judge(file, tmp_path / "t.py", {"three": {}}, limits=LIMITS).verdicts
        assert f"the test cannot use what three returned, which is {says}" in verdict.message


@pytest.mark.parametrize("name", ("nosuch", "nosuch.py", "nosuch/a1_noise.ipynb"))
def test_check_names_a_file_that_is_not_there(name, tmp_path, capsys):
    assert cli.main(["course", "check", str(tmp_path / name)]) == 2
    said = capsys.readouterr().err
    assert f"there is no file or folder {tmp_path / name}" in said
    assert "test_visible" not in said


@pytest.mark.parametrize(
    ("first", "encoding"),
    [
        ("# -*- coding: latin-1 -*-", "latin-1"),
        ("# vim: set fileencoding=cp1252 :", "cp1252"),
        ("\n# coding: ISO_8859-1", "latin-1"),
        ("# coding: utf-8", "utf-8-sig"),
        ("# as an editor on Windows may save it", "utf-16"),
    ],
)
def test_a_file_in_the_encoding_that_it_names_is_read(first, encoding, tmp_path):
    """Python runs the first four; what is read is what was written, umlauts and all."""
    text = f"{first}\nname = 'Müller'\n"
    (tmp_path / "a1_noise.py").write_bytes(text.encode(encoding))
    found = handed_in.find(tmp_path, "a1_noise")
    assert (found.problem, found.source) == ("", text)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"# coding: unicode_escape\n", "its encoding is 'unicode-escape'; save it as UTF-8"),
        (b"name = 'M\xfcller'\n", "byte 9 is no utf-8; save it as UTF-8"),
        (b"# coding: ascii\n# \xfc", "byte 18 is no ascii; save it as UTF-8"),
        (b"\xff\xfea", "save it as UTF-8"),
    ],
)
def test_a_file_in_no_encoding_is_told_what_to_do(data, says, tmp_path):
    (tmp_path / "a1_noise.py").write_bytes(data)
    assert says in handed_in.find(tmp_path, "a1_noise").problem
