"""A default is a promise: a call that does not name a value computes the same with the next version.

They stand in `defaults.txt` beside this file. One that changes on purpose changes what other people's programs compute:
say so in CHANGELOG.md, and write the file again with `python tests/test_defaults.py`, which also takes in what is new.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

RECORDED = Path(__file__).with_name("defaults.txt")
PARTS = (
    "schedule",
    "forward",
    "reverse",
    "scores",
    "convnet",
    "denoisers",
    "nn",
    "sampling",
    "compare",
    "data",
    "runs",
    "support",
)
PLAIN = (bool, int, float, str, tuple)


def functions() -> Iterator[tuple[str, object]]:
    """Every public function, class and method of these parts that stands there, by name."""
    for part in PARTS:
        top = importlib.import_module(f"edudiff.{part}")
        inner = pkgutil.walk_packages(getattr(top, "__path__", []), f"{top.__name__}.")
        names = [found.name for found in inner if not found.name.endswith(".compiled")]  # twins, where there is Numba
        for module in (top, *map(importlib.import_module, names)):
            for name, value in vars(module).items():
                if name.startswith("_") or getattr(value, "__module__", "") != module.__name__:
                    continue
                if inspect.isfunction(value) or (inspect.isclass(value) and not issubclass(value, BaseException)):
                    yield f"{module.__name__}.{name}", value
                for method, code in vars(value).items() if inspect.isclass(value) else ():
                    if inspect.isfunction(code) and (not method.startswith("_") or method == "__call__"):
                        yield f"{module.__name__}.{name}.{method}", code


def defaults() -> dict[str, str]:
    """What each argument is if nothing is said, as code, by "function argument"."""
    found = {}
    for name, function in functions():
        if not name.endswith("Config"):  # a network's own settings are those of its constructor
            for p in inspect.signature(function).parameters.values():
                if isinstance(p.default, PLAIN):
                    found[f"{name} {p.name}"] = repr(p.default)
    return found


def test_what_is_not_said_means_what_it_meant_before():
    """Of every argument that was there when the file was written, and still is."""
    now = defaults()
    before = dict(line.split(" = ", 1) for line in RECORDED.read_text().splitlines())
    kept = before.keys() & now.keys()
    assert len(kept) > 100
    assert {name: now[name] for name in kept} == {name: before[name] for name in kept}


if __name__ == "__main__":
    RECORDED.write_text("".join(f"{name} = {value}\n" for name, value in sorted(defaults().items())))
