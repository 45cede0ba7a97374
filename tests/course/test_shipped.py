"""The assignments come with the package: in a checkout they lie in lessons/, in a wheel beside the code."""

import configparser
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
    assert len(read_all(shipped())) == 10


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


def test_a_wheel_holds_every_package_and_every_assignment():
    """setup.cfg names them all, because a mapped folder and a search for packages do not go together."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    found = {path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in ROOT.glob("edudiff/**/__init__.py")}
    mapped, _, folder = config["options"]["package_dir"].strip().partition(" = ")
    assert set(config["options"]["packages"].split()) == found | {mapped}
    assert (mapped, ROOT / folder) == ("edudiff.course.assignments", LESSONS)
    held = {path for glob in config["options.package_data"][mapped].split() for path in LESSONS.glob(glob)}
    assert {path for path in LESSONS.rglob("*.*") if path.suffix in (".py", ".md")} == held
