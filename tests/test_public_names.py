"""What is public says what it is: a docstring that begins with a plain sentence, hints, and the words of the field."""

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import edudiff

ROOT = Path(edudiff.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
KERNELS = {"fast"}  # compiled functions take what Numba infers; the package's own callers know their arguments

# The words of the package are those of the field; these were once used instead.
OLD_DIALECT = {
    "border": "padding",
    "wrap": "circular",
    "scales": "window schedule",
    "clock": "noise-level embedding",
    "steer": "cond",
    "waist": "bottleneck",
    "bridge": "skip connection",
    "rise": "upsample",
    "given": "conditional",
    "rival": "baseline",
    "machine": "denoiser",
    "machines": "denoisers",
    "data_scale": "sigma_data",
    "decay_m": "beta1",
    "decay_v": "beta2",
    "average_decay": "ema_decay",
    "r2": "r_squared",
    "R2": "r2_score",
    "array_module": "array_namespace",
    "pictures": "images",
    "picture": "image",
    "colour": "color",
    "colours": "colors",
    "centre": "center",
    "centres": "centers",
    "grey": "gray",
    "neighbour": "neighbor",
    "normalise": "normalize",
    "normalisation": "normalization",
}
OLD_VALUES = {"wrap", "scaled", "karras", "ho", "salimans", "hang", "velocity"}


def public(path):
    """(qualified name, node) of every public function, class and method of a file."""
    for node in ast.parse(path.read_text()).body:
        if any(ast.unparse(mark) == "overload" for mark in getattr(node, "decorator_list", [])):
            continue  # the function itself comes after its overloads
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and (not inner.name.startswith("_") or inner.name == "__call__"):
                    yield f"{node.name}.{inner.name}", inner


def arguments(node):
    args = node.args
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs, *filter(None, (args.vararg, args.kwarg))]
    return [a for a in every if a.arg not in ("self", "cls")]


def name_of(path):
    return str(path.relative_to(ROOT))


every_file = pytest.mark.parametrize("path", FILES, ids=name_of)


@every_file
def test_every_module_and_every_public_name_begins_with_a_plain_sentence(path):
    tree = ast.parse(path.read_text())
    documented = [("the module", tree), *public(path)]
    for name, node in documented:
        if "." in name and not isinstance(node, ast.ClassDef) and ast.get_docstring(node) is None:
            continue  # a method may be explained by the class that it overrides
        text = ast.get_docstring(node)
        assert text, f"{name_of(path)}: {name} has no docstring"
        first = text.split("\n\n")[0]
        assert re.match(r"^\S.*[\w)`*|\]][.:!?](\s|$)", first, flags=re.DOTALL), f"{name_of(path)}: {name}: {first!r}"


@every_file
def test_public_functions_are_hinted(path):
    if path.relative_to(ROOT).parts[0] in KERNELS:
        return
    for name, node in public(path):
        if isinstance(node, ast.FunctionDef):
            missing = [a.arg for a in arguments(node) if a.annotation is None]
            assert not missing, f"{name_of(path)}: {name} has no hint for {', '.join(missing)}"
            assert node.returns is not None, f"{name_of(path)}: {name} does not say what it returns"


@every_file
def test_no_public_name_is_of_the_old_dialect(path):
    names = {path.stem}
    for name, node in public(path):
        names |= set(name.split("."))
        if isinstance(node, ast.FunctionDef):
            names |= {a.arg for a in arguments(node)}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef):  # the fields of a dataclass
            names |= {f.target.id for f in node.body if isinstance(f, ast.AnnAssign) and isinstance(f.target, ast.Name)}
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
    words = {word for name in names - {"r2_score"} for word in (name, *name.split("_"))}
    assert not words & set(OLD_DIALECT), {w: OLD_DIALECT[w] for w in words & set(OLD_DIALECT)}


def modules():
    """All modules of the package that can be imported here."""
    for found in pkgutil.walk_packages([str(ROOT)], "edudiff."):
        if not found.name.endswith("__main__"):
            try:
                yield importlib.import_module(found.name)
            except ImportError as error:
                if (error.name or "").startswith("edudiff"):
                    raise


def test_no_module_is_hidden_behind_a_function_of_its_own_name():
    """So that a breakpoint by the path of a module works."""
    for module in modules():
        for found in pkgutil.iter_modules(getattr(module, "__path__", [])):
            assert inspect.ismodule(getattr(module, found.name, module)), f"{module.__name__}.{found.name}"


def test_options_of_the_command_line_are_words_of_the_field():
    from edudiff.cli import parser

    def texts(parser):
        yield parser.format_help()
        for action in parser._actions:
            for inner in (action.choices or {}).values() if hasattr(action.choices, "values") else ():
                yield from texts(inner)

    for text in texts(parser()):
        assert not set(re.findall(r"--([a-z-]+)", text)) & {w.replace("_", "-") for w in OLD_DIALECT}
        assert not set(re.findall(r"\w+", text)) & (OLD_VALUES - {"ho"})


def test_results_on_file_have_the_words_of_the_field():
    import json

    def keys(tree):
        if isinstance(tree, dict):
            yield from tree
            for value in tree.values():
                yield from keys(value)
        elif isinstance(tree, list):
            for value in tree:
                yield from keys(value)

    for path in (ROOT.parent / "figures" / "results").glob("*.json"):
        old = set(keys(json.loads(path.read_text()))) & {*OLD_DIALECT, "scale_table", "clock_size"}
        assert not old, f"{path.name} has the keys {old}"


def test_everything_is_within_reach():
    parts = {p.name for p in pkgutil.iter_modules([str(ROOT)])} - {"__main__"}
    assert parts <= set(dir(edudiff))
    for part in parts - {"fast", "cluster"}:
        assert inspect.ismodule(getattr(edudiff, part))
