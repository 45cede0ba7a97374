"""Names that texts mention exist: whoever reads `edudiff.x.y` in an error, a docstring or a lesson can type it."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import edudiff

ROOT = Path(edudiff.__file__).parents[1]
NAME = re.compile(r"\b(?:edudiff|ed)((?:\.[A-Za-z_]\w*)+)")
CODE = [path for part in ("edudiff", "figures", "lessons") for path in sorted((ROOT / part).rglob("*.py"))]


def strings(path):
    """All text in a Python file that is for people: its strings and comments."""
    source = path.read_text(encoding="utf-8")
    yield from re.findall(r"(?m)#.*$", source)
    yield from (
        n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant) and isinstance(n.value, str)
    )


def is_there(name):
    """True if a dotted name leads from the package to a module, and from there to something that it has."""
    found = edudiff
    for part in name.strip(".").split("."):
        if not hasattr(found, part):
            try:
                importlib.import_module(f"{found.__name__}.{part}")
            except (ImportError, AttributeError):
                return False
        found = getattr(found, part)
    return True


@pytest.mark.parametrize(
    "path", [*CODE, ROOT / "README.md", *(ROOT / "lessons").glob("*.md")], ids=lambda path: path.name
)
def test_every_name_in_a_text_is_there(path):
    texts = strings(path) if path.suffix == ".py" else [path.read_text(encoding="utf-8")]
    names = {name for text in texts for name in NAME.findall(text)}
    assert [name for name in sorted(names) if not is_there(name)] == []
