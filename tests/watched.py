"""Runs tests in this process, and notes which test enters which function of the package; for `mutate.py`."""

import contextlib
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

Function = tuple[str, int]  # the file, and the function's first line


def run(root: Path, tests: list[str], output: Path, watch: "Watch | None" = None) -> int:
    """Runs tests of the project at `root` until one fails, as pytest does; returns its status, 0 if all pass.

    For a process of its own: its folder, path and standard output change. What the tests say goes to `output`.
    """
    sys.dont_write_bytecode = True  # a file that changes twice a second must not be taken for what it was
    sys.path.insert(0, str(root))
    os.environ.update(PYTHONPATH=str(root), MPLBACKEND="Agg", PYTHONDONTWRITEBYTECODE="1")
    os.chdir(root)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    status = pytest.main(["-q", "-x", "-p", "no:cacheprovider", *tests], plugins=[watch] if watch else [])
    sys.stdout.flush()
    return int(status)


class Watch:
    """A plugin of pytest. What a file of tests computes when it is read, or once for all, all its tests enter."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.package = str(root / "edudiff") + os.sep
        self.seconds: dict[str, float] = {}  # of each test
        self.by_test: dict[str, set[Function]] = defaultdict(set)
        self.by_file: dict[str, set[Function]] = defaultdict(set)

    def entered(self) -> dict[str, set[Function]]:
        """The functions that each test enters; none for a test that enters none itself: it may read anything."""
        entered: dict[str, set[Function]] = {}
        for test in self.seconds:
            own = self.by_test[test]
            entered[test] = self.named(own | self.by_file[test.split("::")[0]]) if own else set()
        return entered

    def named(self, found: set[Function]) -> set[Function]:
        return {(Path(name).relative_to(self.root).as_posix(), line) for name, line in found}

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector):
        with self.noting(self.by_file[collector.nodeid]):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef, request):
        if fixturedef.scope == "function":
            return (yield)
        with self.noting(self.by_file[request.node.nodeid.split("::")[0]]):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        begun = time.perf_counter()
        with self.noting(self.by_test[item.nodeid]):
            result = yield
        self.seconds[item.nodeid] = time.perf_counter() - begun
        return result

    @contextlib.contextmanager
    def noting(self, found: set[Function]) -> Iterator[None]:
        """Adds the functions of the package that are entered meanwhile to `found`, in whatever thread."""

        def note(frame, *_):
            code = frame.f_code
            if code.co_filename.startswith(self.package):
                found.add((code.co_filename, code.co_firstlineno))

        before = sys.gettrace(), threading.gettrace()
        trace(note, note)  # it returns nothing, and so is asked at calls alone
        try:
            yield
        finally:
            trace(*before)


def trace(here: Any, in_threads: Any) -> None:
    """Has calls noted in this thread and in those that begin from now on, as those of the package do."""
    sys.settrace(here)
    threading.settrace(in_threads)
    threads = sys.modules.get("edudiff.support.threads")
    if threads:
        threads._pool.cache_clear()
