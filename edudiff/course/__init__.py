"""A course in a folder: assignments become bundles for students and graders, and what is handed in is graded.

`assignment` is what an assignment is, `runner` how its tests are run, `sandbox` how code that nobody trusts is run;
`build`, `check` and `grade` are the three commands of `edudiff course`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a type checker does not run __getattr__
    from edudiff.course import build, check, grade
    from edudiff.course.assignment import Assignment, read_all, shipped

__all__ = ["Assignment", "build", "check", "grade", "read_all", "shipped"]


def __getattr__(name: str) -> Any:
    """Parts are imported when they are asked for: the command line needs little of them to say its help."""
    if name in ("build", "check", "grade"):
        return importlib.import_module(f"edudiff.course.{name}")
    if name in __all__:
        return getattr(importlib.import_module("edudiff.course.assignment"), name)
    raise AttributeError(f"module 'edudiff.course' has no attribute {name!r}")
