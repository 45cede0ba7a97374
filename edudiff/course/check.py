"""`edudiff course check`: the visible tests on one file, and for each task what is wrong."""

from pathlib import Path

from edudiff.course import handed_in, hints, judge
from edudiff.course.assignment import VISIBLE, natural
from edudiff.course.sandbox.process import Limits


def places(path: str | Path) -> list[Path]:
    """The folders of assignments that `path` stands for: one file or folder is itself, a bundle is all its folders."""
    path = Path(path)
    inside = [file.parent for file in path.glob(f"*/{hints.FILE}")]
    return sorted(inside, key=natural) if inside else [path]


def check(path: str | Path, limits: Limits | None = None) -> judge.Judged:
    """Judge a student's file (.py, .ipynb) or the folder that holds it.

    The tests and hints lie beside it, as in the student's bundle. Raises FileNotFoundError if there is nothing at
    `path`, ValueError if the tests are missing or the file cannot be read.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no file or folder {path}; expected your .py or .ipynb, or its folder")
    folder = path if path.is_dir() else path.parent
    if not (folder / hints.FILE).is_file() or not (folder / VISIBLE).is_file():
        raise ValueError(f"{folder} has no {VISIBLE} and {hints.FILE}; keep your file in the folder of the assignment")
    file = handed_in.find(folder, folder.resolve().name) if path.is_dir() else handed_in.read(path)
    if file is None:
        raise ValueError(f"{folder} has no {folder.resolve().name}.py; give the name of your file")
    if file.problem:
        raise ValueError(f"{file.name} {file.problem}")
    return judge.judge(file, folder / VISIBLE, hints.read(folder / hints.FILE), limits=limits)


def report(judged: judge.Judged) -> str:
    """The verdicts as lines of text, and what of the file was not run."""
    lines = []
    for verdict in judged.verdicts:
        lines.append(f"{verdict.task}: {verdict.status}")
        lines += [f"    {verdict.message}"] if verdict.message else []
        lines += [f"    Hint: {verdict.hint}"] if verdict.hint else []
    passed = sum(verdict.passed for verdict in judged.verdicts)
    return "\n".join([*lines, *judged.notes, f"{passed} of {len(judged.verdicts)} tasks passed"])
