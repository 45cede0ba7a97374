"""`edudiff course build | check | grade` on the command line."""

import argparse
import os
import sys
from typing import Any

from edudiff.course.sandbox.process import Limits


def add(commands: Any) -> None:
    """Add `course` to the `commands` of a parser, and to it its three commands."""
    what = "assignments: build bundles, check a solution, grade a class"
    about = "Assignments for a class: bundles for students and graders, visible tests for one, all tests for the other."
    parser = commands.add_parser("course", help=what, description=about, example="edudiff course build course")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    build = commands.add_parser(
        "build",
        help="make the students' and the grader's bundle",
        description="Make two bundles of the assignments: the students', without answers, and the grader's.",
        example="edudiff course build course",
    )
    build.add_argument("folder", metavar="DIR", help="gets DIR/student and DIR/grader")
    build.add_argument("--from", dest="source", metavar="DIR", help="the assignments (default: those of the package)")
    build.set_defaults(run=run_build)

    check = commands.add_parser(
        "check",
        help="run the visible tests on a student's file",
        description="Run the visible tests of an assignment on a student's file, and say what is wrong.",
        example="edudiff course check course/student/a1_noise",
    )
    check.add_argument("file", metavar="FILE", help="a .py or .ipynb in its folder, that folder, or the bundle")
    check.set_defaults(run=run_check)

    grade = commands.add_parser(
        "grade",
        help="grade a folder of submissions",
        description="Run visible and hidden tests on every submission: a table of points, a report for each student.",
        example="edudiff course grade submissions --grader course/grader",
    )
    grade.add_argument("submissions", metavar="SUBMISSIONS", help="holds a folder or a zip file for each student")
    grade.add_argument("--single", action="store_true", help="SUBMISSIONS is what one student handed in")
    about = "assignments to grade, such as a3_steps (default: all)"
    grade.add_argument("--only", nargs="+", action="extend", default=[], metavar="NAME", help=about)
    grade.add_argument("--grader", default="grader", metavar="DIR", help="the grader's bundle (default: grader)")
    grade.add_argument("--out", default="grades.csv", metavar="FILE", help="the table (default: grades.csv)")
    grade.add_argument(
        "--jobs", type=int, default=1, help="submissions graded at the same time (default: 1)", metavar="N"
    )
    what = "grade even where this machine cannot keep submissions from your files: only what you trust"
    grade.add_argument("--unconfined", action="store_true", help=what)
    grade.set_defaults(run=run_grade)
    for command in (check, grade):
        add_limits(command)


def add_limits(command: argparse.ArgumentParser) -> None:
    """Add to a `command` that runs what students wrote the limits of time and memory."""
    command.add_argument(
        "--call-seconds",
        type=float,
        default=Limits.call,
        help="limit of one call (default: %(default)s)",
        metavar="X",
    )
    command.add_argument(
        "--seconds",
        type=float,
        default=Limits.total,
        help="limit of all calls of one test file (default: %(default)s)",
        metavar="X",
    )
    command.add_argument(
        "--memory", type=int, default=Limits.memory, help="limit in MiB (default: %(default)s)", metavar="N"
    )


def limits(args: argparse.Namespace) -> Limits:
    """The `Limits` that the options ask for: seconds, seconds, MiB."""
    return Limits(args.call_seconds, args.seconds, args.memory)


def run_build(args: argparse.Namespace) -> None:
    """`edudiff course build`."""
    from edudiff.course.assignment import shipped
    from edudiff.course.build import build

    found = build(args.source or shipped(), args.folder)
    tasks, wrongs = sum(len(one.tasks) for one in found), sum(len(one.wrongs) for one in found)
    print(f"{len(found)} assignments, {tasks} tasks, hints for {wrongs} wrong solutions")
    print(f"for students: {args.folder}/student\nfor grading:  {args.folder}/grader")


def run_check(args: argparse.Namespace) -> int:
    """`edudiff course check`: status 1 if a task is wrong or not written."""
    from edudiff.course import check

    right = True
    for place in check.places(args.file):
        judged = check.check(place, limits(args))
        print(f"{place.resolve().name}\n{check.report(judged)}\n")
        right &= all(verdict.passed for verdict in judged.verdicts)
    return 0 if right else 1


def run_grade(args: argparse.Namespace) -> None:
    """`edudiff course grade`."""
    from edudiff.course import grade, reports

    grade.grade(
        args.submissions,
        args.grader,
        args.out,
        limits(args),
        args.jobs,
        progress=lambda graded: say("\n".join(reports.lines(graded))),
        only=args.only,
        single=args.single,
        unconfined=args.unconfined,
        warn=lambda sentence: print(f"edudiff: careful: {sentence}", file=sys.stderr),
    )
    say(f"grades: {args.out}")


def say(text: str) -> None:
    """Print, whatever becomes of it: a class's grades do not hang on a terminal that cannot show a name, or is gone."""
    try:
        print(text, flush=True)
    except UnicodeError:
        say(text.encode("ascii", "backslashreplace").decode())
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
