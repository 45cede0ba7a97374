"""A course in a folder: assignments become bundles for students and graders, and what is handed in is graded.

`assignment` is what an assignment is, `runner` how its tests are run, `sandbox` how code that nobody trusts is run;
`build`, `check` and `grade` are the three commands of `edudiff course`.
"""

from edudiff.course import build, check, grade
from edudiff.course.assignment import Assignment, read_all, shipped

__all__ = ["Assignment", "build", "check", "grade", "read_all", "shipped"]
