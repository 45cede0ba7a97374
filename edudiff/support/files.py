"""Files that are written whole or not at all: results as JSON, arrays, figures."""

import errno
import glob
import json
import math
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from edudiff.support.arrays import to_numpy
from edudiff.support.locks import hold
from edudiff.support.types import Array

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def expanded(path: str | Path) -> Path:
    """`path` with its first ~ replaced by the home folder, if there is one; else, as of ~nobody, as it is."""
    return Path(os.path.expanduser(path))


class atomic:
    """`with atomic(path) as file`: a binary file that appears at `path` only if the block ends without an error.

    Raises OSError that names the file and says what to do if there is no room for it. What a process that was killed
    while it wrote the same file has left beside it is removed.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(os.path.realpath(path))

    def __repr__(self) -> str:
        return f"atomic({str(self.path)!r})"

    def __enter__(self) -> BinaryIO:
        check_file(self.path)
        remove_leftovers(self.path.parent, self.path.name)
        while True:
            self.temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.part")
            self.file = open(self.temporary, "xb")
            if _kept(self.file):
                return self.file
            self.file.close()

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        try:
            try:
                if kind is None:
                    self.file.flush()
                    os.fsync(self.file.fileno())
            finally:
                self.file.close()
            if kind is None:
                os.replace(self.temporary, self.path)
        except OSError as late:
            error = error or late
        finally:
            if os.path.exists(self.temporary):
                os.unlink(self.temporary)
        if cause := _no_room(error):
            was = "what it held before is kept" if self.path.exists() else "nothing is left of it"
            told = f"cannot write {self.path}: {cause.strerror}; {was}; make room, then run it again"
            raise _error(told, cause) from error
        if kind is None and error is not None:
            raise error


def remove_leftovers(folder: Path, name: str | None = None) -> None:
    """Remove what killed processes have left half written in `folder`, of the file `name` or of any.

    What a process that lives still writes is locked, and stays.
    """
    for path in folder.glob(f".{'*' if name is None else glob.escape(name)}.????????.part"):
        with suppress(OSError):
            if not stat.S_ISREG(os.lstat(path).st_mode):
                continue
            with open(path, "rb+") as file:
                if hold(file) and os.name != "nt":
                    os.unlink(path)
            if os.name == "nt":  # where an open file cannot be removed
                os.unlink(path)


def check_file(path: Path) -> None:
    """Check that a file can be written at `path`, as far as that can be known before.

    Raises OSError that names it: for a folder, a device or a pipe, or where there is no such folder.
    """
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "no plain file"
        raise OSError(f"cannot write {path}: it is {kind}; name another file")
    if not path.parent.is_dir():
        raise OSError(f"cannot write {path}: there is no folder {path.parent}; make it, or name another file")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OSError(f"cannot write {path}: the folder {path.parent} is not yours to write to; name another file")


def check_folder(path: Path) -> None:
    """Check that a folder can be made at `path`, or written to, as far as that can be known before.

    Raises OSError that names it and what is in the way.
    """
    there = next(one for one in (path, *path.absolute().parents) if os.path.lexists(one))
    if not there.is_dir():
        raise OSError(f"cannot write to the folder {path}: {there} is no folder; name another")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OSError(f"cannot write to the folder {path}: {there} is not yours to write to; name another")


def open_folder(path: str | Path, option: str = "--out") -> Path:
    """Make the folder `path` if needed and check that it can be written; returns it as a Path.

    Raises OSError that names the folder and advises to name another `option`, ValueError for no name at all.
    """
    if not str(path):  # which Path takes for the folder that one is in
        raise ValueError(f"{option} is {path!r}, expected the name of a folder; . is the one that you are in")
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{secrets.token_hex(4)}.writable"
        probe.touch()
        probe.unlink()
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        told = getattr(error, "strerror", None) or error
        raise _error(f"cannot write to the folder {folder} ({told}); name another with {option}", error) from error
    return folder


def write_results(path: str | Path, results: Any) -> None:
    """Write `results` as JSON. Values that JSON has no number for (NaN, infinity) become null."""
    text = json_text(results, indent=1)
    with atomic(path) as file:
        file.write(text.encode() + b"\n")


def json_text(value: Any, indent: int | None = None) -> str:
    """`value` as JSON that every reader takes: no NaN, no infinity (null instead), NumPy's numbers as plain ones."""
    return json.dumps(_plain(value), indent=indent, allow_nan=False)


def write_arrays(path: str | Path, images: dict[str, Array]) -> None:
    """Write {name: images} as `.npz`, float32: what the picture shows, pixel for pixel."""
    arrays: dict[str, Any] = {name: to_numpy(batch).astype("float32") for name, batch in images.items()}
    with atomic(path) as file:
        np.savez_compressed(file, **arrays)


def write_figure(path: str | Path, figure: Any) -> None:
    """Write a matplotlib Figure as PNG."""
    with atomic(path) as file:
        figure.savefig(file, format="png", dpi=120)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _kept(file: BinaryIO) -> bool:
    """Lock a file that was just made; False if a process that cleans up was faster."""
    with suppress(OSError):
        return hold(file) and os.path.exists(file.name)
    return True


def _no_room(error: BaseException | None) -> OSError | None:
    """The full disk, quota or size limit that is behind an error, if there is one behind it."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return error
        error = error.__cause__ or error.__context__
    return None


def _error(told: str, cause: BaseException) -> OSError:
    """An OSError with these words and the number of its cause."""
    error = OSError(told)
    error.errno = getattr(cause, "errno", None)
    return error
