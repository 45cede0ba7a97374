"""`edudiff course grade`: every submission against the visible and the hidden tests."""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edudiff.course import assignment, handed_in, hints, judge, reports
from edudiff.course.sandbox import own
from edudiff.course.sandbox.process import Limits, Sandbox
from edudiff.support import checks
from edudiff.support.files import check_file, check_folder

Rubric = list[tuple[assignment.Assignment, hints.Hints]]

PACKED = {".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz"}  # as zip files are, but not read here
OWN_MEMORY = 1 << 30  # bytes that the tests of one submission may take beyond what the grader has


def grade(
    submissions: str | Path,
    grader: str | Path,
    out: str | Path,
    limits: Limits | None = None,
    jobs: int = 1,
    progress: Callable[[judge.Graded], object] | None = None,
    only: Sequence[str] = (),
    single: bool = False,
    unconfined: bool = False,
    warn: Callable[[str], object] | None = None,
) -> list[judge.Graded]:
    """Grade every folder and zip file in `submissions` with the bundle `grader`; returns a list of `Graded`.

    Writes the table `out` (CSV), and beside it, in a folder of the same name without its ending, for each student
    `junit.xml` and Gradescope's `results.json`. `jobs`: how many submissions are graded at once. `progress` is called
    with each `Graded`. `only`: names of assignments, none for all. `single`: `submissions` is what one student handed
    in. `warn` is called, before anything of a submission runs, with a sentence on files that lie beside the students'
    folders, which are not graded, and on what this machine does not enforce; where that is the most important part,
    `unconfined` must be True.

    Raises ValueError for a missing folder, a broken bundle, that of the students, an unknown assignment, an `out` among
    the submissions or a machine that confines nothing; TypeError for `jobs` that is no integer; OSError if the results
    cannot be written.
    """
    submissions, out = Path(submissions), Path(out)
    students = _students(submissions, single)
    checks.integer(jobs, "jobs")
    rubric = _rubric(Path(grader), only)
    folder = _results(out, submissions)
    check_folder(folder)
    if out.parent.exists():
        check_file(out)
    enough, sentence = confinement(limits)
    if not enough and not unconfined:
        raise ValueError(f"{sentence}; if you trust all that was handed in, add --unconfined")
    loose = [] if single else _loose(submissions)
    passed_over = f"not graded, as only folders and zip files are: {', '.join(loose)}" if loose else ""
    for said in (passed_over, sentence):
        if said and warn:
            warn(said)
    folder.mkdir(parents=True, exist_ok=True)
    done: list[judge.Graded] = []
    try:
        # Threads, because the work is done in the processes of the submissions.
        with ThreadPoolExecutor(jobs) as pool, own.memory(jobs * OWN_MEMORY):
            for graded in pool.map(lambda name: one_student(students[name], rubric, limits, name), students):
                reports.write_one(folder / graded.student, graded)
                done.append(graded)
                if progress:
                    progress(graded)
    finally:  # what was graded until then is kept
        if done:
            reports.write_table(out, done)
    return done


def one_student(place: Path, rubric: Rubric, limits: Limits | None = None, name: str | None = None) -> judge.Graded:
    """Grade one folder or zip file; nothing in it can end the grading."""
    graded = judge.Graded(name or place.name)
    try:
        seen = [] if place.is_symlink() else handed_in.files(place)
        nothing = judge.NOT_THERE
    except ValueError as error:
        seen, nothing = [], str(error)
    used, missed = set(), False
    for one, known in rubric:
        file = handed_in.chosen(seen, one.name)
        if file is None or file.problem:
            problem = f"{file.name} {file.problem}" if file else nothing
            graded.problems[one.name] = problem
            graded.verdicts[one.name] = [judge.Verdict(task, judge.WRONG, problem) for task in known]
            used |= {file.name} if file else set()
            missed |= file is None
            continue
        used |= {file.name, *(f"{module}.py" for module in file.beside if module in file.source)}
        tests = one.test_file(assignment.VISIBLE), one.test_file(assignment.HIDDEN)
        judged = judge.judge(file, tests[0], known, tests[1], limits)
        graded.verdicts[one.name] = judged.verdicts
        graded.held |= set(judged.held)
        usual = {f"{place}{one.name}{kind}" for place in ("", f"{one.name}/") for kind in handed_in.KINDS}
        notes = [*([] if file.path in usual else [f"taken from {file.path}"]), *judged.notes]
        if notes:
            graded.problems[one.name] = "; ".join(notes)
    rest = [one.path for one in seen if not used or (missed and one.may_be_code and one.name not in used)]
    if rest:
        graded.problems["also there"] = ", ".join(rest[:5]) + (" ..." if len(rest) > 5 else "")
    return graded


def confinement(limits: Limits | None = None) -> tuple[bool, str]:
    """(enough to run what strangers wrote, what this machine does not enforce in a sentence, "" if it enforces all)."""
    with Sandbox("", "nothing.py", limits) as box:
        held = box.defenses()
    if {"files", "system calls"} <= set(held):
        return True, ""
    if {"nobody", "system calls"} <= set(held):
        return True, (
            "this machine's kernel does not restrict files, so submissions run as the user nobody: keep the grader's"
            " bundle and other work where only you may read it"
        )
    kinds = (("files", "files"), ("system calls", "the network and programs"))
    missing = [words for name, words in kinds if name not in held]
    return False, (
        f"nothing but Python's audit hook keeps submissions from {' and from '.join(missing)} here ({sys.platform}),"
        " and determined code gets around that; grade on Linux 5.13 or later, or in a container with it"
    )


def _students(submissions: Path, single: bool) -> dict[str, Path]:
    """{name: place} of all submissions, in order."""
    if not submissions.is_dir():
        raise ValueError(f"{submissions} is not a folder; expected one with a folder for each student")
    if single:
        return {submissions.resolve().name: submissions}
    named = [path for path in submissions.iterdir() if not path.name.startswith((".", "__MACOSX"))]
    folders = {path.name: path for path in named if path.is_dir()}
    zips = {path.stem: path for path in named if path.suffix.lower() == ".zip" and path.name not in folders}
    found = folders | {path.name if name in folders else name: path for name, path in zips.items()}
    if not found:
        loose = _loose(submissions)
        advice = f"; {loose[0]} lies in it: for one student's files add --single" if loose else ""
        raise ValueError(f"{submissions} has no folders; expected one for each student{advice}")
    return {name: found[name] for name in sorted(found, key=lambda name: assignment.natural(Path(name)))}


def _loose(submissions: Path) -> list[str]:
    """Names of files that somebody may have handed in, and that are in no folder and no zip."""
    kinds = {*handed_in.KINDS, *PACKED}
    return sorted(path.name for path in submissions.iterdir() if path.suffix.lower() in kinds and not path.is_dir())


def _rubric(grader: Path, only: Sequence[str]) -> Rubric:
    bundles = sorted(path.parent for path in grader.glob(f"*/{hints.FILE}"))
    if bundles and not any((folder / assignment.HIDDEN).is_file() for folder in bundles):
        raise ValueError(
            f"{grader} is a students' bundle, without hidden tests; name the grader's, which was built beside it, with"
            " --grader"
        )
    found = assignment.read_all(grader)
    unknown = [name for name in only if name not in {one.name for one in found}]
    if unknown:
        raise ValueError(f"{grader} has no {', '.join(unknown)}; it has {', '.join(one.name for one in found)}")
    return [(one, hints.read(one.folder / hints.FILE)) for one in found if not only or one.name in only]


def _results(out: Path, submissions: Path) -> Path:
    """The folder for the students' results. Raises ValueError if that could be one of what was handed in."""
    folder = out.with_suffix("")
    if folder == out:
        raise ValueError(f"{out} has no ending; expected a file such as {out}.csv")
    given = submissions.resolve()
    if given in (out.resolve(), folder.resolve(), *out.resolve().parents):
        raise ValueError(
            f"{out} lies among the submissions, or its folder {folder} does; name another place, such as"
            f" {given.parent / 'grades.csv'}"
        )
    return folder
