"""Linux's Landlock: from now on this process may read what lies below a few folders, and write nothing at all."""

import ctypes
import os
import struct
from collections.abc import Sequence
from typing import Any

CREATE, ADD_RULE, RESTRICT = 444, 445, 446  # system calls, the same number on every machine
READ_FILE, READ_DIR = 1 << 2, 1 << 3
# What each version of Landlock can refuse: bits of file access, of network access, and of reaching out of the process.
FILE_BITS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}


def read_only(roots: Sequence[str], listed: str) -> None:
    """Allow reading below `roots` (files or folders) and listing the folder `listed`, refuse every other file.

    Raises OSError without Landlock.
    On Linux 6.7 and later TCP is refused too, and from 6.12 signals and abstract sockets that lead out.
    """
    version = _call(CREATE, None, 0, 1)
    bits = FILE_BITS.get(version, FILE_BITS[max(FILE_BITS)])
    attributes = struct.pack("=Q", (1 << bits) - 1)
    if version >= 4:
        attributes += struct.pack("=Q", 0b11)
    if version >= 6:
        attributes += struct.pack("=Q", 0b11)
    ruleset = _call(CREATE, attributes, len(attributes), 0)
    for root in (*roots, listed):
        handle = os.open(root, os.O_PATH | os.O_CLOEXEC)
        access = READ_DIR if root == listed else READ_FILE | (READ_DIR if os.path.isdir(root) else 0)
        _call(ADD_RULE, ruleset, 1, struct.pack("=Qi", access, handle), 0)
        os.close(handle)
    ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)  # no new privileges: the kernel wants this first
    _call(RESTRICT, ruleset, 0)
    os.close(ruleset)


def _call(number: int, *arguments: Any) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    given = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *given)
    if result < 0:
        raise OSError(ctypes.get_errno(), "Landlock")
    return result
