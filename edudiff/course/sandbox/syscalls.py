"""Linux system calls that code under test has no use for, and the seccomp filter that refuses them.

No new process or program, no socket, no signal to others, no change of limits, owners or modes, no look into other
processes, no kernel facility that outlives the process. Threads stay possible: NumPy may want them.
"""

import ctypes
import errno
import struct

# Number of each call on (x86-64, ARM64); None where an architecture has no such call.
REFUSED = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "sendto": (44, 206),
    "sendmsg": (46, 211), "sendmmsg": (307, 269), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "pidfd_send_signal": (424, 424), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "setrlimit": (160, 164), "prlimit64": (302, 261), "setpriority": (141, 140),
    "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119), "sched_setattr": (314, 274),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "kexec_load": (246, 104), "reboot": (169, 142), "swapon": (167, 224),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190),
    "mq_open": (240, 180), "mq_unlink": (241, 181), "quotactl": (179, 60), "acct": (163, 89),
}  # fmt: skip
# column, audit name, numbers of clone and prctl
ARCHITECTURES = {"x86_64": (0, 0xC000003E, 56, 157), "aarch64": (1, 0xC00000B7, 220, 167)}

CLONE3, CLONE_THREAD, X32 = 435, 0x00010000, 0x40000000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF instructions
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
NUMBER_AT, MACHINE_AT, FIRST_ARGUMENT_AT = 0, 4, 16  # places in the kernel's struct seccomp_data
NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER, PARENT_DEATH, KILL = 38, 22, 2, 1, 9  # prctl


def program(architecture: str) -> bytes:
    """The filter for one architecture ("x86_64", "aarch64") as BPF instructions, bytes."""
    column, audit, clone, prctl = ARCHITECTURES[architecture]
    refuse = REFUSE | errno.EPERM
    steps = [(LOAD, 0, 0, MACHINE_AT), (EQUAL, 1, 0, audit), (RETURN, 0, 0, refuse), (LOAD, 0, 0, NUMBER_AT)]
    steps += [(AT_LEAST, 0, 1, X32), (RETURN, 0, 0, refuse)]
    for number in (numbers[column] for numbers in REFUSED.values()):
        if number is not None:
            steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, refuse)]
    steps += [(EQUAL, 0, 4, prctl), (LOAD, 0, 0, FIRST_ARGUMENT_AT), (EQUAL, 0, 1, PARENT_DEATH)]
    steps += [(RETURN, 0, 0, refuse), (RETURN, 0, 0, ALLOW)]
    # The C library falls back from clone3, whose flags a filter cannot read, to clone, whose flags it can.
    steps += [(EQUAL, 0, 1, CLONE3), (RETURN, 0, 0, REFUSE | errno.ENOSYS)]
    steps += [(EQUAL, 0, 3, clone), (LOAD, 0, 0, FIRST_ARGUMENT_AT), (ANY_BIT, 1, 0, CLONE_THREAD)]
    steps += [(RETURN, 0, 0, refuse), (RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def die_with_parent() -> None:
    """Have the kernel end this process when the thread that started it ends. Raises OSError without Linux's prctl."""
    if ctypes.CDLL(None, use_errno=True).prctl(PARENT_DEATH, KILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def drop_capabilities() -> None:
    """Root without its rights over others: no capability is left. Raises OSError where that is not to be had."""
    header, none = struct.pack("=Ii", 0x20080522, 0), bytes(24)
    if ctypes.CDLL(None, use_errno=True).capset(header, none):
        raise OSError(ctypes.get_errno(), "capset")


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def refuse(architecture: str) -> None:
    """Refuse the calls above to this process from now on. Raises OSError, KeyError where that is not to be had."""
    code = program(architecture)
    libc = ctypes.CDLL(None, use_errno=True)
    whole = _Program(len(code) // 8, code)
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(SET_SECCOMP, FILTER, ctypes.byref(whole), 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")
