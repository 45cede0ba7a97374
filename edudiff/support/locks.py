"""One process at a time: locks that the system takes back when their holder ends, however it ends."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

if sys.platform == "win32":
    import msvcrt
elif sys.platform != "emscripten":  # in a browser there is no other process to keep out
    import fcntl

LOCK = ".lock"  # the file in a folder that is locked as long as somebody works there
TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


def hold(file: IO[Any]) -> bool:
    """Lock an open file until it is closed, without waiting; False if another process holds it.

    Raises OSError on a file system that knows no locks.
    """
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        elif sys.platform != "emscripten":
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in TAKEN:
            return False
        raise
    return True


@contextmanager
def only_one(folder: Path, option: str) -> Iterator[None]:
    """As long as the block lasts, no other process gets into the same block for this `folder`, which must be there.

    Raises BlockingIOError if one is in it already; the message advises to name another `option`. Where the file system
    knows no locks, nobody is kept out.
    """
    file = _locked(folder / LOCK)
    if file is None:
        raise BlockingIOError(f"another run is at work in {folder} now; wait until it ends, or name another {option}")
    try:
        yield
    finally:
        if sys.platform == "win32":  # where an open file cannot be removed
            file.close()
        with suppress(OSError):
            os.unlink(folder / LOCK)
        file.close()


def _locked(path: Path) -> IO[bytes] | None:
    """The file `path`, made, open and locked; None if another process holds it."""
    while True:
        file = open(path, "ab")  # noqa: SIM115  it stays open as long as it is locked
        try:
            mine = hold(file)
        except OSError:
            return file
        if mine and _is_at(file, path):
            return file
        file.close()
        if not mine:
            return None  # else its holder has just removed it: what is at `path` now is another file


def _is_at(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
