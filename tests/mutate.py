"""How much of the code the tests hold: changes one thing at a time, and counts the changes that some test notices.

    python tests/mutate.py                                    # all areas, 40 changes each; long: an hour and more
    python tests/mutate.py --areas compare --count 60 --seed 1

Each change ("mutant") is made in a copy of the project. Those tests of its area that enter the changed function are run
until the first one fails, the short ones first; which enter it, a run of the unchanged code has shown. A mutant that no
test notices survives: either a test is missing, or the changed program does the same. Those of the second kind stand in
`equivalent_mutants.json` beside this file, each with the reason, and do not count; "nth" tells apart those that have
the same line, old and new text. The same seed draws the same mutants of the same code. Ctrl-C gives the score so far.
Not part of the default run.
"""

import argparse
import ast
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import watched

PROJECT = Path(__file__).parents[1]
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.json")
SPARED = ("strict", "copy")  # `strict` of `zip` guards against lengths that no caller makes; a copy is only slower
LEFT_OUT = (".*", "*.pyc", "*.png", "*.egg-info")
PAGE = ("schedule", "forward", "reverse", "scores", "convnet")
PEERS = "tests/peers/test_peers.py"
READ = "tests/test_defaults.py"  # reads what is written down and enters no function: it belongs to every mutant
DENOISERS = ["tests/denoisers/test_*.py", "tests/test_analytic_*.py", "tests/test_described.py", PEERS]
SUPPORT = [f"tests/test_{name}.py" for name in ("support_*", "check", "backend", "described", "options", "machines")]
SUPPORT += [f"tests/{name}.py" for name in ("compare/test_metrics", "data/test_fetch", "runs/test_out_of_memory")]
SUPPORT += [f"tests/denoisers/test_{name}.py" for name in ("bad_input", "posterior", "related")]
AREAS = {  # the files that are changed, and the tests that should notice
    "page": ([f"edudiff/{name}.py" for name in PAGE], [f"tests/test_{name}.py" for name in (*PAGE, "analytic_*")]),
    "denoisers": (["edudiff/denoisers/*.py"], DENOISERS),
    "nn": (["edudiff/nn/*.py", "edudiff/nn/layers/*.py"], ["tests/nn/test_*.py", PEERS]),
    "compare": (["edudiff/compare/*.py"], ["tests/compare/test_*.py", "tests/denoisers/test_between.py", PEERS]),
    "data": (["edudiff/data/*.py"], ["tests/data/test_*.py"]),
    "support": (["edudiff/support/*.py"], SUPPORT),
    "runs": (["edudiff/runs/*.py"], ["tests/runs/test_*.py"]),
}
PATIENCE = 3  # times as long as the unchanged code takes: a mutant that runs longer hangs, and is noticed
# Each mutant meets a new process; a fork server has read the large libraries once for all.
PROCESSES = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


Key = tuple[str, str, str, str, int]


class Mutant(NamedTuple):
    """One change: at `line` of `file`, the text from `start` to `stop` (in bytes) becomes `new`."""

    file: str
    line: int
    start: int
    stop: int
    old: str
    new: str
    context: str  # the line as it stands, without its indentation
    nth: int = 1  # of those of the file that have the same line, old and new text

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {flat(self.old)} -> {flat(self.new)}"

    def key(self) -> Key:
        """What tells it from all others, and stays while other lines of the file change."""
        return self.file, self.context, flat(self.old), flat(self.new), self.nth


def flat(code: str) -> str:
    return " ".join(code.split())


def known(entries: list[dict]) -> dict[Key, str]:
    """The reasons that `equivalent_mutants.json` gives, by the mutant; "nth" is 1 where it is left out."""
    return {(e["file"], e["line"], e["old"], e["new"], e.get("nth", 1)): e["why"] for e in entries}


def mutants(file: str, text: str) -> list[Mutant]:
    """All changes of one file, outer ones before those inside them."""
    found = list(changed_once(file, text))
    alike: dict[Key, int] = Counter()
    nth = {}
    for mutant in sorted(found, key=lambda m: m.start):
        alike[mutant.key()] += 1
        nth[mutant] = alike[mutant.key()]
    return [mutant._replace(nth=nth[mutant]) for mutant in found]


def changed_once(file: str, text: str) -> Iterator[Mutant]:
    source, tree = text.encode(), ast.parse(text)
    begins = [0]
    for line in source.splitlines(keepends=True):
        begins.append(begins[-1] + len(line))
    lines = text.splitlines()
    tables = {id(n) for statement in tree.body for n in inside_table(statement)}
    for node in visible(tree):
        if id(node) in tables:
            continue
        for new in changes(node):
            start = begins[node.lineno - 1] + node.col_offset
            stop = begins[node.end_lineno - 1] + node.end_col_offset
            old = source[start:stop].decode()
            yield Mutant(file, node.lineno, start, stop, old, new, lines[node.lineno - 1].strip())


def inside_table(statement: ast.stmt) -> Iterator[ast.AST]:
    """What is inside a list, tuple or dict that a module writes down: colors, strokes, names, no computing."""
    if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(
        statement.value, ast.List | ast.Tuple | ast.Dict
    ):
        yield from ast.walk(statement.value)


def visible(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that compute: no annotation, no docstring, no message of an error, no overload, no formatted string."""
    if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.FunctionDef) and "overload" in map(ast.unparse, node.decorator_list):
        return
    yield node
    if isinstance(node, ast.UnaryOp) and ast.unparse(node) == "-1":
        return  # in a shape, -2 would say the same
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "bases"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and getattr(child, "arg", "") not in SPARED:
                yield from visible(child)


def changes(node: ast.AST) -> Iterator[str]:
    """What one node may become, as code."""
    match node:
        case ast.Expr(value=ast.Call(func=called)) if ast.unparse(called).startswith(("checks.", "_check")):
            yield "pass"
        case ast.If(body=[ast.Raise()], orelse=[]):
            yield "pass"
        case ast.Constant(value=bool() as value):
            yield str(not value)
        case ast.Constant(value=int() as value):
            yield str(value + 1)
            yield f"({value - 1})"
        case ast.Constant(value=float() as value):
            yield repr(value * 1.5 if value else 0.5)
        case ast.Compare(ops=[operation]) if type(operation) in COMPARISONS:
            yield parts(node, ops=[COMPARISONS[type(operation)]()])
        case ast.BinOp(op=operation) if type(operation) in OPERATORS:
            yield parts(node, op=OPERATORS[type(operation)]())
        case ast.BoolOp(op=operation):
            yield parts(node, op=ast.Or() if isinstance(operation, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield parts(node.operand)
        case ast.Call(keywords=[_, *_]):
            for i, keyword in enumerate(node.keywords):
                if keyword.arg not in SPARED:
                    yield parts(node, keywords=node.keywords[:i] + node.keywords[i + 1 :])
        case ast.Slice(lower=lower, upper=upper) if lower or upper:
            if lower:
                yield ast.unparse(changed(node, lower=ast.BinOp(lower, ast.Add(), ast.Constant(1))))
            if upper:
                yield ast.unparse(changed(node, upper=None))


def changed(node: ast.AST, **fields) -> ast.AST:
    return type(node)(**{name: fields.get(name, value) for name, value in ast.iter_fields(node)})


def parts(node: ast.AST, **fields) -> str:
    """An expression with some fields changed, in parentheses: what is around it stays around it."""
    return f"({ast.unparse(changed(node, **fields))})"


def expand(root: Path, patterns: list[str]) -> list[str]:
    return sorted(str(p.relative_to(root)) for pattern in patterns for p in root.glob(pattern))


def functions(text: str) -> list[range]:
    """The lines of each function of a file; the first is that of its first decorator."""
    found = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [range(min([n.lineno, *(d.lineno for d in n.decorator_list)]), n.end_lineno + 1) for n in found]


def concerned(mutant: Mutant, text: str, entered: dict[str, set], seconds: dict[str, float]) -> list[str]:
    """The tests that enter the changed function, or any of its file if it is in none; those that take least first.

    A test that enters nothing may start another process, and belongs to all, as do those of `READ`.
    """
    around = [lines for lines in functions(text) if mutant.line in lines]
    lines = min(around, key=len) if around else range(1, 10**6)
    of_all = {t for t, found in entered.items() if not found or t.startswith(READ)}
    tests = [t for t, found in entered.items() if t in of_all or any(f == mutant.file and n in lines for f, n in found)]
    return sorted(tests, key=seconds.__getitem__)


def passes(root: Path, tests: list[str], seconds: float) -> bool:
    """True if all these tests pass within `seconds`."""
    if not tests:
        return True
    process = PROCESSES.Process(target=_run, args=(root, tests))
    process.start()
    process.join(seconds)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode == 0


def _run(root: Path, tests: list[str]) -> None:
    sys.exit(watched.run(root, tests, root / "said.txt"))


def baseline(root: Path, tests: list[str]) -> tuple[dict[str, set], dict[str, float]]:
    """What each test enters, and the seconds that it takes, on the code as it is."""
    with PROCESSES.Pool(1) as pool:
        status, entered, seconds = pool.apply(_watch, (root, tests))
    if status:
        said = (root / "said.txt").read_text()
        raise SystemExit(f"{said[-4000:]}\na test fails on the code as it is, see above; mend that first")
    return entered, seconds


def _watch(root: Path, tests: list[str]) -> tuple[int, dict[str, set], dict[str, float]]:
    watch = watched.Watch(root)
    return watched.run(root, tests, root / "said.txt", watch), watch.entered(), watch.seconds


def score(root: Path, area: str, count: int, seed: int, only: str, reasons: dict[Key, str]) -> int:
    """Runs the mutants of one area and prints its score; returns how many survive without a reason."""
    patterns, tests = AREAS[area]
    files, tests = expand(root, patterns), [*expand(root, tests), READ]
    made = [mutant for file in files if only in file for mutant in mutants(file, (root / file).read_text())]
    drawn = random.Random(f"{seed} {area}").sample(made, min(count, len(made)))
    begun = time.perf_counter()
    entered, seconds = baseline(root, tests)
    print(f"{area}: {len(seconds)} tests pass on the code as it is; {time.perf_counter() - begun:.0f} s", flush=True)
    killed, same, survivors, stopped = 0, 0, 0, ""
    try:
        for mutant in drawn:
            if mutant.key() in reasons:
                same += 1
            elif noticed(root, mutant, entered, seconds):
                killed += 1
            else:
                survivors += 1
                print(f"  survives  {mutant}\n            in: {mutant.context}", flush=True)
    except KeyboardInterrupt:
        stopped = "stopped; "
    tried = killed + survivors
    print(
        f"{area}: {stopped}{killed} of {tried} noticed, {killed / max(1, tried):.0%}; {same} more are equivalent;"
        f" drawn from {len(made):,} with seed {seed}; {time.perf_counter() - begun:.0f} s",
        flush=True,
    )
    return survivors


def noticed(root: Path, mutant: Mutant, entered: dict[str, set], seconds: dict[str, float]) -> bool:
    """Does a test fail, or take for ever, with this one change?"""
    path = root / mutant.file
    source, stat = path.read_bytes(), path.stat()
    tests = concerned(mutant, source.decode(), entered, seconds)
    path.write_bytes(source[: mutant.start] + mutant.new.encode() + source[mutant.stop :])
    try:
        return not passes(root, tests, PATIENCE * sum(seconds[test] for test in tests) + 20)
    finally:
        path.write_bytes(source)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--areas", nargs="+", choices=AREAS, default=list(AREAS), help="all if none is named")
    parser.add_argument("--count", type=int, default=40, help="mutants of each area (40)")
    parser.add_argument("--seed", type=int, default=0, help="which mutants (0)")
    parser.add_argument("--only", default="", metavar="PART", help="only files whose path holds this")
    choices = parser.parse_args()
    if sys.platform != "win32":
        PROCESSES.set_forkserver_preload(["hypothesis", "matplotlib.figure", "numba", "numpy", "pytest", "watched"])
    reasons = known(json.loads(EQUIVALENT.read_text()))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        shutil.copytree(PROJECT, root, ignore=shutil.ignore_patterns(*LEFT_OUT), dirs_exist_ok=True)
        left = [score(root, area, choices.count, choices.seed, choices.only, reasons) for area in choices.areas]
    return 1 if any(left) else 0


if __name__ == "__main__":
    sys.exit(main())
