"""A default is a promise: a call that does not name a value computes the same with the next version.

All of them stand in `defaults.txt` beside this file. One that changes on purpose changes what other people's programs
compute: say so in CHANGELOG.md, and write the file again with `python tests/test_defaults.py`.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

RECORDED = Path(__file__).with_name("defaults.txt")
PARTS = ("schedule", "forward", "reverse", "scores", "convnet", "denoisers", "nn", "compare", "data", "runs", "support")
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


def defaults() -> list[str]:
    """One line for each function that has any: its name, and what its arguments are if nothing is said."""
    lines = set()
    for name, function in functions():
        parameters = inspect.signature(function).parameters.values()
        said = [f"{p.name}={p.default!r}" for p in parameters if isinstance(p.default, PLAIN)]
        if said and not name.endswith("Config"):  # a network's own settings are those of its constructor
            lines.add(f"{name}({', '.join(said)})")
    return sorted(lines)


def test_what_is_not_said_means_what_it_meant_before():
    assert "\n".join(defaults()) == RECORDED.read_text().rstrip("\n")


if __name__ == "__main__":
    RECORDED.write_text("\n".join(defaults()) + "\n")
