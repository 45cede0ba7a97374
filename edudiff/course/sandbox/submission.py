"""A submission's file, run statement by statement as a notebook is: what fails takes no other function with it."""

import __future__

import ast
import importlib.machinery
import re
import sys
import traceback
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

CELL = re.compile(r"^# %%(?: \[cell (\d+)\])?", re.MULTILINE)  # the course's notebooks are read as such files
IPYTHON = re.compile(r"^\s*[%!?]|\?\s*$|^\s*[\w, ]+=\s*[%!]")
TIMED = re.compile(r"(\s*)%time\s+(.*)")
PYTHON_CELLS = {"%%time", "%%timeit", "%%capture", "%%prun", "%%python", "%%python3"}
MOST_LINES = 200  # of IPython, in one cell
QUIET = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)  # these take no time


@dataclass
class Loaded:
    """The names that a file defined, and the statements that failed: [(line, what `told` says)]."""

    text: str = field(repr=False)
    file: str
    names: dict[str, Any] = field(repr=False)
    failed: list[tuple[int, tuple[str, str, str]]] = field(default_factory=list)
    unread: list[tuple[str, tuple[str, str, str]]] = field(default_factory=list, repr=False)  # parts that are no Python

    def why_not(self, name: str) -> str:
        """Why a function is not there, as far as that is known."""
        fits = [told for part, told in self.unread if re.search(rf"^\s*def\s+{re.escape(name)}\b", part, re.MULTILINE)]
        part = "cell" if self.file.endswith(".ipynb") else "part of the file"
        return f"; its {part} was not run: {fits[0][0]} in {fits[0][2]}: {fits[0][1]}" if fits else ""

    def place(self, line: int) -> str:
        """Where a line is, as its author sees it: "line 12", or in a notebook "code cell 3, line 2"."""
        for cell in reversed(list(CELL.finditer(self.text))):
            start = self.text.count("\n", 0, cell.start()) + 1
            if cell[1] and start < line:
                return f"code cell {cell[1]}, line {line - start}"
        return f"line {line}"


def load(text: str, file: str, skip: set[int], at: Callable[[int], object]) -> Loaded:
    """Run a file, without the statements that begin at the lines `skip`.

    `at` is called with the line of each statement that may take its time, before it runs.
    """
    module = types.ModuleType("submission")  # as a module, because dataclasses look up where they were made
    module.__file__ = file
    sys.modules[module.__name__] = module
    made = Loaded(text, file, module.__dict__)
    flags = 0
    for start, part in parts(text, file):
        try:
            nodes = ast.parse("\n" * start + python(part), file).body
        except LeftOut as error:
            made.failed.append((start + 1, ("left out", str(error), made.place(start + 2))))
            continue
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            made.failed.append((getattr(error, "lineno", 0) or 0, told(error, made)))
            made.unread.append((part, made.failed[-1][1]))
            continue
        for node in nodes:
            line = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                names = [alias.name for alias in node.names if alias.name in __future__.all_feature_names]
                flags |= sum(getattr(__future__, name).compiler_flag for name in names)
            if line in skip:
                continue
            if not isinstance(node, QUIET):
                at(line)
            try:
                code = compile(ast.Module([node], []), file, "exec", flags, dont_inherit=True)
                exec(code, made.names)
            except BaseException as error:  # SystemExit too
                made.failed.append((line, told(error, made)))
    return made


def parts(text: str, file: str) -> Iterator[tuple[int, str]]:
    """(lines before it, text) of the parts of a file: its cells if it is a notebook or not Python as a whole."""
    starts = [0, *(cell.start() for cell in CELL.finditer(text))]
    if not file.endswith(".ipynb"):
        try:
            ast.parse(text)
            starts = [0]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        if start < end:
            yield text.count("\n", 0, start), text[start:end]


class LeftOut(Exception):
    """A cell of a notebook that is no Python, by the word that it begins with."""


def python(cell: str) -> str:
    """A cell's text without IPython's own lines: `%name`, `!command`, `name?`. Raises LeftOut for another language.

    A line is IPython's only if Python cannot read it: inside brackets a line may begin with `%`. Of `%time statement`
    the statement stays; what a line with `\\` at its end goes on with, goes with it.
    """
    lines = cell.split("\n")
    first = next((place for place, line in enumerate(lines) if line.strip() and not line.startswith("#")), 0)
    if lines[first].startswith("%%"):
        word = lines[first].split()[0]
        if word not in PYTHON_CELLS:
            raise LeftOut(word)
        lines[first] = ""
    for _ in range(MOST_LINES):
        try:
            ast.parse("\n".join(lines))
        except SyntaxError as error:
            place = (error.lineno or 0) - 1
            if not (0 <= place < len(lines) and IPYTHON.search(lines[place])):
                break
            line, timed = lines[place], TIMED.fullmatch(lines[place])
            lines[place] = "".join(timed.groups()) if timed else line[: len(line) - len(line.lstrip())] + "pass"
            while line.endswith("\\") and not timed and place + 1 < len(lines):
                place += 1
                line, lines[place] = lines[place], ""
        else:
            break
    return "\n".join(lines)


def told(error: BaseException, made: Loaded) -> tuple[str, str, str]:
    """What is said of an exception: its type, its text, and where in the submission it was raised."""
    try:
        text = str(error)[:500]
        if isinstance(error, SyntaxError):
            text = f"{error.msg}"[:500]
        if isinstance(error, MemoryError) and not text:
            text = "it asks for more memory than a solution may have"
        if isinstance(error, ModuleNotFoundError) and "edudiff" not in text:
            text += "; a solution has NumPy and the standard library"
        return type(error).__name__, text, _place(error, made)
    except BaseException:  # its __str__ is the submission's too
        return "Exception", "an error without a text", ""


def _place(error: BaseException, made: Loaded) -> str:
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [(file, line) for file, line in frames if file == made.file or file.startswith(Beside.MARK)]
    if isinstance(error, SyntaxError) and error.filename == made.file:
        own = [(made.file, error.lineno or 0)]
    if not own or not own[-1][1]:
        return ""
    file, line = own[-1]
    return made.place(line) if file == made.file else f"line {line} of {file.removeprefix(Beside.MARK)}"


class Beside:
    """A finder of modules: the files that were handed in beside the submission, kept as text."""

    MARK = "beside: "

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> Any:
        """What the import system asks."""
        return importlib.machinery.ModuleSpec(name, self) if name in self.texts else None  # type: ignore[arg-type]

    def create_module(self, spec: Any) -> None:
        """As usual."""

    def exec_module(self, module: types.ModuleType) -> None:
        """Run the file."""
        name = module.__name__
        exec(compile(self.texts[name], f"{self.MARK}{name}.py", "exec", dont_inherit=True), module.__dict__)
