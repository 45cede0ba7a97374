"""The process in which a submission runs: it answers calls, and it can do nothing else."""

import ast
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from edudiff.course import runner, shipped
from edudiff.course.answers import print_of
from edudiff.course.sandbox import callbacks, own, process, wire
from edudiff.course.sandbox.process import Broken, CannotStart, Limits, Sandbox

HERE = "edudiff.course.sandbox"
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
    assert print_of(answer[:3]) == print_of(expected[:3])
    assert answer[3:] == expected[3:]
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
        ("x = (", NameError, "no function 'f'; not run: SyntaxError in line 1"),
        ("import sys\nsys.exit(0)", NameError, "no function 'f'; not run: SystemExit in line 2"),
        ("import os\nos._exit(0)", NameError, "line 2 was not run: the process of the submission ended"),
        ("import os\ndef f(): os._exit(0)", Broken, "the process of the submission ended"),
        ("def f():\n  while True: pass", Broken, "no answer within 2 s"),
        ("def f(): return bytearray(2 << 30)", MemoryError, "line 1"),
        ("import numpy as np\ndef f(): return np.ones(1 << 28)", MemoryError, "line 2"),
        ("import os\ndef f(): return [os.fork() for _ in range(9)]", Broken, "PermissionError"),
        ("import socket\ndef f(): return socket.socket()", Broken, "PermissionError"),
        ("def f(): return open('stolen.txt', 'w')", Broken, "reads or writes no file"),
        ("def f(): return object()", TypeError, "f returned object; expected numbers"),
        ("def f():\n  a = []\n  a.append(a)\n  return a", Broken, "RecursionError"),
        ("class E(Exception):\n  def __str__(self): 1 / 0\ndef f(): raise E", Broken, "an error without a text"),
        ("import edudiff", NameError, "No module named 'edudiff'"),
    ],
)
def test_whatever_a_submission_does_is_an_error_with_a_reason(source, kind, says):
    started = time.monotonic()
    with pytest.raises(kind, match=says):
        call(source)
    assert time.monotonic() - started < 20


def test_nothing_of_the_package_is_there_for_a_submission():
    """Not by import, and of what frames and the garbage collector lead to, only the channel itself."""
    source = """
        import gc, sys, types

        def f():
            there = [o.__name__ for o in gc.get_objects() if isinstance(o, types.ModuleType)]
            return [name for name in sys.modules if "edudiff" in name], sorted(n for n in there if "edudiff" in n)
    """
    modules, objects = call(source)
    assert modules == []
    parts = {"landlock", "lockdown", "mounts", "submission", "syscalls", "wire", "worker"}
    assert set(objects) <= {"edudiff", "edudiff.course", "edudiff.course.sandbox"} | {f"{HERE}.{p}" for p in parts}


@KERNEL
def test_a_submission_cannot_read_the_solutions_that_are_installed():
    path = shipped() / "a1_noise" / "a1_noise.py"
    assert path.is_file()
    with pytest.raises(Broken, match="PermissionError"):
        call(f"def f(): return open({str(path)!r}).read()")


def test_the_sandbox_uses_nothing_of_the_course():
    """The course uses the sandbox; the locked process has the sandbox's files alone."""
    for path in Path(process.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("edudiff"):
                assert node.module == HERE, path
            elif isinstance(node, ast.Import):
                assert not any(alias.name.startswith("edudiff") for alias in node.names), path


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
        child = int(box.call("f", (), {}))
        assert box.held == []
        assert alive(child)
    deadline = time.monotonic() + 5
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)


@KERNEL
def test_a_child_that_gets_away_does_not_hold_the_grader_up(monkeypatch):
    """It leaves the group and keeps the pipe open, while its parent sleeps; the grader goes on all the same."""
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
            time.sleep(60)
    """
    started = time.monotonic()
    with Sandbox(textwrap.dedent(source), "mine.py", LIMITS) as box:
        child = int(box.call("f", (), {}))
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


FLOODS = {
    "calls": "while True: g(0.5)",
    "values": "while True: g(np.ones(100_000))",
    "nested": "[g([np.ones((1, 400)), [np.ones((400, 1))]]) for _ in range(99)]",
}


@pytest.mark.parametrize("body", FLOODS.values(), ids=FLOODS)
def test_what_a_submission_asks_of_the_grader_is_limited(body):
    """A test may keep all that its function is asked; it is asked for little."""
    kept = []
    source = f"import numpy as np\ndef f(g):\n    {body}"
    with Sandbox(source, "mine.py", Limits(call=9.0, memory=512)) as box, pytest.raises(Broken, match="it asked a"):
        box.call("f", (kept.append,), {})
    assert len(kept) <= callbacks.MOST_CALLS
    assert sum(np.size(one) for one in kept if isinstance(one, np.ndarray)) <= callbacks.MOST_IN_ALL


@pytest.mark.parametrize("value", ["10**5", "np.int64(10**5)", "np.array(10**5)", "True + 10**5", "10**400", "-0"])
def test_nothing_that_a_submission_passes_back_repeats_a_text_or_a_list(value):
    """Integers become floats on the way: `[0] * 10**9` is the submission's idea and would be the grader's memory."""
    kept = []
    source = f"import numpy as np\ndef f(g):\n    return g({value})"
    with Sandbox(source, "mine.py", LIMITS) as box:
        box.call("f", (lambda n: kept.append(n) or 0.0,), {})
        for thing in ("ab", [0], (1,), b"x"):
            with pytest.raises(TypeError):
                thing * kept[0]


@pytest.mark.parametrize(
    "answer",
    [
        "[0.0] * 20_000",
        "[[[0.0] * 100] * 100] * 2",
        "np.ones(3_000_000)",
        "np.broadcast_to(1.0, (1 << 40,))",
        "np.array([object()])",
        "memoryview(b'abc')",
        "{(1, 2): 3}",
        "(i for i in iter(int, 1))",
    ],
)
def test_an_answer_is_of_bounded_size(answer):
    with pytest.raises((Broken, TypeError, MemoryError), match=r"claims|not a message|expected numbers|memory"):
        call(f"import numpy as np\ndef f(): return {answer}")


def test_long_texts_in_an_answer_are_cut():
    assert len(call("def f(): return 'a' * 900_000")) == wire.MOST_LETTERS


def test_a_statement_that_fails_takes_nothing_else_with_it():
    """A missing library, a question, a breakpoint, a loop, a process that ends: each is skipped and said."""
    source = """
        from __future__ import annotations
        import dataclasses, os
        import matplotlib.pyplot as plt
        plt.plot([1, 2])
        name = input("who? ")
        breakpoint()

        @dataclasses.dataclass
        class Pair:
            a: float

        def f(): return Pair(7).a
        while True: pass
        os._exit(3)
        await f()
        assert f() == 7
        print(1 / 0)
    """
    with Sandbox(textwrap.dedent(source), "mine.py", Limits(call=1.0, total=9.0, memory=512)) as box:
        assert box.call("f", (), {}) == 7
        for place, said in zip(
            ("line 14", "line 15", "line 4", "line 5", "line 6", "line 16", "line 18"),
            ("no answer", "ended", "ModuleNotFoundError", "NameError", "input()", "await", "ZeroDivisionError"),
            strict=True,
        ):
            assert any(place in note and said in note for note in box.failed), (place, box.failed)
        assert len(box.failed) == 7


@pytest.mark.parametrize("line", ("breakpoint()", "import pdb; pdb.set_trace()", "import ipdb; ipdb.set_trace()"))
def test_a_stop_for_a_debugger_inside_a_function_stops_nobody(line):
    assert call(f"import doctest\ndef f():\n    {line}\n    return 7") == 7


def test_files_beside_the_submission_can_be_imported():
    beside = {"helper": "import numpy as np\ndef twice(x): return 2 * np.asarray(x) if x else 1 / 0\n"}
    with Sandbox("import helper\ndef f(x): return helper.twice(x)", "mine.py", LIMITS, beside) as box:
        assert box.call("f", (2.0,), {}) == 4
        with pytest.raises(ZeroDivisionError, match=r"line 2 of helper\.py"):
            box.call("f", (0.0,), {})


@KERNEL
def test_no_process_outlives_a_grader_that_was_killed():
    source = "import time\ndef f(): time.sleep(60)"
    script = f"""
        from edudiff.course.sandbox.process import Sandbox

        with Sandbox({source!r}, "mine.py") as box:
            box._start()
            print(box.process.pid, flush=True)
            box.call("f", (), {{}})
    """
    grader = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    child = int(grader.stdout.readline())
    time.sleep(0.3)
    assert alive(child)
    grader.kill()
    grader.communicate()
    deadline = time.monotonic() + 5
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)


WITHOUT_LANDLOCK = process.START.replace(
    "worker.main", "worker.lockdown.landlock.read_only = lambda *_: open('/nowhere')\nworker.main"
)


@KERNEL
def test_a_machine_without_landlock_takes_no_points_from_a_right_solution(monkeypatch):
    """For root too, whose standard library another user may be unable to read."""
    monkeypatch.setattr(process, "START", WITHOUT_LANDLOCK)
    secret = str(shipped() / "a1_noise" / "a1_noise.py")
    source = f"""
        import statistics
        import numpy.polynomial

        def f(x): return statistics.mean([x, 3])
        def g(): return open({secret!r}).read()
    """
    with Sandbox(textwrap.dedent(source), "mine.py", LIMITS) as box:
        assert box.call("f", (1.0,), {}) == 2
        with pytest.raises(Broken, match="PermissionError"):
            box.call("g", (), {})


@KERNEL
def test_a_test_cannot_take_the_machines_memory_with_a_submissions_answers():
    """An outer product of two answers of allowed size: the test fails, and afterwards memory is as it was."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    a, b = np.ones((1, 40_000)), np.ones((40_000, 1))
    with own.memory(1 << 30), pytest.raises(MemoryError):
        a * b
    assert resource.getrlimit(resource.RLIMIT_AS) == before
