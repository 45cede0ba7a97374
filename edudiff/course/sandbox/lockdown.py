"""Lock the own process in before it runs code that nobody trusts: limits, no rights, no files, no network.

Each line of defense is tried on its own; `lock` says which ones hold. On Linux the kernel enforces them. Elsewhere
the audit hook is the only one against files and network, and code that knows CPython well gets around it.
"""

import os
import platform
import signal
import sys
import sysconfig
from collections.abc import Callable, Sequence
from typing import Any

from edudiff.course.sandbox import landlock, mounts, syscalls

NOBODY = 65534
REFUSED_EVENTS = ("os.", "subprocess.", "socket.", "shutil.", "ctypes.", "pty.", "signal.", "_winapi.", "winreg.")
REFUSED_MODULES = {"readline", "_sqlite3", "_dbm", "_gdbm", "_curses"}  # they open files without asking Python
READING_EVENTS = {"open": 0, "os.listdir": 0, "os.scandir": 0}


def lock(numpy_folder: str, seconds: int, memory: int) -> list[str]:
    """Lock this process in for good; returns the names of the defenses that hold.

    `numpy_folder`: where NumPy lies, which stays readable, as the standard library does. `seconds`: of processor time.
    `memory`: bytes of address space.
    """
    roots, library = readable(numpy_folder), sysconfig.get_path("stdlib")
    inside, listed = [os.path.realpath(root) for root in roots], os.path.realpath(library)
    held = [_attempt("limits", _limit, seconds, memory)]
    if sys.platform == "linux":
        _attempt("parent", syscalls.die_with_parent)
        held.append(_attempt("files", landlock.read_only, roots, library))
        if "files" not in held and os.getuid() == 0:
            held.append(_attempt("files", mounts.only, [library, *near(numpy_folder)]))
            held.append(_attempt("nobody", _become_nobody, roots))
        held.append(_attempt("capabilities", syscalls.drop_capabilities))
        held.append(_attempt("system calls", syscalls.refuse, platform.machine()))
    if "system calls" not in held:
        held.append(_attempt("processes", _no_processes))
    sys.addaudithook(_hook(inside, listed))
    return [name for name in held if name] + ["audit hook"]


def readable(numpy_folder: str) -> list[str]:
    """What a solution may read, files and folders: the standard library, without what is installed in it, and NumPy."""
    library = sysconfig.get_path("stdlib")
    names = set(os.listdir(library)) - {"site-packages", "dist-packages"}
    return [os.path.join(library, name) for name in sorted(names)] + near(numpy_folder)


def near(numpy_folder: str) -> list[str]:
    """NumPy's own folders."""
    folders = [os.path.join(numpy_folder, name) for name in ("numpy", "numpy.libs")]
    return [folder for folder in folders if os.path.exists(folder)]


def _attempt(name: str, defense: Callable[..., object], *arguments: Any) -> str | None:
    try:
        defense(*arguments)
    except (OSError, ValueError, KeyError, ImportError, AttributeError, StopIteration):
        return None
    return name


def _limit(seconds: int, memory: int) -> None:
    import resource

    signal.alarm(2 * seconds + 60)  # elsewhere than on Linux a process that only sleeps outlives its grader until then
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _no_processes() -> None:
    """Where no filter of system calls refuses them; threads are refused as well, and root is not held."""
    import resource

    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _become_nobody(roots: Sequence[str]) -> None:
    """Where Landlock is missing and the grader is root, another user at least cannot read what only root may.

    Raises OSError if that user could not read `roots` either, and so not import the standard library.
    """
    above = {path for root in roots for path in _above(root)}
    if not all(os.stat(path).st_mode & 0o001 for path in above) or not all(os.stat(r).st_mode & 0o004 for r in roots):
        raise PermissionError("nobody may not read the standard library")
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    syscalls.die_with_parent()  # a new user takes that back


def _above(path: str) -> list[str]:
    """The folders that lead to a path."""
    parts = path.split(os.sep)
    return [os.sep.join(parts[:end]) or os.sep for end in range(1, len(parts))]


def _hook(roots: Sequence[str], library: str) -> Callable[[str, tuple], None]:
    """An audit hook: read below `roots`, list `library`, and refuse all other events which reach outside."""
    inside = tuple(root + os.sep for root in roots)
    realpath, fspath, fsdecode, refused = os.path.realpath, os.fspath, os.fsdecode, REFUSED_EVENTS
    modules = frozenset(REFUSED_MODULES)

    def hook(event: str, arguments: tuple) -> None:
        if event in READING_EVENTS:
            path, mode = arguments[0], arguments[1] if event == "open" else "r"
            if isinstance(path, int):
                return
            writes = isinstance(mode, str) and set(mode) & set("wax+")
            place = realpath(fsdecode(fspath(path)))
            if writes or not ((place + os.sep).startswith(inside) or (event != "open" and place == library)):
                raise PermissionError(f"a solution may not open {path!r}: it computes, and reads or writes no file")
        elif event.startswith(refused) or (event == "import" and arguments[0] in modules):
            what = arguments[0] if event == "import" else event
            raise PermissionError(f"a solution may not use {what}")

    return hook
