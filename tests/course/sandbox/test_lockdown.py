"""Each line of defense alone: Landlock, the filter of system calls, the audit hook."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from edudiff.course.sandbox import lockdown, syscalls

KERNEL = pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux")


@KERNEL
def test_the_kernel_refuses_without_the_audit_hook(tmp_path):
    """Each line of defense alone, in a process of its own: files by Landlock, all else by seccomp."""
    (tmp_path / "secret.txt").write_text("hidden")
    script = f"""
        import os, socket, subprocess, sys, sysconfig, threading
        import platform
        from edudiff.course.sandbox import landlock, syscalls

        def tried(what, *args, **kwargs):
            try:
                return what(*args, **kwargs) and "done"
            except OSError as error:
                return type(error).__name__

        try:
            landlock.read_only([sysconfig.get_path("platstdlib")], sysconfig.get_path("stdlib"))
        except OSError:
            print("no Landlock")
        else:
            for path in ({str(tmp_path / "secret.txt")!r}, "/etc/passwd", f"/proc/{{os.getppid()}}/environ"):
                print(tried(open, path))
            print(tried(os.listdir, {str(tmp_path)!r}), tried(open, {str(tmp_path / "new.txt")!r}, "w"))
            print(tried(os.mkfifo, {str(tmp_path / "pipe")!r}), tried(os.rmdir, {str(tmp_path)!r}))
        syscalls.drop_capabilities()
        syscalls.refuse(platform.machine())
        for what, *args in (
            (os.fork,), (subprocess.run, ["/bin/true"]), (socket.socket,), (os.kill, os.getppid(), 0), (os.kill, -1, 0),
            (os.chmod, {str(tmp_path / "secret.txt")!r}, 0), (os.sched_setaffinity, 0, [0]),
            (syscalls.die_with_parent,),
        ):
            print(tried(what, *args))
        thread = threading.Thread(target=lambda: print("a thread"))
        thread.start()
        thread.join()
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60)
    said = run.stdout.split("\n")
    assert said[-2:] == ["a thread", ""], run.stderr
    refused = [word for line in said[:-2] for word in line.split() if line != "no Landlock"]
    assert set(refused) == {"PermissionError"}, said
    assert len(refused) == (8 if "no Landlock" in said else 15)
    assert (tmp_path / "secret.txt").stat().st_mode & 0o777


def test_the_filter_has_the_numbers_of_this_machine():
    """The numbers in the table are those of the C library's headers, where they are installed."""
    from pathlib import Path

    headers = {"x86_64": "asm/unistd_64.h", "aarch64": "asm-generic/unistd.h"}
    for architecture, header in headers.items():
        found = [p for root in ("/usr/include", "/usr/include/x86_64-linux-gnu") if (p := Path(root, header)).is_file()]
        if not found:
            continue
        numbers = {}
        for line in found[0].read_text().splitlines():
            words = line.split()
            if len(words) == 3 and words[0] == "#define" and words[1].startswith("__NR") and words[2].isdigit():
                numbers[words[1].removeprefix("__NR3264_").removeprefix("__NR_")] = int(words[2])
        column = syscalls.ARCHITECTURES[architecture][0]
        for name, both in syscalls.REFUSED.items():
            if name in numbers and both[column] is not None:
                assert numbers[name] == both[column], name
        assert (numbers["clone"], numbers["prctl"]) == syscalls.ARCHITECTURES[architecture][2:]
    for architecture in syscalls.ARCHITECTURES:
        code = syscalls.program(architecture)
        assert len(code) % 8 == 0
        assert len(code) // 8 < 4096


def test_the_audit_hook_lets_numpy_and_the_library_be_read(tmp_path):
    """What is installed beside them is not."""
    roots = [os.path.realpath(root) for root in lockdown.readable(os.path.dirname(os.path.dirname(np.__file__)))]
    hook = lockdown._hook(roots, os.path.realpath(os.path.dirname(os.__file__)))
    hook("open", (os.__file__, "r", 0))
    hook("open", (np.__file__, "rb", 0))
    hook("open", (3, "w", 0))
    hook("os.listdir", (os.path.dirname(os.__file__),))
    hook("import", ("json",))
    for event, *arguments in (
        ("open", str(tmp_path), "r", 0),
        ("open", pytest.__file__, "r", 0),
        ("open", np.__file__, "r+", 0),
        ("open", os.path.join(os.path.dirname(np.__file__), "..", "pytest", "__init__.py"), "r", 0),
        ("open", b"/etc/passwd", None, 0),
        ("os.listdir", "."),
        ("os.system", b"ls"),
        ("socket.connect", None),
        ("ctypes.dlopen", None),
        ("import", "_sqlite3", None),
    ):
        with pytest.raises(PermissionError):
            hook(event, tuple(arguments))
