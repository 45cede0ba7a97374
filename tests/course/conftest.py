"""The course's bundles, built once for all tests."""

import pytest

from edudiff.course import read_all, shipped
from edudiff.course.build import build


def pytest_configure(config):
    """The markers of the assignments' tests, which are loaded inside these tests; `three` and `other` are made up."""
    for task in ["three", "other", *(task for one in read_all(shipped()) for task in one.tasks)]:
        config.addinivalue_line("markers", f"{task}: a task of an assignment")


@pytest.fixture(scope="session")
def bundles(tmp_path_factory):
    """The folder with `student` and `grader`, made from the project's own assignments."""
    pytest.importorskip("jupytext")
    folder = tmp_path_factory.mktemp("course")
    build(shipped(), folder)
    return folder
