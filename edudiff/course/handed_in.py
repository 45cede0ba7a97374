"""The files of a submission: found, checked and read as text, and nothing of them is run here."""

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from edudiff.course import notebook

MOST_BYTES = 4 << 20
UNWRITTEN = re.compile(r"^\s*raise NotImplementedError", re.MULTILINE)  # as code, not in a comment


@dataclass(frozen=True)
class HandedIn:
    """One file of a submission: its code, or the `problem` that keeps it from being read."""

    name: str
    source: str = field(default="", repr=False)
    problem: str = ""


def find(folder: Path, name: str) -> HandedIn | None:
    """What a submission has for the assignment `name`, or None.

    Looked for are `name`.py and `name`.ipynb in the folder and in its folder `name`. Of several, the one with the
    fewest tasks unwritten counts: students get both kinds and fill in one.
    """
    places = [place / f"{name}{kind}" for place in (folder, folder / name) for kind in (".py", ".ipynb")]
    found = [read(path) for path in places if os.path.lexists(path)]
    return min(found, key=lambda one: (bool(one.problem), len(UNWRITTEN.findall(one.source)))) if found else None


def read(path: Path) -> HandedIn:
    """One file as a `HandedIn`. A link, a pipe or a huge file is not opened: it could be anything."""
    try:
        kind = os.lstat(path)
        if not stat.S_ISREG(kind.st_mode) or path.parent.is_symlink():
            return HandedIn(path.name, problem="is a link or no plain file; hand in the file itself")
        if kind.st_size > MOST_BYTES:
            return HandedIn(path.name, problem=f"has {kind.st_size} bytes; at most {MOST_BYTES} are read")
        text = path.read_text(encoding="utf-8-sig")
        return HandedIn(path.name, notebook.code(text) if path.suffix == ".ipynb" else text)
    except (OSError, ValueError) as error:
        return HandedIn(path.name, problem=f"cannot be read: {error}")
