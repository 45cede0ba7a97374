"""Each assignment of the project: master right, stub empty, every wrong solution caught and told."""

import re

import pytest

from edudiff.course import assignment, hints, runner

ALL = assignment.read_all(assignment.shipped())
FILES = (assignment.VISIBLE, assignment.HIDDEN)


def results(one, source, file, tasks):
    return runner.run(one.test_file(file), runner.local(runner.loaded(source, one.name)), tasks)


def test_there_are_enough_of_all():
    assert len(ALL) >= 8
    assert sum(len(one.tasks) for one in ALL) >= 20
    assert sum(len(one.wrongs) for one in ALL) >= 80
    for one in ALL:
        for task in one.tasks:
            assert sum(wrong.task == task for wrong in one.wrongs) >= 4, task


def test_an_assignment_and_a_wrong_solution_say_what_they_are():
    assert repr(ALL[0]) == "Assignment('a1_noise', tasks=['cosine', 'add_noise', 'log_snr'])"
    assert repr(ALL[0].wrongs[0]).startswith("Wrong(name='add_noise_exploding', task='add_noise', hint='The picture")


def test_tasks_have_names_of_their_own():
    """So that a pytest marker, which is a task's name, means one task in the whole bundle."""
    names = [task for one in ALL for task in one.tasks]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
@pytest.mark.parametrize("file", FILES)
def test_stub_fails_every_test_with_not_implemented_error_alone(one, file):
    for result in results(one, one.stub, file, one.tasks):
        assert result.outcomes
        assert {outcome.error for outcome in result.outcomes} == {"NotImplementedError"}


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_master_passes_and_every_wrong_solution_is_caught_with_its_own_hint(one, bundles):
    for file in FILES:
        for result in results(one, one.source, file, one.tasks):
            assert result.passed, [(o.test.name, o.message) for o in result.outcomes if o.error]
    known = hints.read(bundles / "grader" / one.name / hints.FILE)
    for wrong in one.wrongs:
        [hidden] = results(one, wrong.source, assignment.HIDDEN, [wrong.task])
        assert not hidden.passed, wrong.name
        [visible] = results(one, wrong.source, assignment.VISIBLE, [wrong.task])
        assert hints.hint(known, visible) == wrong.hint
    assert len({wrong.hint for wrong in one.wrongs}) == len(one.wrongs)
    assert all(20 < len(wrong.hint) < 250 and wrong.hint.endswith(".") for wrong in one.wrongs)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_no_test_is_without_a_task(one):
    for file in FILES:
        assert {test.task for test in runner.tests(one.test_file(file))} == set(one.tasks)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_an_assignment_and_its_lesson_name_each_other(one):
    [lesson] = re.findall(r"`(lessons/\d\d_\w+\.py)`", one.source)
    text = (one.folder.parents[2] / lesson).read_text(encoding="utf-8")
    assert f"`lessons/assignments/{one.name}`" in text
