"""Each assignment of the project: master right, stub empty, every wrong solution caught and told."""

import re

import pytest
from mutants import AT_THE_END

from edudiff.course import assignment, handed_in, hints, judge, runner

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


def test_a_hint_is_for_one_mistake_and_not_for_every_error_of_its_kind(bundles):
    """`add_noise` that writes to its input raises ValueError each time; so do functions that are wrong otherwise."""
    one = ALL[0]
    known = hints.read(bundles / "grader" / one.name / hints.FILE)
    for body, told in (("x0 += noise", True), ("raise ValueError('no')", False), ("x0.reshape(7, 11)", False)):
        source = f"{one.source}\n\ndef add_noise(x0, alpha, sigma, noise):\n    {body}\n"
        judged = judge.judge(handed_in.HandedIn(one.name, source), one.test_file(FILES[0]), known)
        [verdict] = [v for v in judged.verdicts if v.task == "add_noise"]
        assert ("You write the answer into x0" in verdict.hint) == told, verdict


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_float32_is_asked_of_every_task_that_answers_with_numbers(one):
    """A solution that answers in float64 whatever came in passes neither the visible nor the hidden tests."""
    master = runner.loaded(one.source, one.name)
    for task in set(one.tasks) - {"alike", "calibrate"}:
        wide = lambda *args, task=task: AT_THE_END["wide"](master[task](*args))  # noqa: E731
        for file in FILES:
            [result] = runner.run(one.test_file(file), runner.local(master | {task: wide}), [task])
            assert not result.passed, (task, file)
            assert any("float64, expected float32" in outcome.message for outcome in result.outcomes)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_no_test_is_without_a_task(one):
    for file in FILES:
        assert {test.task for test in runner.tests(one.test_file(file))} == set(one.tasks)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_an_assignment_and_its_lesson_name_each_other(one):
    [lesson] = re.findall(r"`(lessons/\d\d_\w+\.py)`", one.source)
    text = (one.folder.parents[2] / lesson).read_text(encoding="utf-8")
    assert f"`lessons/assignments/{one.name}`" in text
