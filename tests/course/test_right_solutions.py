"""A right solution passes, however it is written: `right/` holds at least three for each task, unlike the master."""

import math
from pathlib import Path

import pytest

from edudiff.course import assignment, runner

ALL = assignment.read_all(assignment.shipped())
RIGHT = Path(__file__).with_name("right")


def solutions(one):
    """(task, name, the master's names with this task's function replaced) of every solution of an assignment."""
    path = RIGHT / f"{one.name}.py"
    master = runner.loaded(one.source, one.name) | {"math": math}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), master)
    for name in [name for name in master if "__" in name.strip("_")]:
        task = name.split("__")[0]
        yield task, name, master | {task: master[name]}


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_every_right_solution_passes(one):
    count = dict.fromkeys(one.tasks, 0)
    for task, name, names in solutions(one):
        count[task] += 1
        for file in (assignment.VISIBLE, assignment.HIDDEN):
            [result] = runner.run(one.test_file(file), runner.local(names), [task])
            assert result.passed, (name, [(o.test.name, o.message) for o in result.outcomes if o.error])
    assert min(count.values()) >= 3
