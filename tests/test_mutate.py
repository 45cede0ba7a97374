"""What is written down about the changes of `mutate.py`: which of them are equivalent."""

import ast
import inspect
import json
import sys
import threading

import mutate
import numpy as np
import watched

from edudiff.nn.layers import relu
from edudiff.support import threads


def test_each_equivalent_mutant_is_one_change_of_the_code_as_it_is():
    entries = json.loads(mutate.EQUIVALENT.read_text(encoding="utf-8"))
    reasons = mutate.known(entries)
    assert len(reasons) == len(entries)
    files = {entry["file"]: (mutate.PROJECT / entry["file"]).read_text(encoding="utf-8") for entry in entries}
    made = [mutant.key() for file, text in files.items() for mutant in mutate.mutants(file, text)]
    assert len(set(made)) == len(made)
    assert not set(reasons) - set(made)
    assert all(reasons.values())


def test_alike_changes_are_counted_from_the_left():
    text = "def f(x):\n    return (x + 1) * (x + 1)\n\n\ndef g(x):\n    return (x + 1) * (x + 1)\n"
    added = [m for m in mutate.mutants("f.py", text) if m.new == "2"]
    assert sorted((m.nth, m.line, m.start) for m in added) == [(1, 2, 26), (2, 2, 36), (3, 6, 67), (4, 6, 77)]


def test_a_change_changes_what_it_says():
    text = "def f(x, y):\n    return g(x[1:], y=2) if x >= 1.5 and not y else -x\n"
    found = {ast.unparse(ast.parse(text[: m.start] + m.new + text[m.stop :])) for m in mutate.mutants("f.py", text)}
    assert {answer.removeprefix("def f(x, y):\n    return ") for answer in found} == {
        "g(x[1 + 1:], y=2) if x >= 1.5 and (not y) else -x",
        "g(x[2:], y=2) if x >= 1.5 and (not y) else -x",
        "g(x[0:], y=2) if x >= 1.5 and (not y) else -x",
        "g(x[1:]) if x >= 1.5 and (not y) else -x",
        "g(x[1:], y=3) if x >= 1.5 and (not y) else -x",
        "g(x[1:], y=1) if x >= 1.5 and (not y) else -x",
        "g(x[1:], y=2) if x > 1.5 and (not y) else -x",
        "g(x[1:], y=2) if x >= 2.25 and (not y) else -x",
        "g(x[1:], y=2) if x >= 1.5 or not y else -x",
        "g(x[1:], y=2) if x >= 1.5 and y else -x",
        "g(x[1:], y=2) if x >= 1.5 and (not y) else x",
    }


def test_the_watch_sees_what_other_threads_enter(monkeypatch):
    watch, found = watched.Watch(mutate.PROJECT), set()
    monkeypatch.setattr(threads, "cores", lambda: 2)
    for _ in range(2):  # the second time the threads are there already
        found.clear()
        with watch.noting(found):
            threads.map_threads(relu, [np.ones(2), np.zeros(2)])
        assert ("edudiff/nn/layers/activations.py", inspect.getsourcelines(relu)[1]) in watch.named(found)
    assert sys.gettrace() is threading.gettrace() is None
