"""The page stays a page: its files are short, import little, and a call of theirs stays among them."""

import ast
from pathlib import Path

import numpy as np
import pytest
from traced import entered, modules

import edudiff as ed

ROOT = Path(ed.__file__).parent
LIMITS = {"schedule": 110, "forward": 90, "reverse": 130, "scores": 130, "convnet": 250}
FIRST_PICTURE = ("schedule", "forward", "reverse", "scores")


def lines(name):
    return len((ROOT / f"{name}.py").read_text().splitlines())


@pytest.mark.parametrize("name", LIMITS)
def test_each_file_is_within_its_limit(name):
    assert lines(name) <= LIMITS[name]


def test_the_way_to_a_picture_and_to_a_network_is_short():
    assert sum(map(lines, FIRST_PICTURE)) <= 460
    assert sum(map(lines, LIMITS)) <= 710


@pytest.mark.parametrize("name", LIMITS)
def test_the_page_imports_numpy_support_and_itself(name):
    allowed = {f"edudiff.{page}" for page in LIMITS} | {"edudiff.support"}
    for node in ast.walk(ast.parse((ROOT / f"{name}.py").read_text())):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names = [f"{node.module}.{a.name}" for a in node.names] if isinstance(node, ast.ImportFrom) else names
        for imported in names:
            if imported.startswith("edudiff"):
                assert any(imported.startswith(a) for a in allowed), f"{name}.py imports {imported}"
            else:
                assert imported.split(".")[0] in {"numpy", *STANDARD}, f"{name}.py imports {imported}"


STANDARD = {"math", "collections", "dataclasses", "functools", "itertools", "typing"}


def hands():
    return ed.data.shapes.hands(4, size=16, rng=np.random.default_rng(0)).astype("float64")  # (N, H, W, C)


def is_array(value):
    return isinstance(value, np.ndarray) and value.ndim > 0


def test_a_score_is_followed_through_few_functions():
    images = hands()
    x = np.random.default_rng(1).standard_normal((1, 16, 16, 1))
    assert len(modules(entered(lambda: ed.scores.els(images, 5)(x, 0.7, 0.7)))) <= 6
    denoise = ed.scores.els(images, 5)
    assert len(entered(lambda: denoise(x, 0.7, 0.7), is_array)) <= 8


def test_a_training_is_followed_through_few_modules():
    net, images, schedule = ed.convnet.init(np.random.default_rng(0), channels=4), hands(), ed.schedule.cosine()

    def train():
        return list(ed.convnet.train(net, images, schedule, rng=np.random.default_rng(1), steps=2))

    assert len(modules(entered(train))) <= 6


def test_who_steps_into_a_score_meets_no_compiled_code():
    """Every function that runs is one that a debugger enters: none is a dispatcher of Numba's."""
    for name in LIMITS:
        for value in vars(getattr(ed, name)).values():
            assert not hasattr(value, "py_func"), f"{name}: {value}"
