"""The process in which a submission runs: it answers calls, and it can do nothing else."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edudiff.course import runner
from edudiff.course.answers import Broken, CannotStart, print_of
from edudiff.course.sandbox import lockdown, process, syscalls, wire
from edudiff.course.sandbox.process import Limits, Sandbox

LIMITS = Limits(call=2.0, total=20.0, memory=512)
UNLOCKED = process.START.replace("worker.main", "worker.lockdown.lock = lambda *_: []\nworker.main")
KERNEL = pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux")


def call(source, *args, **kwargs):
    """f(*args, **kwargs) of a submission."""
    with Sandbox(textwrap.dedent(source), "mine.py", LIMITS) as box:
        return box.call("f", args, kwargs)


def test_arguments_and_answers_come_through():
    x = np.arange(6.0).reshape(2, 3)[:, ::-1]
    source = """
        import numpy as np

        def f(x, *rest, flag=None):
            return x.T, x[0, 0], rest, flag, {"a": (1, None)}, (i * i for i in range(3)), np.float32(2)
    """
    answer = call(source, x, 2, "three", [4.5, True], flag=np.int8(3))
    expected = (x.T, x[0, 0], (2, "three", [4.5, True]), np.int8(3), {"a": (1, None)}, [0, 1, 4], np.float32(2))
    assert print_of(answer[:4]) == print_of(expected[:4])
    assert answer[4:] == expected[4:]
    assert type(answer[6]) is np.float32


def test_a_submission_can_call_back():
    """A test hands a denoiser to the function under test; the denoiser runs on the test's side."""
    asked = []

    def denoise(x, alpha):
        asked.append(alpha)
        if alpha > 1:
            raise OSError("too loud")
        return x * alpha

    source = """
        def f(denoise, x):
            try:
                denoise(x, 2.0)
            except ValueError as error:
                return denoise(denoise(x, 0.5), 0.25), str(error)
    """
    answer, error = call(source, denoise, np.ones(2))
    assert answer.tolist() == [0.125, 0.125]
    assert error == "OSError: too loud"
    assert asked == [2.0, 0.5, 0.25]


@pytest.mark.parametrize(
    ("source", "kind", "says"),
    [
        ("def f(): raise ValueError('no')", ValueError, "ValueError in line 1: no"),
        ("def f(): raise NotImplementedError", NotImplementedError, "line 1"),
        ("def f(): raise SystemExit", Broken, "SystemExit in line 1"),
        ("x = 1", NameError, "there is no function 'f'"),
        ("x = (", Broken, "the file cannot be loaded: SyntaxError in line 1"),
        ("import sys\nsys.exit(0)", Broken, "cannot be loaded: SystemExit in line 2"),
        ("import os\nos._exit(0)", Broken, "the process of the submission ended"),
        ("import os\ndef f(): os._exit(0)", Broken, "the process of the submission ended"),
        ("def f():\n  while True: pass", Broken, "no answer within 2 s"),
        ("def f(): return bytearray(2 << 30)", MemoryError, "line 1"),
        ("import numpy as np\ndef f(): return np.ones(1 << 28)", MemoryError, "line 2"),
        ("import os\ndef f(): return [os.fork() for _ in range(9)]", Broken, "PermissionError"),
        ("import socket\ndef f(): return socket.socket()", Broken, "PermissionError"),
        ("def f(): return open('stolen.txt', 'w')", Broken, "reads or writes no file"),
        ("def f(): return object()", TypeError, "returned object; expected numbers"),
        ("def f():\n  a = []\n  a.append(a)\n  return a", Broken, "RecursionError"),
        ("class E(Exception):\n  def __str__(self): 1 / 0\ndef f(): raise E", Broken, "an error without a text"),
        ("import edudiff", Broken, "No module named 'edudiff'"),
    ],
)
def test_whatever_a_submission_does_is_an_error_with_a_reason(source, kind, says):
    started = time.monotonic()
    with pytest.raises(kind, match=says):
        call(source)
    assert time.monotonic() - started < 20


def test_prints_go_nowhere_and_do_no_harm():
    assert call("def f():\n  for _ in range(40): print('passed' * 100_000)\n  return 1") == 1


def test_inputs_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        call("def f(x):\n  x *= 2\n  return x", np.ones(2))


def test_one_bad_function_does_not_hurt_the_others():
    """A function that ends its process is not called again, and the next one gets a new process."""
    starts = []

    class Counted(Sandbox):
        def _start(self):
            starts.append(self.process)
            super()._start()

    with Counted("import os\ndef f(): os._exit(0)\ndef g(): return 7", "mine.py", LIMITS) as box:
        for _ in range(2):
            with pytest.raises(Broken, match="ended"):
                box.call("f", (), {})
        assert starts == [None]
        assert box.call("g", (), {}) == 7
        assert box.call("g", (), {}) == 7
        assert starts == [None, None]


def test_time_for_all_calls_together_is_limited():
    with Sandbox("import time\ndef f(): time.sleep(0.3)", "mine.py", Limits(call=2.0, total=2.0, memory=512)) as box:
        with pytest.raises(Broken, match="all calls together took longer than 2 s"):
            for _ in range(9):
                box.call("f", (), {})
        with pytest.raises(Broken, match="all calls together"):
            box.call("g", (), {})


def test_a_process_that_does_not_start_is_no_fault_of_the_submission(monkeypatch):
    monkeypatch.setattr(process, "START", "import a_module_that_is_not_there")
    with pytest.raises(CannotStart, match="does not start"):
        call("def f(): return 1")
    test = runner.Test("test_it", "f", "", lambda student: student.f())
    with Sandbox("def f(): return 1", "mine.py", LIMITS) as box, pytest.raises(CannotStart):
        runner._outcome(test, runner.Student(box.call, "f", []))


@pytest.mark.parametrize("limits", [(0, 1, 512), (2, 1, 512), (1, 1, 16)])
def test_limits_make_sense(limits):
    with pytest.raises(ValueError, match="expected 0 < call <= total"):
        Limits(*limits)


FORGERIES = [
    b"passed",
    wire.HEAD.pack(1 << 30, 0),
    wire.HEAD.pack(2, 0) + b"[]",
    wire.HEAD.pack(2, 0) + b"{}",
    wire.HEAD.pack(14, 0) + b'{"function":0}',
    wire.HEAD.pack(40, 0) + json.dumps({"array": ["<f8", [1 << 40], 0]}).encode().ljust(40),
]


@pytest.mark.parametrize("forged", FORGERIES)
def test_a_forged_message_is_no_answer(forged):
    """A submission finds its channel and writes to it: at best that is an answer, and these are none."""
    source = f"""
        import os

        def f():
            for number in range(3, 64):
                try:
                    os.write(number, {forged!r})
                except OSError:
                    pass
            os._exit(0)
    """
    with pytest.raises(Broken, match=r"no answer|not a message|claims|ended"):
        call(source)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats()
    | st.text(max_size=5)
    | hnp.arrays(
        st.sampled_from(["f4", ">f8", "i2", "?", "c16"]), hnp.array_shapes(min_dims=0, min_side=0, max_side=3)
    ),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


class Pipe:
    """What one side writes, the other reads."""

    def __init__(self, data=b""):
        self.data = data

    def write(self, data):
        self.data += data

    def flush(self):
        pass

    def read(self, count):
        got, self.data = self.data[:count], self.data[count:]
        return got


@settings(max_examples=15)
@given(VALUES)
def test_messages_arrive_as_they_were_sent(value):
    pipe = Pipe()
    wire.send(pipe, value)
    arrived = wire.receive(pipe)
    assert pipe.data == b""
    assert print_of(arrived) == print_of(value)


@pytest.mark.parametrize("sizes", [(wire.MOST_TEXT + 1, 0), (2, wire.MOST_BYTES + 1)])
def test_a_message_that_claims_to_be_huge_is_not_read(sizes):
    with pytest.raises(wire.WireError, match="claims"):
        wire.receive(Pipe(wire.HEAD.pack(*sizes)))


@pytest.mark.parametrize(
    "array", [["<M8[s]", [1], 0], ["|V8", [1], 0], ["|O8", [1], 0], ["<f8", [-1], 0], ["<f8", [2], 0]]
)
def test_arrays_hold_plain_numbers_that_are_there(array):
    text = json.dumps({"array": array, "scalar": False}).encode()
    with pytest.raises(wire.WireError, match="not a message"):
        wire.receive(Pipe(wire.HEAD.pack(len(text), 8) + text + bytes(8)))


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_are_a_message_or_an_error(text, blob):
    with pytest.raises((wire.WireError, EOFError)):
        wire.receive(Pipe(text))
    with contextlib.suppress(wire.WireError):
        wire.receive(Pipe(wire.HEAD.pack(len(text), len(blob)) + text + blob))


@KERNEL
def test_the_kernel_refuses_without_the_audit_hook(tmp_path):
    """Each line of defense alone, in a process of its own: files by Landlock, all else by seccomp."""
    (tmp_path / "secret.txt").write_text("hidden")
    script = f"""
        import os, socket, subprocess, sys, sysconfig, threading
        from edudiff.course import landlock, lockdown, syscalls
        import platform

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
    assert len(refused) == (7 if "no Landlock" in said else 14)
    assert (tmp_path / "secret.txt").stat().st_mode & 0o777


def test_the_filter_has_the_numbers_of_this_machine():
    """The numbers in the table are those of the C library's headers, where they are installed."""
    from pathlib import Path

    headers = {"x86_64": "asm/unistd_64.h", "aarch64": "asm-generic/unistd.h"}
    for machine, header in headers.items():
        found = [p for root in ("/usr/include", "/usr/include/x86_64-linux-gnu") if (p := Path(root, header)).is_file()]
        if not found:
            continue
        numbers = {}
        for line in found[0].read_text().splitlines():
            words = line.split()
            if len(words) == 3 and words[0] == "#define" and words[1].startswith("__NR") and words[2].isdigit():
                numbers[words[1].removeprefix("__NR3264_").removeprefix("__NR_")] = int(words[2])
        column = syscalls.MACHINES[machine][0]
        for name, both in syscalls.REFUSED.items():
            if name in numbers and both[column] is not None:
                assert numbers[name] == both[column], name
        assert numbers["clone"] == syscalls.MACHINES[machine][2]
    for machine in syscalls.MACHINES:
        code = syscalls.program(machine)
        assert len(code) % 8 == 0
        assert len(code) // 8 < 4096


@KERNEL
def test_a_process_is_ended_with_all_its_children(monkeypatch):
    """Where nothing forbids a fork: the child that keeps the pipe open is ended too."""
    monkeypatch.setattr(process, "START", UNLOCKED)
    source = """
        import os, time

        def f():
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            return child
    """
    with Sandbox(textwrap.dedent(source), "mine.py", LIMITS) as box:
        child = box.call("f", (), {})
        assert box.held == []
        assert alive(child)
    deadline = time.monotonic() + 5
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)


@KERNEL
def test_a_child_that_gets_away_does_not_hold_the_grader_up(monkeypatch):
    """It leaves the group and keeps the pipe open, while its parent loops; the grader goes on all the same."""
    monkeypatch.setattr(process, "START", UNLOCKED)
    source = """
        import os, time

        def f():
            child = os.fork()
            if child == 0:
                os.setsid()
                time.sleep(60)
                os._exit(0)
            return child

        def g():
            while True:
                pass
    """
    started = time.monotonic()
    with Sandbox(textwrap.dedent(source), "mine.py", LIMITS) as box:
        child = box.call("f", (), {})
        with pytest.raises(Broken, match="no answer"):
            box.call("g", (), {})
    os.kill(child, signal.SIGKILL)
    assert time.monotonic() - started < 20


def alive(number):
    try:
        with open(f"/proc/{number}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


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
    ):
        with pytest.raises(PermissionError):
            hook(event, tuple(arguments))


def test_a_machine_without_processes_is_no_fault_of_the_submission(monkeypatch):
    def busy(*args, **kwargs):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(process.subprocess, "Popen", busy)
    with pytest.raises(CannotStart, match="temporarily unavailable"):
        call("def f(): return 1")


def test_a_long_file_in_any_letters_is_run():
    source = "def f(): return 7\n# " + "\u044f" * 1_200_000
    with Sandbox(source, "mine.py", LIMITS) as box:
        assert box.call("f", (), {}) == 7


def test_a_function_that_was_given_takes_keywords():
    with Sandbox("def f(g): return g(2, b=3)", "mine.py", LIMITS) as box:
        assert box.call("f", (lambda a, b: 10 * a + b,), {}) == 23


def test_a_submission_cannot_make_the_grader_compute_without_limit():
    source = "import numpy as np\ndef f(g): return g(np.ones((1, 13000)), np.ones((13000, 1)))"
    asked = []
    with Sandbox(source, "mine.py", LIMITS) as box, pytest.raises(ValueError, match="too large"):
        box.call("f", (lambda a, b: asked.append(a + b),), {})
    assert not asked
