"""Linux without Landlock, for root: a file system of its own, in which a few folders are there and nothing else is."""

import ctypes
import os
import platform
from collections.abc import Sequence

NEW_NAMESPACE, READ_ONLY, NO_SETUID, NO_DEVICES, AGAIN, BIND, RECURSIVE, PRIVATE = (
    0x20000, 1, 2, 4, 32, 4096, 16384, 1 << 18,
)  # fmt: skip
DETACH = 2
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
PLACES = ("/mnt", "/media", "/srv", "/sys", "/proc")  # one of them becomes the root, for this process alone
EMPTY = ("site-packages", "dist-packages")


def only(roots: Sequence[str]) -> None:
    """From now on this process sees the folders `roots`, read-only, without what is installed in them.

    Raises OSError where mounting is not allowed, as in most containers; KeyError or StopIteration where it cannot be.
    """
    number = PIVOT_ROOT[platform.machine()]
    folders = [os.path.realpath(root) for root in roots]
    base = next(p for p in PLACES if os.path.isdir(p) and not any((f + "/").startswith(p + "/") for f in folders))
    libc = ctypes.CDLL(None, use_errno=True)

    def must(result: int) -> None:
        if result:
            raise OSError(ctypes.get_errno(), "mount")

    def mount(source: str, target: str, kind: bytes | None, flags: int) -> None:
        must(libc.mount(source.encode(), target.encode(), kind, ctypes.c_ulong(flags), None))

    must(libc.unshare(NEW_NAMESPACE))
    mount("none", "/", None, RECURSIVE | PRIVATE)
    mount("tmpfs", base, b"tmpfs", NO_SETUID | NO_DEVICES)
    os.chmod(base, 0o755)
    for root, folder in zip(roots, folders, strict=True):
        for name in {root, folder}:
            os.makedirs(base + name, mode=0o755, exist_ok=True)
            mount(folder, base + name, None, BIND)
            mount("none", base + name, None, AGAIN | BIND | READ_ONLY | NO_SETUID | NO_DEVICES)
            for inner in EMPTY:
                if os.path.isdir(os.path.join(base + name, inner)):
                    mount("tmpfs", os.path.join(base + name, inner), b"tmpfs", READ_ONLY)
    os.chdir(base)
    must(libc.syscall(number, b".", b"."))  # the old root lies above the new one, until it is taken away
    must(libc.umount2(b".", DETACH))
    os.chdir("/")
