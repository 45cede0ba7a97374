"""`import edudiff` costs NumPy and no more, and the parts depend on each other in one direction."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import edudiff

ROOT = Path(edudiff.__file__).parent
# What a help text or a first picture has no use for: modules of Python and of NumPy, 80 of them in all.
LATER = {"numpy.ma", "asyncio", "ssl", "http.server", "email", "xml", "decimal", "webbrowser", "importlib.metadata"}
HEAVY = {"numba", "matplotlib", "cupy", "tqdm", "pooch", "PIL", "dask", "distributed", "jupytext", "scipy", "torch"}

PAGE = {"support", "schedule", "forward", "reverse", "scores", "convnet"}
MAY_USE = {  # the arrows of the layout: a part, and the parts below it; no two parts use each other
    "support": set(),
    "schedule": {"support"},
    "forward": {"support", "schedule"},
    "reverse": {"support", "schedule", "forward"},
    "scores": {"support", "schedule", "forward", "reverse"},
    "convnet": {"support", "schedule", "forward", "reverse", "scores"},
    "fast": {"support"},
    "denoisers": PAGE | {"fast"},
    "sampling": PAGE,
    "nn": PAGE | {"fast", "sampling"},
    "data": {"support"},
    "plot": {"support"},
    "compare": PAGE | {"denoisers", "data"},
    "cluster": PAGE | {"denoisers"},
    "runs": PAGE | {"denoisers", "nn", "data", "plot", "compare", "cluster", "sampling"},
    "bench": PAGE | {"denoisers", "nn", "data", "fast"},
    "course": {"support"},
    "playground": PAGE | {"denoisers", "data", "compare"},
    "cli": PAGE | {"data", "runs", "course", "bench", "plot", "playground"},
    "__main__": {"cli"},
}


def part_of(path):
    """The part of the layout that a file belongs to: a module or a sub-package of edudiff."""
    return path.relative_to(ROOT).with_suffix("").parts[0]


@cache
def imports(path):
    """Dotted names of all that a file imports, inside functions too."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports in full, as the rest of the package does"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


FILES = [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows_run_one_way(path):
    here = part_of(path)
    used = {name.split(".")[1] for name in imports(path) if name.startswith("edudiff.")}
    parts = {name for name in used if (ROOT / name).exists() or (ROOT / f"{name}.py").exists()}
    assert parts <= MAY_USE[here] | {here}


def reached_from(path):
    """All files of the package that importing one file may import, at once or later, in whatever function."""
    reached, new = set(), {path}
    while new:
        reached |= new
        names = {name for file in new for name in imports(file) if name.startswith("edudiff.")}
        stems = {ROOT.parent.joinpath(*name.split(".")[:last]) for name in names for last in (None, -1)}
        new = {f for stem in stems for f in (stem.with_suffix(".py"), stem / "__init__.py") if f in FILES} - reached
    return reached


@pytest.mark.parametrize(("here", "other"), [("denoisers", "nn"), ("nn", "denoisers")])
def test_formula_and_network_do_not_know_each_other(here, other):
    """Not through a third file either, or their agreement would prove nothing."""
    for path in FILES:
        if part_of(path) == here:
            assert other not in {part_of(file) for file in reached_from(path)}


def test_no_two_parts_use_each_other():
    assert not [(a, b) for a, below in MAY_USE.items() for b in below if a in MAY_USE[b]]


def test_every_part_is_in_the_layout():
    assert {part_of(path) for path in FILES} <= set(MAY_USE)


def loaded_by(statement):
    """The names in sys.modules after `statement`, in a Python of its own."""
    code = f"import sys; {statement}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.splitlines()[-1].split())


PARTS = sorted({part_of(path) for path in FILES} - {"fast", "plot", "__main__"})
LIGHT = ["edudiff", *(f"edudiff.{part}" for part in PARTS)]


@pytest.fixture(scope="module")
def new():
    """{name: what importing it loads that those before it had not}, all in one Python of their own."""
    code = f"""
import sys
seen = set()
for name in {LIGHT!r}:
    __import__(name)
    print(*sys.modules.keys() - seen)
    seen |= sys.modules.keys()
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name: set(line.split()) for name, line in zip(LIGHT, run.stdout.splitlines(), strict=True)}


@pytest.mark.parametrize("name", LIGHT)
def test_import_loads_nothing_heavy(name, new):
    assert any(name in found for found in new.values())
    assert not new[name] & HEAVY


def test_a_command_waits_for_no_module_that_it_has_no_use_for():
    loaded = loaded_by("import edudiff.cli as cli; cli.main(['compare', '--help'])")
    assert not (loaded - loaded_by("import numpy")) & (LATER | HEAVY)  # older NumPys load some themselves


def test_import_loads_numpy_and_the_core():
    assert "numpy" in loaded_by("import edudiff")
    assert all(hasattr(edudiff, name) for name in ("schedule", "forward", "reverse", "support"))


def test_parts_are_loaded_when_asked_for():
    assert "denoisers" in dir(edudiff)
    assert edudiff.denoisers.__name__ == "edudiff.denoisers"
    with pytest.raises(AttributeError, match="has no attribute 'denoizers'"):
        edudiff.denoizers  # noqa: B018
