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
QUIET = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)  # these take no time


@dataclass
class Loaded:
    """The names that a file defined, and the statements that failed: [(line, what `told` says)]."""

    text: str = field(repr=False)
    file: str
    names: dict[str, Any] = field(repr=False)
    failed: list[tuple[int, tuple[str, str, str]]] = field(default_factory=list)

    def place(self, line: int) -> str:
        """Where a line is, as its author sees it: "line 12", or in a notebook "cell 3, line 2"."""
        for cell in reversed(list(CELL.finditer(self.text))):
            start = self.text.count("\n", 0, cell.start()) + 1
            if cell[1] and start < line:
                return f"cell {cell[1]}, line {line - start}"
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
    for part in parts(text):
        try:
            nodes = ast.parse(part, file).body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            made.failed.append((getattr(error, "lineno", 0) or 0, told(error, made)))
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


def parts(text: str) -> Iterator[str]:
    """The whole text if it is Python; otherwise its cells, each at its own lines."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        starts = [0, *(cell.start() for cell in CELL.finditer(text))]
        for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
            yield "\n" * text.count("\n", 0, start) + text[start:end]
    else:
        yield text


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
