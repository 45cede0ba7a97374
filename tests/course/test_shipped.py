"""The assignments come with the package: in a checkout they lie in lessons/, in a wheel beside the code."""

import runpy
from pathlib import Path

import pytest

from edudiff import cli
from edudiff.course import assignment, read_all, shipped

ROOT = Path(__file__).parents[2]
LESSONS = ROOT / "lessons" / "assignments"
MASTER = "def three(x):\n    ### BEGIN SOLUTION\n    return 3\n    ### END SOLUTION\n"
TEST = "import pytest\n\n\n@pytest.mark.three\ndef test_it(student):\n    assert student.three(1) == 3\n"


def test_in_a_checkout_they_are_those_of_the_lessons():
    assert shipped() == LESSONS
    assert len(read_all(shipped())) >= 10


def test_where_they_are_installed_a_build_needs_no_source(tmp_path, monkeypatch, capsys):
    """`edudiff course build DIR`, from an empty folder."""
    pytest.importorskip("jupytext")
    monkeypatch.setattr(assignment, "HERE", tmp_path / "course")
    folder = tmp_path / "course" / "assignments" / "a1_three"
    folder.mkdir(parents=True)
    for name, text in (("a1_three.py", MASTER), ("test_visible.py", TEST), ("test_hidden.py", TEST)):
        (folder / name).write_text(text)
    assert shipped() == folder.parent
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert cli.main(["course", "build", "to"]) == 0
    assert "1 assignments, 1 tasks" in capsys.readouterr().out
    assert Path("to", "student", "a1_three", "a1_three.py").is_file()


def test_where_they_are_nowhere_the_error_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(assignment, "HERE", tmp_path / "edudiff" / "course")
    with pytest.raises(FileNotFoundError, match=r"neither in .* nor in .*lessons.*--from FOLDER"):
        shipped()
    assert cli.main(["course", "build", str(tmp_path / "to")]) == 2
    assert "install edudiff again" in capsys.readouterr().err


def built(folder, **settings):
    """What setup.py's own command adds to the packages, built into `folder`."""
    dist = pytest.importorskip("setuptools.dist")
    command = runpy.run_path(str(ROOT / "setup.py"))["WithAssignments"](dist.Distribution({"packages": []}))
    command.build_lib, command.editable_mode = str(folder), settings.get("editable", False)
    command.ensure_finalized()
    command.run()
    return {path.relative_to(folder / "edudiff" / "course" / "assignments") for path in folder.rglob("*.*")}


def test_a_wheel_holds_every_assignment(tmp_path):
    there = {path.relative_to(LESSONS) for path in LESSONS.rglob("*.*") if "__pycache__" not in path.parts}
    assert built(tmp_path) == there - {Path("ruff.toml")}


def test_an_editable_install_copies_no_assignment(tmp_path):
    """They would hide those that one edits."""
    assert built(tmp_path, editable=True) == set()


def test_a_wheel_holds_every_file_of_the_package():
    """setup.cfg asks for packages: a folder without `__init__.py` would be left out."""
    assert [path for path in (ROOT / "edudiff").rglob("*.py") if not (path.parent / "__init__.py").exists()] == []
