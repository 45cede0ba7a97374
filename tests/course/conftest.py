"""The course's bundles, built once for all tests."""

import os
import time

import pytest

from edudiff.course import read_all, shipped
from edudiff.course.build import build


def pytest_configure(config):
    """The markers of the assignments' tests, which are loaded inside these tests; `three` and `other` are made up."""
    for task in ["three", "other", *(task for one in read_all(shipped()) for task in one.tasks)]:
        config.addinivalue_line("markers", f"{task}: a task of an assignment")


@pytest.fixture(scope="session")
def bundles(tmp_path_factory):
    """The folder with `student` and `grader`, made from the project's own assignments: by one process for all."""
    pytest.importorskip("jupytext")
    if "PYTEST_XDIST_WORKER" not in os.environ:
        folder = tmp_path_factory.mktemp("course")
        build(shipped(), folder)
        return folder
    folder = tmp_path_factory.getbasetemp().parent / "course"  # of all processes of this run
    try:
        folder.mkdir()
    except FileExistsError:
        end = time.monotonic() + 120
        while not (folder / "whole").exists() and time.monotonic() < end:
            time.sleep(0.1)
        assert (folder / "whole").exists(), "the process that builds the course has failed"
    else:
        build(shipped(), folder)
        (folder / "whole").touch()
    return folder
