"""The figures of clocks, alignment and architectures: what they report, and that nothing is made twice."""

import json
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edudiff import data

FIGURES = Path(__file__).parents[1] / "figures"


def script(name):
    """The names of a script, which its functions look up as they run: a dict that may be changed."""
    return runpy.run_path(str(FIGURES / f"{name}.py"))["main"].__globals__


def check_twice(names, name, out, monkeypatch, **arguments):
    """Made twice, the second time from what is kept, the results are the same, and are on file with their picture."""
    results = names["main"](out=out, **arguments)
    assert json.loads((out / f"{name}.json").read_text()) == json.loads(json.dumps(results))
    assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    monkeypatch.setattr(names["files"], "write_figure", lambda *a: None)
    monkeypatch.setitem(names, "image", lambda *a: None)
    for drawing in ("sample", "draw"):
        monkeypatch.setitem(names, drawing, None)
    assert names["main"](out=out, **arguments) == results
    return results


def test_a_clock_strikes_where_the_shares_pass_a_half_between_steps_as_on_a_logarithmic_axis():
    strike = script("clocks")["strike"]
    assert strike([100, 200, 400], [0.0, 0.25, 0.75]) == pytest.approx(200 * 2**0.5)
    assert strike([100, 200, 400], [0.0, 0.5, 0.2]) == pytest.approx(200)
    assert strike([100, 200], [0.6, 0.1]) == 100
    assert strike([100, 200], [0.1, 0.4]) is None


@pytest.mark.parametrize("kind", ("faces", "hands"))
def test_clocks_count_the_pictures_that_keep_the_rules_and_those_that_are_copies(kind):
    record, images = script("clocks")["record"], getattr(data.shapes, kind)(40, 32, np.random.default_rng(0))
    seen, unseen = images[:8], images[8:]
    noise = np.random.default_rng(1).standard_normal(seen.shape)
    for drawn, expected in ((seen, (1, 1, 0)), (unseen, (1, 0, 1)), (noise, (0, 0, 0))):
        found = record(kind, drawn, seen, unseen)
        shares = [found[name][0] for name in ("keeps", "copies", "keeps_and_new")]
        np.testing.assert_allclose(shares, expected, atol=0.1)  # one that was not seen may be near to one that was


def test_clocks_are_read_at_every_step_and_nothing_is_made_twice(tmp_path, monkeypatch):
    job = {"batch": 2, "drawn": 3, "reverse_steps": 2}
    names = script("clocks")
    monkeypatch.setitem(names, "UNSEEN", 5)
    results = check_twice(
        names, "clocks", tmp_path, monkeypatch, sizes=(2, 3), steps=(1, 3), job=job, side=24, work=tmp_path / "work"
    )
    assert [[line["step"] for line in results["runs"][count]] for count in ("2", "3")] == [[1, 3], [1, 3]]
    assert results["clocks"]["2"] == {"keeps": None, "copies": None}  # hardly trained
    assert list(results["runs"]["2"][0]["breaks"]) == ["eyes", "mouth", "skin", "outline"]


def test_alignment_measures_unseen_pictures_against_the_linear_denoiser(tmp_path, monkeypatch):
    names = script("alignment")
    monkeypatch.setitem(names, "UNSEEN", 6)
    monkeypatch.setitem(names, "LAW", 30)
    choices = replace(names["CHOICES"], images=10, train_steps=1, batch=2, drawn=10, steps=1, draws=20)
    arguments = {"choices": choices, "work": tmp_path / "work"}
    results = check_twice(names, "alignment", tmp_path, monkeypatch, **arguments)
    assert list(results["table"]) == ["MLP", "MLP that answers x0", "ResNet", "UNet"]
    assert [list(line) for line in results["table"].values()] == [list(names["TARGETS"])] * 4
    asked = {name: line["faces"]["settings"]["target"] for name, line in results["table"].items()}
    assert asked == {"MLP": "edm", "MLP that answers x0": "x0", "ResNet": "edm", "UNet": "edm"}
    for line in results["table"].values():
        for found in line.values():
            assert found["error"]["low"] <= found["error"]["value"] <= found["error"]["high"]
            assert len(found["errors"]) == len(names["TIMES"])


def test_widths_and_numbers_of_faces_are_measured_and_nothing_is_made_twice(tmp_path, monkeypatch):
    names = script("width")
    monkeypatch.setitem(names, "UNSEEN", 6)
    monkeypatch.setitem(names, "LAW", 20)
    choices = replace(names["CHOICES"], train_steps=2, batch=2, drawn=9, steps=1, draws=20)
    arguments = {"widths": (2, 3), "counts": (4, 8), "choices": choices, "work": tmp_path / "work"}
    results = check_twice(names, "width", tmp_path, monkeypatch, **arguments)
    assert [list(line) for line in results["table"].values()] == [["4", "8"]] * 2
    assert results["table"]["2"]["4"]["parameters"] < results["table"]["3"]["4"]["parameters"]


def test_width_counts_copies_and_measures_against_faces_of_the_law():
    names = script("width")
    counts = names["UNSEEN"], names["LAW"] = 60, 400
    images, unseen, law = names["faces"](30, names["CHOICES"])
    assert [len(part) for part in (images, unseen, law)] == [30, *counts]
    for drawn, copies, off in ((images, 1, 1), (unseen, 0, 1), (np.zeros_like(images), 0, 2.5)):
        found = names["record"](drawn, images, unseen, law)
        assert found["copies"]["value"] == pytest.approx(copies, abs=0.1)
        assert found["off_the_law"]["value"] == pytest.approx(off, rel=0.3)
    assert names["record"](images, images, unseen, law)["to_the_training_set"]["value"] == 0


def test_alignment_shuffles_all_pictures_alike_and_puts_the_pixels_back():
    names = script("alignment")
    choices = replace(names["CHOICES"], images=3)
    names["LAW"] = names["UNSEEN"] = 2
    plain, shuffled = (names["pictures"](target, choices) for target in ("faces", "faces, pixels shuffled"))
    for a, b in zip(plain[:3], shuffled[:3], strict=True):
        assert np.abs(a - b).max() > 0.5
        np.testing.assert_array_equal(names["place"](b, shuffled[3]), a)


def test_relative_error_is_one_for_the_baseline_itself_and_a_geometric_mean_over_levels():
    relative = script("alignment")["relative"]
    errors = np.random.default_rng(0).random((2, 7))
    assert tuple(relative(errors, errors)) == pytest.approx((1, 1, 1))
    assert relative(errors * np.array([[4.0], [1.0]]), errors).value == pytest.approx(2)


def test_architectures_stand_in_one_table_with_the_unets_of_the_other_figure(tmp_path, monkeypatch):
    names = script("architecture")
    choices = replace(names["CHOICES"], images=12, train_steps=1, batch=2, drawn=3, steps=1, draws=20, size=24)
    nets = {name: (make, some | {"train_steps": 1}, more) for name, (make, some, more) in names["NETS"].items()}
    monkeypatch.setitem(names, "NETS", nets)
    chosen = ("linear", "ELS of 100 faces", "MLP that answers x0", "UNet, no skips", *names["AGAIN"])
    monkeypatch.setattr(names["variants"], "draw", names["variants"].draw)
    results = names["main"](chosen, choices, work=tmp_path / "work", out=tmp_path)
    assert list(results["table"]) == list(chosen)
    lines = (tmp_path / "architecture.md").read_text().splitlines()
    assert [line.count("|") for line in lines] == [11] * len(lines)
    assert any(line.startswith("| UNet, pooling none | 256 | 2.09 ") for line in lines)
    assert lines[-1].startswith("| UNet, base, 3 trainings | | 1.02 to ")  # hardly trained, the other two are newer
    once = [name for name in results["beyond_trainings"] if not name.startswith("UNet, base")]
    assert "UNet, pooling none" in once and "UNet, no skips" in once
    assert not {"UNet, base", *names["AGAIN"]} & set(results["beyond_trainings"])
    assert (tmp_path / "architecture_unets.png").read_bytes().startswith(b"\x89PNG")
    losses = [results["table"][name]["loss"] for name in names["AGAIN"]]
    assert losses[0] != losses[1]
    monkeypatch.setattr(names["variants"], "draw", None)
    assert names["main"](chosen, choices, work=tmp_path / "work", out=tmp_path) == results


def test_a_polynomial_on_components_answers_on_their_plane_and_is_the_bottleneck_at_degree_one():
    names = script("architecture")
    images = data.shapes.faces(40, 24, np.random.default_rng(0))
    x = np.random.default_rng(1).standard_normal((3, *images.shape[1:]))
    line = names["polynomial"](images, degree=1)(x, 0.6, 0.8)
    np.testing.assert_allclose(line, names["denoisers"].Bottleneck.fit(images, 6)(x, 0.6, 0.8), atol=1e-5)
    bent = names["polynomial"](images)
    assert np.abs(bent(x, 0.6, 0.8) - line).max() > 1e-3
    rows = (bent(x, 0.6, 0.8) - bent.mean).reshape(3, -1)
    np.testing.assert_allclose(rows @ bent.basis @ bent.basis.T, rows, atol=1e-6)


def test_new_and_right_are_those_that_are_neither_copies_nor_break_a_rule_often():
    names = script("architecture")

    def line(new, *breaks):
        broken = dict(zip(("eyes", "skin", "any"), (*breaks, sum(breaks)), strict=True))
        return {"new": {"value": new}, "breaks": {rule: {"value": value} for rule, value in broken.items()}}

    table = {"good": line(0.95, 0.2, 0.1), "copies": line(0.5, 0, 0), "wrong": line(1, 0.1, 0.21)}
    assert names["new_and_right"](table) == ["good"]


def test_trainings_of_one_variant_are_told_by_the_least_and_the_greatest_number():
    names = script("architecture")
    ends = [{"value": value, "low": value - 0.05, "high": value + 0.02} for value in (0.1, 0.4, 0.25)]
    lines = [dict.fromkeys(names["MEASURES"], end) | {"breaks": dict.fromkeys(names["RULES"], end)} for end in ends]
    found = names["spread"](lines)
    for value in (found["ratio"], found["breaks"]["eyes"]):
        assert value.pop("reach") == pytest.approx([0.05, 0.42])
        assert value == pytest.approx({"value": 0.25, "low": 0.1, "high": 0.4})
    assert "| both | | 0.10 to 0.40 " in names["markdown"]({}, {"both": found})
    assert "| **25%** | 25% |" in names["markdown"]({"one": found}, differ={"one": {"eyes": "more"}})


def test_a_row_is_beyond_several_trainings_if_it_is_farther_from_them_than_they_are_apart():
    names = script("architecture")
    several = {"breaks": {"eyes": {"low": 0.3, "high": 0.4, "reach": [0.27, 0.43]}}}

    def beyond(value, low, high):
        return names["beyond"]({"breaks": {"eyes": {"value": value, "low": low, "high": high}}}, several)

    assert beyond(0.51, 0.45, 0.6) == {"eyes": "more"}
    assert beyond(0.19, 0.1, 0.25) == {"eyes": "less"}
    assert beyond(0.49, 0.45, 0.6) == beyond(0.21, 0.1, 0.25) == {}  # no farther than they are apart
    assert beyond(0.51, 0.42, 0.6) == beyond(0.19, 0.1, 0.28) == {}  # the interval meets one of theirs


def test_pictures_drawn_two_by_two_are_those_drawn_together(tmp_path):
    names = script("architecture")
    choices, images = replace(names["CHOICES"], drawn=3, steps=2), np.zeros((2, 8, 8, 3), np.float32)
    denoise = names["denoisers"].Linear.fit(np.random.default_rng(0).uniform(-1, 1, images.shape).astype(np.float32))
    expected = names["variants"].draw(denoise, choices, images)
    np.testing.assert_allclose(names["draw"](denoise, choices, images, tmp_path), expected, atol=1e-6)
    np.testing.assert_allclose(names["draw"](None, choices, images, tmp_path), expected, atol=1e-6)  # they are kept
    assert len(list(tmp_path.iterdir())) == 2
