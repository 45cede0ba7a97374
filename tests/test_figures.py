"""The figures of training time, data size and fingers: what they report, and that nothing is trained twice."""

import json
import runpy
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edudiff import denoisers, nn
from edudiff.data import toys
from edudiff.nn import checkpoint
from edudiff.runs.choices import Choices

FIGURES = Path(__file__).parents[1] / "figures"
TINY = {"channels": 2, "batch": 4, "seeds": 6, "steps": 3, "calibration": 2}


def script(name):
    """The names of a script, which its functions look up as they run: a dict that may be changed."""
    return runpy.run_path(str(FIGURES / f"{name}.py"))["main"].__globals__


def networks(folder):
    """When each network below a folder was last written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.npz")}


def check_files(out, name, results):
    """The numbers are on file as they were returned, with the command, and the picture is there."""
    assert json.loads((out / f"{name}.json").read_text()) == json.loads(json.dumps(results))
    assert results["command"] == f"python figures/{name}.py"
    assert {"version"} <= set(results)
    assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def check_interval(values):
    value, low, high = values
    assert low <= value <= high


def test_data_size_has_every_network_on_every_set_and_trains_once(tmp_path, monkeypatch):
    names = script("data_size")
    nets = {net: replace(job, train_steps=2, **TINY) for net, job in names["NETS"].items()}
    arguments = {"sizes": (1, 12), "nets": nets, "matched": 3, "work": tmp_path / "work", "out": tmp_path / "out"}
    monkeypatch.setitem(names, "UNSEEN", 20)
    results = names["main"](**arguments)
    check_files(tmp_path / "out", "data_size", results)
    assert [(line["net"], line["images"]) for line in results["records"]] == [(net, n) for net in nets for n in (1, 12)]
    for line in results["records"]:
        for values in (*line["pearson_r"].values(), *line["relative_distance"].values(), *line["copies"].values()):
            check_interval(values)
        assert line["copies"]["ideal"][0] == 1  # it can only copy
        assert line["copies"]["network"][0] == 0  # hardly trained, it draws noise
        assert line["copies"]["unseen"][0] < 0.1
        assert line["relative_distance"]["unseen"][0] == pytest.approx(1)
    stamps = networks(tmp_path / "work")
    monkeypatch.setitem(names, "image", lambda *a: None)
    monkeypatch.setattr(names["files"], "write_figure", lambda *a: None)
    assert names["main"](**arguments) == results
    assert networks(tmp_path / "work") == stamps


def test_fingers_of_networks_and_of_scaled_windows(tmp_path, monkeypatch):
    names = script("fingers")
    job = replace(names["JOB"], images=8, train_steps=40, **TINY)
    arguments = {"depths": (0, 2), "factors": (1, 10, None), "work": tmp_path / "work", "out": tmp_path / "out"}
    results = names["main"](job, **arguments)
    check_files(tmp_path / "out", "fingers", results)
    assert results["training"]["wrong"] == [0, 0, 0]
    assert [line["receptive_field"] for line in results["networks"]] == [5, 9]
    for line in results["networks"] + results["windows"]:
        check_interval(line["same_count"])
        for found in (line[name] for name in ("network", "els") if name in line):
            assert found["wrong"][0] == pytest.approx(found["fewer"][0] + found["more"][0])
            assert len(found["counts"]) == job.seeds
    one, ten, whole = results["windows"]
    calibrated = results["networks"][1]["window_schedule"]["windows"]
    for used, size in zip(one["window_schedule"]["windows"], calibrated, strict=True):
        assert abs(used - max(3, size)) <= 1
    largest = 2 * job.size - 1
    assert ten["largest_window"] == pytest.approx(min(largest, 10 * max(calibrated)), abs=1)
    assert whole["largest_window"] == largest
    assert whole["els"]["wrong"][0] == 0  # windows that cover the picture: a copy, and all hands have five
    stamps = networks(tmp_path / "work")
    monkeypatch.setitem(names, "image", lambda *a: None)
    monkeypatch.setattr(names["files"], "write_figure", lambda *a: None)
    assert names["main"](job, **arguments) == results
    assert networks(tmp_path / "work") == stamps


def test_counts_that_agree_seed_by_seed_and_by_chance():
    names = script("fingers")
    network, els = np.array([5, 4, 6, 5]), np.array([5, 4, 5, 6])
    found = names["same"](network, els)
    assert found["same_count"][0] == 0.5
    assert found["same_by_chance"] == pytest.approx(4 / 12)  # 5: 0 and 2, 3 and 0, 3 and 2; 6: 2 and 3
    shares = names["shares"](network)
    assert [shares[name][0] for name in ("fewer", "more", "wrong")] == [0.25, 0.25, 0.5]


def test_attention_uses_the_windows_of_the_network_without_it(tmp_path):
    names = script("attention")
    job = replace(names["FACES"], images=8, train_steps=3, **TINY)
    arguments = {"job": job, "work": tmp_path / "work", "out": tmp_path / "out"}
    results = names["main"](**arguments)
    check_files(tmp_path / "out", "attention", results)
    assert [job["attention"] for job in results["jobs"].values()] == [(), (1, 2)]
    for found in results["agreement"].values():
        assert len(found["els"]["per_seed"]) == job.seeds
        assert set(found) == {"els", "ideal"}
    places = [tmp_path / "work" / "faces" / name for name in ("without", "with")]
    without, other = (json.loads((place / "results.json").read_text()) for place in places)
    assert without["window_schedule"] == other["window_schedule"] == results["window_schedule"]
    assert without["calibrate_seconds"] > 0
    assert other["calibrate_seconds"] == 0  # of the network with attention nothing is read off
    stamps = networks(tmp_path / "work")
    assert names["main"](**arguments) == results
    assert networks(tmp_path / "work") == stamps


def test_attention_without_real_pictures_draws_faces(tmp_path, monkeypatch):
    names = script("attention")
    monkeypatch.setenv("EDUDIFF_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert names["chosen"]() == names["FACES"]


def test_training_time_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    names = script("training_time")
    jobs = {"one": replace(next(iter(names["JOBS"].values())), images=8, **TINY)}
    arguments = {"jobs": jobs, "steps": (1, 3, 5), "out": tmp_path / "out"}
    monkeypatch.setitem(names, "UNSEEN", 20)
    whole = names["main"](work=tmp_path / "whole", **arguments)
    check_files(tmp_path / "out", "training_time", whole)
    lines = whole["runs"]["one"]
    assert [line["step"] for line in lines] == [1, 3, 5]
    for line in lines:
        assert set(line["pearson_r"]) == {"els", "linear", "ideal"}
        for values in (*line["pearson_r"].values(), line["distance_to_nearest"], line["copies"], line["keeps"]):
            check_interval(values)
        assert line["unseen_distance"] < line["distance_to_nearest"][0]  # hardly trained, it draws noise
        assert line["copies"][0] == 0

    monkeypatch.setattr(names["files"], "write_figure", lambda *a: None)
    monkeypatch.setitem(names, "image", lambda *a: None)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("edudiff.runs.training.bar", lambda walk, total, label: stopped(walk, after=4))
        names["main"](work=tmp_path / "parts", **arguments)
    [kept] = (tmp_path / "parts").rglob("network.npz")
    assert checkpoint.load(kept).step == 4
    parts = names["main"](work=tmp_path / "parts", **arguments)
    assert parts == whole
    stamps = networks(tmp_path / "parts")
    assert names["main"](work=tmp_path / "parts", **arguments) == whole
    assert networks(tmp_path / "parts") == stamps


def stopped(walk, after):
    """The walk, with a Ctrl-C during its step number `after`."""
    for done, item in enumerate(walk, 1):
        if done == after:
            signal.raise_signal(signal.SIGINT)
        yield item


def test_the_constant_of_the_entropy_rule_is_measured_for_each_number_and_once(tmp_path, monkeypatch):
    names = script("windows_constant")
    choices = Choices(images=20, size=14, train_steps=1, denoisers=("els", "ideal"), **TINY)
    windows = denoisers.WindowSchedule([0.1, 10.0], [3, 5])
    net = nn.ResNet(channels=2, depth=1, rng=np.random.default_rng(0))
    tiny = names["rows"].Pretrained("tiny", net, choices, windows, {}, "python figures/table_agreement.py tiny")
    monkeypatch.setattr(names["rows"], "pretrained", lambda row: tiny)
    monkeypatch.setitem(names, "NATS", (1, 2.5))
    arguments = {"names": ["tiny"], "seeds": 2, "work": tmp_path / "work", "out": tmp_path / "out"}
    lines = names["main"](**arguments)
    assert json.loads((tmp_path / "out" / "windows_constant.json").read_text()) == lines
    (line,) = lines
    assert list(line["nats"]) == list(line["windows"]) == [str(nats) for nats in names["NATS"]]
    for values in (line["read_off"], *line["nats"].values()):
        check_interval(values)
    sides = np.array([line["windows"][str(nats)] for nats in names["NATS"]])  # (numbers, steps)
    assert (np.diff(sides, axis=0) <= 0).all()  # more windows compete where each is smaller
    assert (sides[0] > sides[-1]).any()
    monkeypatch.setitem(names, "draw", None)  # nothing is drawn again
    assert names["main"](**arguments) == lines


def test_targets_are_compared_on_a_law_whose_denoiser_is_known(tmp_path):
    results = script("targets")["main"](steps=3, count=50, width=4, out=tmp_path)
    check_files(tmp_path, "targets", results)
    assert len({(line["target"], line["times"]) for line in results["records"]}) == len(results["records"]) == 10
    assert all(0 < error < 100 for line in results["records"] for error in line["errors"].values())


def test_the_law_of_the_targets_is_that_of_the_toy():
    law = script("targets")["clouds"]()
    points = toys.eight_gaussians(20_000, np.random.default_rng(0))
    assert law.difference(points).frechet < 0.02
