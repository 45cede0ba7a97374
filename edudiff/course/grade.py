"""`edudiff course grade`: every submission against the visible and the hidden tests."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edudiff.course import assignment, handed_in, hints, judge, reports
from edudiff.course.sandbox.process import Limits
from edudiff.support import checks

Rubric = list[tuple[assignment.Assignment, hints.Hints]]

NEEDED = {"files", "system calls"}


def grade(
    submissions: str | Path,
    grader: str | Path,
    out: str | Path,
    limits: Limits | None = None,
    jobs: int = 1,
    progress: Callable[[judge.Graded], object] | None = None,
) -> list[judge.Graded]:
    """Grade every folder in `submissions` with the bundle `grader`; returns a list of `Graded`.

    Writes the table `out` (CSV), and beside it, in a folder of the same name without its ending, for each student
    `junit.xml` and Gradescope's `results.json`. `jobs`: how many submissions are graded at once. `progress` is called
    with each `Graded`. Raises ValueError for a missing folder, a broken bundle or an `out` among the submissions,
    TypeError for `jobs` that is no integer, OSError if the results cannot be written.
    """
    submissions, out = Path(submissions), Path(out)
    if not submissions.is_dir():
        raise ValueError(f"{submissions} is not a folder; expected one with a folder for each student")
    students = sorted((path for path in submissions.iterdir() if path.is_dir()), key=assignment.natural)
    if not students:
        raise ValueError(f"{submissions} has no folders; expected one for each student")
    checks.integer(jobs, "jobs")
    rubric = [(one, hints.read(one.folder / hints.FILE)) for one in assignment.read_all(grader)]
    folder = out.with_suffix("")
    if folder == out:
        raise ValueError(f"{out} has no ending; expected a file such as {out}.csv")
    if out.resolve().parent == submissions.resolve():
        raise ValueError(f"{out} lies among the submissions, and its folder would be graded as one; name another place")
    folder.mkdir(parents=True, exist_ok=True)
    done = []
    # Threads, because the work is done in the processes of the submissions.
    with ThreadPoolExecutor(jobs) as pool:
        for graded in pool.map(lambda student: one_student(student, rubric, limits), students):
            reports.write_one(folder / graded.student, graded)
            done.append(graded)
            if progress:
                progress(graded)
    reports.write_table(out, done)
    return done


def one_student(folder: Path, rubric: Rubric, limits: Limits | None = None) -> judge.Graded:
    """Grade one folder; nothing in it can end the grading."""
    graded = judge.Graded(folder.name)
    for one, known in rubric:
        file = None if folder.is_symlink() else handed_in.find(folder, one.name)
        if file is None or file.problem:
            problem = file.problem if file else "not handed in"
            graded.problems[one.name] = problem
            graded.verdicts[one.name] = [judge.Verdict(task, judge.WRONG, problem) for task in known]
            continue
        tests = one.test_file(assignment.VISIBLE), one.test_file(assignment.HIDDEN)
        graded.verdicts[one.name], held = judge.judge(file.source, file.name, tests[0], known, tests[1], limits)
        graded.held |= set(held)
    return graded


def warning(done: list[judge.Graded]) -> str:
    """What the platform did not enforce, in a sentence; empty if it enforced all."""
    ran = [graded.held for graded in done if graded.held]
    missing = sorted(name for name in NEEDED if not all(name in held for held in ran))
    if not missing:
        return ""
    return (
        f"this machine's kernel did not restrict {' and '.join(missing)}: an audit hook did, and determined code gets"
        " around that; grade code that you do not trust on Linux 5.13 or later, or in a container"
    )
