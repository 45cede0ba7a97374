"""For pytest: the `student` that the tests of an assignment ask for, and a marker for each task.

`pytest -p edudiff.course.plugin` in the folder of an assignment, or `pytest` in a student's bundle, where pytest.ini
asks for this plugin. `pytest -m TASK` runs the tests of one task. Everything runs in one process, so a breakpoint in
the student's file is a breakpoint.
"""

import ast

import pytest

from edudiff.course import handed_in, runner


def pytest_configure(config: pytest.Config) -> None:
    """Make the tasks' markers known: all names that tests here use as one."""
    for path in [*config.rootpath.glob("test_*.py"), *config.rootpath.glob("*/test_*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8-sig"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "pytest.mark":
                config.addinivalue_line("markers", f"{node.attr}: the tests of one task")


@pytest.fixture
def student(request: pytest.FixtureRequest) -> runner.Student:
    """The functions in the assignment's file, which lies beside the tests and is named like their folder."""
    file = request.path.parent / f"{request.path.parent.name}.py"
    return runner.Student(runner.local(runner.loaded(handed_in.decoded(file.read_bytes()), file)))
