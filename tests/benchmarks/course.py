"""Build the bundles and grade 30 submissions of all assignments: solved, stubbed, wrong and hostile ones.

    python tests/benchmarks/course.py [--jobs 2] [--keep DIR]

Prints the seconds, and ends with an error unless the table is right for every student and every task.
"""

import argparse
import csv
import random
import shutil
import tempfile
import time
from pathlib import Path

from edudiff.course import assignment, runner
from edudiff.course.build import build
from edudiff.course.grade import grade, warning

HOSTILE = {
    "loop": "while True: pass",
    "fork": "[os.fork() for _ in range(50)]",
    "allocate": "bytes(2 << 30)",
    "exit": "os._exit(0)",
    "shout": "[print('passed ' * 100_000) for _ in range(20)]",
    "steal": "exec(open({master!r}).read(), globals())",
    "sleep": "time.sleep(1000)",
}


def hostile(one, body):
    """Every task of an assignment does `body`."""
    body = body.format(master=str((one.folder / f"{one.name}.py").resolve()))
    functions = "".join(f"def {task}(*a, **k):\n    {body}\n" for task in one.tasks)
    return f"import os, time\n{functions}"


def expected(one, source):
    """1 or 0 for each task of a harmless file, found without the sandbox."""
    names = runner.local(runner.loaded(source, one.name))
    runs = [runner.run(one.test_file(f), names, one.tasks) for f in (assignment.VISIBLE, assignment.HIDDEN)]
    return [int(visible.passed and hidden.passed) for visible, hidden in zip(*runs, strict=True)]


def hand_in(folder, found):
    """Write 30 submissions; returns {student: {assignment: points of each task}}."""
    rng, points = random.Random(0), {}
    kinds = ["solved"] * 6 + ["notebook"] * 4 + ["stub"] * 3 + ["wrong"] * 10 + list(HOSTILE)
    for number, kind in enumerate(kinds):
        student = f"{number:02}_{kind}"
        (folder / student).mkdir(parents=True)
        points[student] = {}
        for one in found:
            if kind in HOSTILE:
                source = hostile(one, HOSTILE[kind])
                right = [0] * len(one.tasks)
            else:
                wrong = rng.choice(one.wrongs).source
                source = {"stub": one.stub, "wrong": wrong}.get(kind, one.source)
                right = expected(one, source)
            points[student][one.name] = right
            if kind == "notebook":
                book = folder.parent / "bundles" / "grader" / one.name / f"{one.name}.ipynb"
                shutil.copy(book, folder / student)
            else:
                (folder / student / f"{one.name}.py").write_text(source)
    return points


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--keep", metavar="DIR", help="where bundles, submissions and grades are left")
    options = options.parse_args()
    folder = Path(options.keep or tempfile.mkdtemp())
    started = time.perf_counter()
    found = build(assignment.shipped(), folder / "bundles")
    built = time.perf_counter() - started
    points = hand_in(folder / "submissions", found)
    started = time.perf_counter()
    done = grade(folder / "submissions", folder / "bundles" / "grader", folder / "grades.csv", jobs=options.jobs)
    graded = time.perf_counter() - started
    with open(folder / "grades.csv", newline="") as file:
        table = {row["student"]: row for row in csv.DictReader(file)}
    mistakes = []
    for student, by_name in points.items():
        for one in found:
            got = [int(table[student][f"{one.name}/{task}"]) for task in one.tasks]
            if got != by_name[one.name]:
                mistakes.append(f"{student}, {one.name}: {got}, expected {by_name[one.name]}")
        total = sum(sum(right) for right in by_name.values())
        print(f"{student:14} {table[student]['points']:>3} of {table[student]['out of']}, expected {total}")
    tasks, wrongs = sum(len(one.tasks) for one in found), sum(len(one.wrongs) for one in found)
    print(f"{len(found)} assignments, {tasks} tasks, {wrongs} wrong solutions: built in {built:.1f} s")
    print(f"{len(done)} submissions graded in {graded:.1f} s with {options.jobs} jobs; {len(mistakes)} mistakes")
    print(warning(done) or "the kernel held files and system calls")
    if not options.keep:
        shutil.rmtree(folder)
    if mistakes:
        raise SystemExit("\n".join(mistakes))


if __name__ == "__main__":
    main()
