"""The scripts of the figures, on tiny settings: numbers add up, pictures are written, what is done is kept."""

import json
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

FIGURES = Path(__file__).parents[1] / "figures"
TINY = {"channels": 2, "train_steps": 4, "batch": 4, "seeds": 5, "steps": 3, "calibration": 2}


def script(name):
    return runpy.run_path(str(FIGURES / f"{name}.py"))


def stamps(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.npz")}


def test_fingers_are_counted_by_window_and_by_receptive_field(tmp_path):
    fingers = script("fingers")
    work, out = tmp_path / "work", tmp_path / "out"
    found = fingers["main"](replace(fingers["BASE"], images=12, **TINY), (0.5, 3.0), (0, 2), work, out)
    assert json.loads((out / "fingers.json").read_text()) == json.loads(json.dumps(found))
    assert found["training"] == found["training"] | {"counts": {"5": 12}}
    assert found["training"]["wrong"]["value"] == 0
    assert [line["receptive_field"] for line in found["by_field"]] == [5, 9]
    narrow, wide = (np.array(line["windows"]) for line in found["by_window"])
    assert (narrow >= 1).all()
    assert wide.sum() > narrow.sum()
    for line in (*found["by_window"], *found["by_field"]):
        shares = line["els"]
        assert sum(shares["counts"].values()) == 5
        assert shares["wrong"]["value"] == pytest.approx(shares["more"]["value"] + shares["fewer"]["value"])
        assert line["same"]["low"] <= line["same"]["value"] <= line["same"]["high"]
    assert {path.name for path in out.glob("*.png")} == {"fingers.png", "fingers_curves.png"}


def test_agreement_is_measured_while_training_goes_on(tmp_path):
    training_time = script("training_time")
    work, out = tmp_path / "work", tmp_path / "out"
    jobs = {"few": replace(training_time["MANY"], images=6, **TINY)}
    found = training_time["main"](jobs, (1, 2, 4), work, out)
    lines = found["runs"]["few"]["lines"]
    assert [line["step"] for line in lines] == [1, 2, 4]
    assert {"r_els", "r_linear", "r_ideal", "distance", "windows"} <= set(lines[0])
    assert lines[0] != lines[2] | {"step": 1}
    (work / "0" / "step-4.npz").unlink()  # stopped after step 2
    before = stamps(work)
    assert training_time["main"](jobs, (1, 2, 4), work, out) == found
    assert before.items() < stamps(work).items()


def test_a_mosaic_is_of_many_pictures_and_the_ideal_one_of_one(tmp_path):
    mosaic = script("mosaic")
    job = replace(mosaic["JOBS"]["hands"], images=20, seeds=2)
    found = mosaic["main"](job, out=tmp_path)["mosaics"]
    assert found["ideal"] == pytest.approx(
        {"training_pictures": 1, "largest_tile": 256, "moved": 0, "leading_weight": 1, "pixels": 256}
    )
    assert found["els"]["training_pictures"] > 5
    assert found["els"]["moved"] > 0.3
    assert {path.name for path in tmp_path.iterdir()} == {"mosaic.json", "mosaic.png"}
