"""The scripts of the figures, on tiny settings: numbers add up, pictures are written, what is done is kept."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

FIGURES = Path(__file__).parents[1] / "figures"
TINY = {"channels": 2, "train_steps": 4, "batch": 4, "seeds": 5, "steps": 3, "calibration": 2}


def script(name):
    return runpy.run_path(str(FIGURES / f"{name}.py"))


def stamps(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.npz")}


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
