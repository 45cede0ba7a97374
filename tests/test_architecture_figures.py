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


def test_alignment_measures_unseen_pictures_against_the_linear_denoiser(tmp_path, monkeypatch):
    names = script("alignment")
    monkeypatch.setitem(names, "UNSEEN", 6)
    monkeypatch.setitem(names, "LAW", 30)
    choices = replace(names["CHOICES"], images=4, train_steps=1, batch=2, drawn=10, steps=1, draws=20)
    arguments = {"choices": choices, "work": tmp_path / "work"}
    results = check_twice(names, "alignment", tmp_path, monkeypatch, **arguments)
    assert [list(line) for line in results["table"].values()] == [list(names["TARGETS"])] * 3
    for line in results["table"].values():
        for found in line.values():
            assert found["error"]["low"] <= found["error"]["value"] <= found["error"]["high"]
            assert len(found["errors"]) == len(names["TIMES"])


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
