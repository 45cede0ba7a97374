"""The hidden tests notice every small mistake in a solution: each master is changed in one place, many times.

`equivalents.txt` lists the changes after which a solution is still right; each of them must survive, all others not.
"""

from pathlib import Path

import pytest
from mutants import AT_THE_END, mutants

from edudiff.course import assignment, runner

ALL = assignment.read_all(assignment.shipped())
EQUIVALENT = set(Path(__file__).with_name("equivalents.txt").read_text(encoding="utf-8").splitlines())


def passes(one, names, task):
    """Whether a changed master passes all hidden tests of one task; of those after one that fails, none is run."""
    student = runner.Student(runner.local(names))
    tests = [test for test in runner.tests(one.test_file(assignment.HIDDEN)) if test.task == task]
    return bool(tests) and all(not runner._outcome(test, student).error for test in tests)


def survivors(one):
    """`task: change` of every changed master that passes the hidden tests, and how many there were in all."""
    found, count = set(), 0
    master = runner.loaded(one.source, one.name)
    for node in assignment.functions(one.source):
        if node.name in one.tasks:
            for change, text in mutants(assignment.lines_of(one.source, node)):
                names = master | AT_THE_END
                exec(compile(text, one.name, "exec"), names)
                count += 1
                if passes(one, names, node.name):
                    found.add(f"{node.name}: {change}")
    return found, count


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_every_changed_master_fails_but_for_the_equivalent_ones(one):
    found, count = survivors(one)
    known = {change for change in EQUIVALENT if change.split(":")[0] in one.tasks}
    assert count > 60
    assert found - known == set(), "these pass all hidden tests; add the property that tells them apart"
    assert known - found == set(), "these are no longer right, or no longer tried"


def test_a_function_is_changed_in_many_places():
    """Among others by dropping a call and all that it was given."""
    text = (
        "def softmax(logits):\n    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))\n    return weights\n"
    )
    changes = dict(mutants(text))
    assert len(changes) >= 15
    dropped = "weights = np.exp(logits - logits.max(axis=-1, keepdims=True)) -> weights = np.exp(logits)"
    assert "np.exp((logits))" in changes[dropped]
