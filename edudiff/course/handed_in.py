"""The files of a submission: found, checked and read as text, and nothing of them is run here.

A submission is a folder or a zip file. Nothing of a zip is written to a disk, and what is read of it is bounded.
"""

import codecs
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edudiff.course import notebook

MOST_BYTES = 4 << 20  # of code, in one file
MOST_NOTEBOOK, MOST_ZIP, MOST_CONTENTS = 1 << 25, 1 << 26, 1 << 20  # bytes; the last is a zip's table of contents
MOST_FILES, MOST_DEPTH, MOST_BESIDE = 2000, 4, 20
# Names and texts are a stranger's: each can be matched in one way only, or a search would take as long as they like.
UNWRITTEN = re.compile(r"^[ \t]*raise NotImplementedError", re.MULTILINE)  # as code, not in a comment
KINDS = {".py", ".ipynb"}
AGAIN = re.compile(r"(?: ?[(\[]\d+[)\]]| ?-? ?copy\d*|[-_ ]\d+)+$")  # what is added to the name of a second copy
ENCODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")  # as PEP 263 has it
ENCODINGS = {"latin-1", "iso-8859-1", "iso-8859-15", "cp1252", "windows-1252", "ascii", "us-ascii"}
NOT_OF_A_STUDENT = re.compile(r"test_.*|grade|conftest")


@dataclass(frozen=True)
class HandedIn:
    """One file of a submission: its code, or the `problem` that keeps it from being read.

    `beside`: {module: text} of the Python files that lie with it, which it may import. `path`: where in the
    submission the file lies.
    """

    name: str
    source: str = field(default="", repr=False)
    problem: str = ""
    beside: dict[str, str] = field(default_factory=dict, repr=False)
    path: str = ""


@dataclass(frozen=True)
class Seen:
    """One file that is there, in a folder or a zip: where, and how to read it, if it is a plain file: bytes."""

    path: str
    size: int
    read: Callable[[], bytes] | None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def may_be_code(self) -> bool:
        """Whether a student may have written it: a Python file, a notebook, or a folder that was not looked into."""
        stem, ending = os.path.splitext(self.name)
        return self.path.endswith("/") or (ending.lower() in KINDS and not NOT_OF_A_STUDENT.fullmatch(stem))

    @property
    def folder(self) -> str:
        """The folder that it lies in."""
        return self.path.rpartition("/")[0]


def files(place: Path) -> list[Seen]:
    """All files of a submission, the ones nearest to its top first. Raises ValueError for a zip that cannot be read.

    Hidden files and those that systems add (`__MACOSX`, `._name`) are none of the student's. A folder that lies too
    deep to be looked into is listed itself, with a slash at its end.
    """
    found = _of_zip(place) if place.suffix.lower() == ".zip" and not place.is_dir() else _of_folder(place)
    return sorted(found, key=lambda seen: (seen.path.count("/"), seen.path))


def find(place: Path, name: str) -> HandedIn | None:
    """What a submission has for the assignment `name`, or None.

    Looked for are `name`.py and `name`.ipynb, also as "`name` (1).PY" and in inner folders and zip files. Of several,
    the one with the fewest tasks unwritten counts: students get both kinds and fill in one.
    """
    return chosen(files(place), name)


def chosen(seen: list[Seen], name: str) -> HandedIn | None:
    """The file for the assignment `name` among those that are there, or None."""
    fits = [one for one in seen if _ending(one) in KINDS and _means(one.name, name)]
    found = [_read(one, seen) for one in fits]
    if not found:
        return None
    return min(found, key=lambda one: (bool(one.problem), len(UNWRITTEN.findall(one.source))))


def read(path: Path) -> HandedIn:
    """One file as a `HandedIn`. A link, a pipe or a huge file is not opened: it could be anything."""
    seen = [_on_disk(one, one.name) for one in sorted(path.parent.glob("*.py"))[:MOST_FILES]]
    return _read(_on_disk(path, path.name), seen)


def _read(one: Seen, seen: list[Seen]) -> HandedIn:
    is_notebook = _ending(one) == ".ipynb"
    if one.read is None:
        return HandedIn(one.name, problem="is a link or no plain file; hand in the file itself")
    if one.size > (most := MOST_NOTEBOOK if is_notebook else MOST_BYTES):
        return HandedIn(one.name, problem=f"has {one.size} bytes; at most {most} are read")
    try:
        data = one.read()
        if is_notebook:
            data = notebook.without_outputs(data)
            if len(data) > MOST_BYTES:
                raise ValueError(f"{len(data)} bytes without its outputs; at most {MOST_BYTES} are read")
        text = decoded(data)
        source = notebook.code(text) if is_notebook else text
        return HandedIn(one.name, source, beside=_beside(one, seen), path=one.path)
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
        return HandedIn(one.name, problem=f"cannot be read: {error}")


def decoded(data: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 by its mark, or of the encodings that its first two lines may name, these few.

    Raises ValueError that says how to save it, for any other.
    """
    named = [found[1].decode() for line in data.split(b"\n", 2)[:2] if (found := ENCODING.match(line))]
    encoding = named[0].lower().replace("_", "-") if named else "utf-8"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif encoding in ("utf-8", "utf8"):
        encoding = "utf-8-sig"
    elif encoding not in ENCODINGS:
        raise ValueError(f"its encoding is {encoding[:40]!r}; save it as UTF-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        told = encoding.removesuffix("-sig")
        raise ValueError(f"byte {error.start:,} is no {told}; save it as UTF-8") from error


def _beside(one: Seen, seen: list[Seen]) -> dict[str, str]:
    """{module: text} of the Python files in the folder of a submission's file, and at the submission's top."""
    texts: dict[str, str] = {}
    left = MOST_BYTES
    for other in seen:
        module, ending = os.path.splitext(other.name)
        fits = ending == ".py" and module.isidentifier() and not NOT_OF_A_STUDENT.fullmatch(module)
        if not fits or other is one or other.read is None or other.folder not in ("", one.folder):
            continue
        if other.size <= left and len(texts) < MOST_BESIDE:
            try:
                texts[module] = decoded(other.read())
            except (OSError, ValueError, zipfile.BadZipFile, zlib.error, RuntimeError, EOFError):
                continue
            left -= other.size
    return texts


def _ending(one: Seen) -> str:
    return os.path.splitext(one.name)[1].lower()


def _means(file: str, name: str) -> bool:
    """True for `name` itself, with what systems add to a second copy, or after what a course's website puts first."""
    stem = os.path.splitext(file)[0].strip().lower()
    return any(re.search(rf"(^|[^a-z0-9]){re.escape(name.lower())}$", s) for s in (stem, AGAIN.sub("", stem)))


def _skipped(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "__pycache__")


def _on_disk(path: Path, name: str) -> Seen:
    kind = os.lstat(path) if os.path.lexists(path) else None
    plain = kind is not None and stat.S_ISREG(kind.st_mode) and not path.parent.is_symlink()
    return Seen(name, kind.st_size if kind else 0, path.read_bytes if plain else None)


def _of_folder(folder: Path) -> list[Seen]:
    found: list[Seen] = []
    for at, folders, names in os.walk(folder):
        inner = os.path.relpath(at, folder).replace(os.sep, "/")
        depth = 0 if inner == "." else inner.count("/") + 1
        folders[:] = sorted(n for n in folders if not _skipped(n))
        if depth == MOST_DEPTH:
            found += [Seen(f"{inner}/{name}/", 0, None) for name in folders]
            folders.clear()
        for name in sorted(names):
            if _skipped(name):
                continue
            seen = _on_disk(Path(at, name), name if inner == "." else f"{inner}/{name}")
            if name.lower().endswith(".zip") and seen.read is not None:
                try:
                    found += [Seen(f"{seen.path}/{s.path}", s.size, s.read) for s in _of_zip(Path(at, name))]
                    continue
                except ValueError:
                    pass  # it is listed as a file that means nothing
            found.append(seen)
            if len(found) > MOST_FILES:
                return found[:MOST_FILES]
    return found


def _of_zip(path: Path) -> list[Seen]:
    """The files in a zip. Raises ValueError for one that is broken or too large."""
    try:
        _check_contents(path)
        with zipfile.ZipFile(path) as opened:
            infos = [info for info in opened.infolist()[:MOST_FILES] if not info.is_dir()]
    except (OSError, zipfile.BadZipFile, NotImplementedError, UnicodeError) as error:
        raise ValueError(f"{path.name} is not a zip that can be read: {error}") from error
    found, deep = [], set()
    for info in infos:
        parts = [part for part in info.filename.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        if not parts or any(_skipped(part) for part in parts):
            continue
        if len(parts) > MOST_DEPTH + 1:
            deep.add("/".join([*parts[: MOST_DEPTH + 1], ""]))
        else:
            plain = not stat.S_ISLNK(info.external_attr >> 16) and not info.flag_bits & 1
            found.append(Seen("/".join(parts), info.file_size, _reader(path, info) if plain else None))
    return [*found, *(Seen(folder, 0, None) for folder in deep)]


def _check_contents(path: Path) -> None:
    """Raise ValueError unless a zip's table of contents is small: reading it is what costs memory."""
    size = path.stat().st_size
    if size > MOST_ZIP:
        raise ValueError(f"{path.name} has {size} bytes; at most {MOST_ZIP} are read")
    with open(path, "rb") as file:
        file.seek(max(0, size - (1 << 16) - 22))
        end = file.read()
    place = end.rfind(b"PK\5\6")
    if place < 0 or len(end) - place < 22:
        raise ValueError(f"{path.name} is not a zip file")
    contents = struct.unpack("<I", end[place + 12 : place + 16])[0]
    if contents > MOST_CONTENTS:
        raise ValueError(f"{path.name} has {contents} bytes of names; at most {MOST_CONTENTS} are read")


def _reader(path: Path, info: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        """What is packed, no more than it claims to be."""
        with zipfile.ZipFile(path) as opened, opened.open(info) as file:
            return file.read(info.file_size + 1)

    return read
