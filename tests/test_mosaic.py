"""The figure of the patch mosaic: ELS pictures are made of many training pictures, ideal ones of one."""

import json
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from edudiff.runs.run import resolve

FIGURES = Path(__file__).parents[1] / "figures"


def test_a_mosaic_is_of_many_pictures_and_the_ideal_one_of_one(tmp_path):
    mosaic = runpy.run_path(str(FIGURES / "mosaic.py"))
    job = replace(mosaic["JOBS"]["hands"], images=20, seeds=2)
    found = mosaic["main"](job, out=tmp_path)["mosaics"]
    assert found["ideal"] == pytest.approx(
        {"training_images": 1, "largest_tile": 256, "moved": 0, "leading_weight": 1, "pixels": 256}
    )
    assert found["els"]["training_images"] > 5
    assert found["els"]["moved"] > 0.3
    assert {path.name for path in tmp_path.iterdir()} == {"mosaic.json", "mosaic.png"}


def test_its_windows_are_those_of_its_row_at_every_step():
    mosaic = runpy.run_path(str(FIGURES / "mosaic.py"))
    run = resolve(mosaic["JOBS"]["hands"])
    table = mosaic["calibrated"](run)
    lines = json.loads((FIGURES / "results" / "agreement.json").read_text())
    [row] = [line["windows"] for line in lines if line["row"] == mosaic["ROWS"]["hands"]]
    assert [table(*run.schedule(t)) for t in run.times[:-1].tolist()] == row
    assert row[0] > row[-1]
