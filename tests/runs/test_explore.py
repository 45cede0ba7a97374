"""The explorer's page: its numbers are those of `provenance`, all shares are there, and nothing leaves it."""

import contextlib
import io
import json
import re
import shutil
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from edudiff import cli, reverse
from edudiff.compare import finger_tips
from edudiff.data import shapes
from edudiff.denoisers import Patch, WindowSchedule, provenance
from edudiff.runs import explore, finished, leading
from edudiff.runs.formulas import formulas

COUNT = 6
SMALL = ["--images", str(COUNT), "--channels", "4", "--depth", "1", "--train-steps", "2", "--batch", "4"]
SMALL += ["--seeds", "3", "--steps", "4", "--calibration", "1"]
ALL = COUNT * 14 * 14  # windows
pytestmark = pytest.mark.usefixtures("blank_pictures")


@pytest.fixture(scope="module")
def hands(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hands") / "run"
    assert cli.main(["compare", *SMALL, "--size", "14", "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    """A run in color, on a torus, of two classes."""
    place = tmp_path_factory.mktemp("classes")
    images = np.random.default_rng(0).uniform(-1, 1, (COUNT, 6, 5, 3)).astype("float32")
    np.savez(place / "mine.npz", images=images, labels=np.arange(COUNT) % 2)
    more = ["--data", str(place / "mine.npz"), "--by-class", "--padding", "circular", "--out", str(place / "run")]
    assert cli.main(["compare", *SMALL, *more]) == 0
    return place / "run"


both = pytest.mark.parametrize("name", ("hands", "classes"))
explored = cache(explore.explored)  # of folders that stay as they are


def data_of(page):
    """What a page holds, read back from its text."""
    [text] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


def one_pixel(run, name, sizes, step, b, i, j):
    """The windows of one pixel as `provenance` tells them, [(weight, size, image, row, column)], heaviest first."""
    found = []
    for size, part in sizes:
        settings = {"shifts": name == "els", "padding": "zero" if name == "ideal" else run.choices.padding}
        patch = Patch(run.images, size, labels=run.labels, **settings)
        patch = patch if run.classes is None else patch.conditional(run.classes[b])
        told = provenance(patch, step.x[b : b + 1], step.alpha, step.sigma, leading=8)
        arrays = [getattr(told, key)[0, i, j] for key in ("weight", "image", "row", "column")]
        found += [(part * w, size, n, r, c) for w, n, r, c in zip(*arrays, strict=True) if n >= 0]
    return sorted(found, key=lambda one: -one[0])


@both
def test_numbers_in_the_page_are_those_of_provenance(name, request, tmp_path):
    folder = request.getfixturevalue(name)
    path = explore.write(folder, tmp_path / "page.html")
    data = data_of(path.read_text())
    run, results = finished.read(folder)
    table = WindowSchedule.from_dict(results["window_schedule"])
    height, width = data["shape"][:2]
    training = explore.unpacked(data["training"])
    assert any(len(sizes) == 2 for sizes in data["formulas"]["els"]["sizes"])
    for formula, denoise in formulas(run, table, only=("els", "local", "ideal")).items():
        shown = data["formulas"][formula]
        place, weight = (explore.unpacked(shown[key]) for key in ("place", "weight"))  # (S, B, H, W, K) each
        for s, step in enumerate(reverse.steps(denoise, run.schedule, run.noise, run.times)):
            x0_hat = explore.unpacked(data["views"][formula]["x0_hat"])[s]  # (B, H, W, C)
            np.testing.assert_allclose(x0_hat, step.x0_hat[data["seeds"]], atol=1e-3)
            for b, i, j in ((0, 0, 0), (1, 3, 2)) if s % 2 == 0 else ((2, height - 1, width - 1),):
                at = (s, b, 0, 0) if formula == "ideal" else (s, b, i, j)
                expected = one_pixel(run, formula, shown["sizes"][s], step, data["seeds"][b], i, j)
                total, brought = 0.0, np.zeros(data["shape"][2])
                for k, (share, size, image, row, column) in enumerate(expected[: weight.shape[-1]]):
                    assert weight[(*at, k)] == pytest.approx(share, abs=2e-5)
                    code, wide = divmod(int(place[(*at, k)]), 2)
                    n, r, c = code // (height * width), code // width % height, code % width
                    if formula == "ideal":
                        r, c = i, j
                    alone = all(abs(share - one[0]) > 1e-9 for one in expected if one[1:] != (size, image, row, column))
                    if alone:
                        told = (shown["sizes"][s][wide][0], data["numbers"][n], r, c)
                        assert told == (size, image, row, column)
                    np.testing.assert_allclose(training[n, r, c], run.images[data["numbers"][n], r, c], atol=1e-4)
                    total += weight[(*at, k)]
                    brought += weight[(*at, k)] * training[n, r, c]
                others = 1 - total
                assert -1e-4 <= others <= 1 + 1e-4
                assert (np.abs(x0_hat[b, i, j] - brought) <= others * np.abs(run.images).max() + 1e-3).all()
            effective = np.exp(explore.unpacked(shown["effective"])[s])
            assert ((effective > 0.999) & (effective < ALL * 1.001)).all()


@both
def test_all_windows_together_are_the_answer(name, request):
    run, results = finished.read(request.getfixturevalue(name))
    run = replace(run, noise=run.noise[:1], classes=None if run.classes is None else run.classes[:1])
    table = WindowSchedule.from_dict(results["window_schedule"])
    for formula, denoise in formulas(run, table, only=("els", "local", "ideal")).items():
        step = next(reverse.steps(denoise, run.schedule, run.noise, run.times[1:]))
        found = leading.leading(run, formula, table, step, ALL)
        assert sum(found.sizes.values()) == pytest.approx(1)
        np.testing.assert_allclose(found.weight.sum(-1), 1, atol=1e-5)
        value = (found.image >= 0)[..., None] * run.images[found.image, found.row, found.column]  # (B, H, W, K, C)
        np.testing.assert_allclose((found.weight[..., None] * value).sum(-2), step.x0_hat, atol=1e-5)
        entropy = 0
        for size, part in found.sizes.items():
            share = np.where(found.size == size, found.weight / part, 0)  # (B, H, W, K)
            entropy = entropy - part * (share * np.log(np.maximum(share, 1e-300))).sum(-1)
        np.testing.assert_allclose(found.effective, np.exp(entropy), rtol=1e-3)


@both
def test_the_last_step_is_what_the_run_drew(name, request):
    folder = request.getfixturevalue(name)
    data = explored(folder)
    with np.load(folder / "images.npz") as drawn:
        for view, arrays in data["views"].items():
            last = explore.unpacked(arrays["x0_hat"])[-1]  # (B, H, W, C)
            np.testing.assert_allclose(last, drawn[view][data["seeds"]], atol=2e-3)


def test_pictures_that_are_not_the_run_s_are_no_secret(hands, tmp_path):
    assert "Drawn anew" not in explored(hands)["begin"]["text"]
    shutil.copytree(hands, tmp_path / "run")
    with np.load(hands / "images.npz") as drawn:
        arrays = dict(drawn)
    arrays["local"] = arrays["local"] + np.float32(0.25)
    np.savez(tmp_path / "run" / "images.npz", **arrays)
    assert "by up to 0.25" in explore.explored(tmp_path / "run")["begin"]["text"]


def test_it_begins_at_the_finger_that_no_training_hand_has():
    image = shapes.raised_hands(1, 20, np.random.default_rng(0))[0]  # (H, W, 1)
    tips = finger_tips(image[None])[0] * 20 - 0.5  # (fingers, 2) in pixels
    rows, columns = np.indices((20, 20))
    for tip in tips:
        less = image.copy()
        less[np.hypot(rows - tip[0], columns - tip[1]) < 3] = -1
        run = SimpleNamespace(images=np.stack([-image, less]))
        assert np.hypot(*(explore.begin(run, image, True) - tip)) < 1
        dotted = image.copy()
        dotted[19, 0] = 3  # more of it than of a finger, but it is none
        assert explore.begin(run, dotted, False) == (19, 0)
        assert np.hypot(*(explore.begin(run, dotted, True) - tip)) < 1
    assert explore.begin(run, np.full_like(image, -1), True) == explore.begin(run, np.full_like(image, -1), False)


@both
@pytest.mark.parametrize("formula", ("els", "local", "ideal"))
def test_the_code_prints_the_numbers_shown(name, formula, request):
    data = explored(request.getfixturevalue(name))
    seed, step, row, column = data["seeds"][1], len(data["steps"]) - 2, 2, 3
    number = data["steps"][step]["number"]
    names, said = {"seed": seed, "number": number, "row": row, "column": column}, io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(data["code"][formula], names)
    first, *rest = said.getvalue().splitlines()
    value = [float(word) for word in first.split()[1:]]
    np.testing.assert_allclose(
        value, explore.unpacked(data["views"][formula]["x0_hat"])[step, 1, row, column], atol=1e-3
    )
    weights = sorted((float(line.split()[8]) for line in rest), reverse=True)
    at = (0, 0) if formula == "ideal" else (row, column)
    shown = explore.unpacked(data["formulas"][formula]["weight"])[(step, 1, *at)]
    np.testing.assert_allclose(shown[: len(weights)], weights[: len(shown)], atol=2e-5)


def test_numbers_survive_packing():
    values = np.random.default_rng(0).uniform(-3, 2, (2, 3, 4))
    for kind, error in (("int8", 2e-2), ("int16", 1e-4)):
        there = json.loads(json.dumps(explore.packed(values, kind)))
        np.testing.assert_allclose(explore.unpacked(there), values, atol=error)
    assert explore.unpacked(explore.packed(np.zeros((2, 0)))).shape == (2, 0)


def test_the_page_is_one_small_file_that_asks_nobody(hands):
    assert explore.write(hands) == hands / "explore.html"
    text = (hands / "explore.html").read_text()
    assert len(text.encode()) < 2_000_000
    assert "http" not in text.replace("http-equiv", "") and "//" not in re.sub(
        r"(?m)^\s*//.*|\s// .*", "", code_of(text)
    )
    assert "default-src 'none'" in text
    assert not re.search(
        r"\bsrc=|\bhref=|\bimport\b|fetch\(|XMLHttpRequest", text.split('id="data"')[0] + code_of(text)
    )


def code_of(text):
    return text.rpartition("<script>")[2]


@pytest.mark.parametrize("shape", ((512, 16, 16, 1), (1000, 28, 28, 1), (1000, 32, 32, 3)))
def test_more_is_left_out_of_a_page_of_larger_images(shape):
    seeds, steps, count = explore._room(np.zeros(shape, "float32"), 64, 20, 5, 3)
    assert (seeds, steps, count) in explore.SHOW
    assert explore._room(np.zeros(shape, "float32"), 1, 2, 5, 3)[:2] == (1, 2)
    if shape[1] == 16:
        assert seeds >= 4 and steps >= 5


@pytest.mark.parametrize("shown", (True, False))
def test_the_page_is_opened_if_that_is_asked_for(shown, hands, tmp_path, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(explore, "explored", explored)
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or shown)
    path = tmp_path / "a page.html"
    assert cli.main(["explore", str(hands), "--out", str(path)]) == 0
    assert opened == [] and str(path) in capsys.readouterr().out
    assert cli.main(["explore", str(hands), "--out", str(path), "--open"]) == 0
    assert opened == [path.as_uri()]
    assert ("no web browser" in capsys.readouterr().out) is not shown


def test_a_folder_that_holds_no_comparison_is_one_line(hands, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "results.json").write_text("{")
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained" / "results.json").write_text('{"data": "hands"}')
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "results.json").write_text('{"window_schedule": {}}')
    (tmp_path / "linear").mkdir()
    results = json.loads((hands / "results.json").read_text()) | {"denoisers": ["linear"]}
    (tmp_path / "linear" / "results.json").write_text(json.dumps(results))
    for name, said in (
        ("nowhere", "holds no finished run (no results.json)"),
        ("empty", "holds no finished run"),
        ("damaged", "is damaged"),
        ("trained", "holds no comparison"),
        ("half", "holds no comparison"),
        ("linear", "was drawn by linear; none of els, local, ideal"),
    ):
        assert cli.main(["explore", str(tmp_path / name)]) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1 and said in err, err
        assert not (tmp_path / name / "explore.html").exists()
    assert cli.main(["explore", str(hands), "--out", str(tmp_path / "no" / "page.html")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_images_that_have_changed_are_refused(classes, tmp_path, capsys):
    path = classes.parent / "mine.npz"
    before = path.read_bytes()
    with np.load(path) as file:
        np.savez(path, images=-file["images"], labels=file["labels"])
    try:
        assert cli.main(["explore", str(classes), "--out", str(tmp_path / "page.html")]) == 2
    finally:
        path.write_bytes(before)
    assert "has changed" in capsys.readouterr().err and not (tmp_path / "page.html").exists()


def test_the_demo_writes_its_page_and_says_so(tmp_path, capsys):
    more = ["--size", "18", "--window", "3", "--denoisers", "els", "ideal", "--out", str(tmp_path / "run")]
    assert cli.main(["demo", *SMALL, *more]) == 0
    assert str(tmp_path / "run" / "explore.html") in capsys.readouterr().out
    assert (tmp_path / "run" / "explore.html").exists()
    assert cli.main(["demo", *SMALL, *more[:-4], "linear", "--out", str(tmp_path / "linear")]) == 0
    assert not (tmp_path / "linear" / "explore.html").exists()
