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

from edudiff.course.sandbox import landlock, syscalls

NOBODY = 65534
REFUSED_EVENTS = ("os.", "subprocess.", "socket.", "shutil.", "ctypes.", "pty.", "signal.", "_winapi.", "winreg.")
READING_EVENTS = {"open": 0, "os.listdir": 0, "os.scandir": 0}


def lock(numpy_folder: str, seconds: int, memory: int) -> list[str]:
    """Lock this process in for good; returns the names of the defenses that hold.

    `numpy_folder`: where NumPy lies, which stays readable, as the standard library does. `seconds`: of processor time.
    `memory`: bytes of address space.
    """
    roots, library = readable(numpy_folder), sysconfig.get_path("stdlib")
    held = [_attempt("limits", _limit, seconds, memory)]
    if sys.platform == "linux":
        held.append(_attempt("files", landlock.read_only, roots, library))
        if "files" not in held and os.getuid() == 0:
            held.append(_attempt("nobody", _become_nobody))
        held.append(_attempt("capabilities", syscalls.drop_capabilities))
        held.append(_attempt("system calls", syscalls.refuse, platform.machine()))
    if "system calls" not in held:
        held.append(_attempt("processes", _no_processes))
    sys.addaudithook(_hook([os.path.realpath(root) for root in roots], os.path.realpath(library)))
    return [name for name in held if name] + ["audit hook"]


def readable(numpy_folder: str) -> list[str]:
    """What a solution may read, files and folders: the standard library, without what is installed in it, and NumPy."""
    library = sysconfig.get_path("stdlib")
    names = set(os.listdir(library)) - {"site-packages", "dist-packages"}
    near = [os.path.join(numpy_folder, name) for name in ("numpy", "numpy.libs")]
    return [os.path.join(library, name) for name in sorted(names)] + [path for path in near if os.path.exists(path)]


def _attempt(name: str, defense: Callable[..., object], *arguments: Any) -> str | None:
    try:
        defense(*arguments)
    except (OSError, ValueError, KeyError, ImportError, AttributeError):
        return None
    return name


def _limit(seconds: int, memory: int) -> None:
    import resource

    signal.alarm(2 * seconds + 60)  # if the grader is gone, a process that only sleeps goes too
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _no_processes() -> None:
    """Where no filter of system calls refuses them; threads are refused as well, and root is not held."""
    import resource

    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _become_nobody() -> None:
    """Where Landlock is missing and the grader is root, another user at least cannot read what only root may."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def _hook(roots: Sequence[str], library: str) -> Callable[[str, tuple], None]:
    """An audit hook: read below `roots`, list `library`, and refuse all other events which reach outside."""
    inside = tuple(root + os.sep for root in roots)
    realpath, fspath, fsdecode, refused = os.path.realpath, os.fspath, os.fsdecode, REFUSED_EVENTS

    def hook(event: str, arguments: tuple) -> None:
        if event in READING_EVENTS:
            path, mode = arguments[0], arguments[1] if event == "open" else "r"
            if isinstance(path, int):
                return
            writes = isinstance(mode, str) and set(mode) & set("wax+")
            place = realpath(fsdecode(fspath(path)))
            if writes or not ((place + os.sep).startswith(inside) or (event != "open" and place == library)):
                raise PermissionError(f"a solution may not open {path!r}: it computes, and reads or writes no file")
        elif event.startswith(refused):
            raise PermissionError(f"a solution may not use {event}")

    return hook
