"""One assignment: a folder with a master file whose solutions are marked, its tests, and wrong solutions with hints.

a1_noise/a1_noise.py      text, and functions with their solution between ### BEGIN SOLUTION and ### END SOLUTION
a1_noise/test_visible.py  tests that the student has; a marker on each says which function (task) it is about
a1_noise/test_hidden.py   tests that the grader has
a1_noise/wrong/*.py       the hint as the docstring, and one task written wrongly
"""

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

HERE = Path(__file__).parent
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
VISIBLE, HIDDEN = "test_visible.py", "test_hidden.py"
MARKED = re.compile(rf"^([ \t]*){BEGIN}[ \t]*\n.*?^[ \t]*{END}[ \t]*\n", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Wrong:
    """A plausible wrong solution: the whole master file with one `task` replaced, and the hint for its author."""

    name: str
    task: str
    hint: str
    source: str = field(repr=False)


@dataclass(frozen=True, repr=False)
class Assignment:
    """The parts of an assignment's folder; `name` is the folder's name and that of its master file."""

    folder: Path
    name: str
    source: str

    @cached_property
    def tasks(self) -> list[str]:
        """Names of the functions to write, in the order of the file."""
        return [node.name for node in functions(self.source) if BEGIN in lines_of(self.source, node)]

    @property
    def stub(self) -> str:
        """The student's file: each marked solution is replaced by `raise NotImplementedError`."""
        return MARKED.sub(r"\1raise NotImplementedError\n", self.source)

    @cached_property
    def wrongs(self) -> list[Wrong]:
        """The wrong solutions, by name. Raises ValueError that names a file which is none."""
        return [self._wrong(path) for path in sorted((self.folder / "wrong").glob("*.py"))]

    def test_file(self, name: str) -> Path:
        """The path of `test_visible.py` or `test_hidden.py`. Raises ValueError if it is missing."""
        path = self.folder / name
        if not path.is_file():
            raise ValueError(f"{self.folder} has no {name}")
        return path

    def __repr__(self) -> str:
        return f"Assignment({self.name!r}, tasks={self.tasks})"

    def _wrong(self, path: Path) -> Wrong:
        text = python(path)
        hint = ast.get_docstring(ast.parse(text))
        task = [node.name for node in functions(text) if node.name in self.tasks]
        if not hint or len(task) != 1:
            raise ValueError(f"{path}: expected a docstring (the hint) and one of the functions {self.tasks}")
        return Wrong(path.stem, task[0], " ".join(hint.split()), replaced(self.source, task[0], text))


def shipped() -> Path:
    """The folder of the assignments that come with the package: in a checkout lessons/assignments, else a copy of it.

    Raises FileNotFoundError if they are in neither place.
    """
    installed, checkout = HERE / "assignments", HERE.parents[1] / "lessons" / "assignments"
    for folder in (installed, checkout):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(
        f"the assignments are neither in {installed} nor in {checkout}; install edudiff again, or name their folder:"
        " edudiff course build DIR --from FOLDER"
    )


def read(folder: str | Path) -> Assignment:
    """The `Assignment` in a folder. Raises ValueError if its master file is missing or marks no solution."""
    folder = Path(folder)
    path = folder / f"{folder.name}.py"
    if not path.is_file():
        raise ValueError(f"{folder} has no {path.name}; an assignment's master file is named like its folder")
    made = Assignment(folder, folder.name, python(path))
    marks = made.source.count(BEGIN), made.source.count(END), len(MARKED.findall(made.source)), len(made.tasks)
    if marks[0] == 0 or len(set(marks)) > 1:
        raise ValueError(
            f"{path}: found {marks[0]} x {BEGIN!r}, {marks[1]} x {END!r} and {marks[3]} functions with both;"
            " expected one pair in each function that the student writes, and at least one"
        )
    return made


def read_all(folder: str | Path) -> list[Assignment]:
    """All assignments below a folder, in the order of their numbers: a2 before a10. Raises ValueError for none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; expected one with assignments such as {folder / 'a1_noise'}")
    found = [path for path in folder.iterdir() if (path / f"{path.name}.py").is_file()]
    if not found:
        raise ValueError(f"{folder} holds no assignment; expected folders such as a1_noise with a1_noise/a1_noise.py")
    return [read(path) for path in sorted(found, key=natural)]


def natural(path: Path) -> list[int | str]:
    """A sorting key by which a2 comes before a10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path.name)]


def python(path: Path) -> str:
    """The text of a file of an assignment. Raises ValueError, with its name, for one that Python cannot read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        ast.parse(text)
    except SyntaxError as error:
        raise ValueError(f"{path}, line {error.lineno}: {error.msg}; expected Python") from error
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    return text


def functions(source: str) -> list[ast.FunctionDef]:
    """The top-level functions of a file, as syntax trees."""
    return [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]


def lines_of(source: str, node: ast.FunctionDef) -> str:
    """The text of one syntax tree: whole lines."""
    return "".join(source.splitlines(keepends=True)[node.lineno - 1 : node.end_lineno])


def replaced(source: str, task: str, text: str) -> str:
    """The file `source` with its function `task` replaced by that of `text`."""
    old, new = (next(node for node in functions(s) if node.name == task) for s in (source, text))
    lines = source.splitlines(keepends=True)
    lines[old.lineno - 1 : old.end_lineno] = [lines_of(text, new)]
    return "".join(lines)
