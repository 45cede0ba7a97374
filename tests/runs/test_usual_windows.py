"""The windows that are used without a network are those that were measured, and fit the image."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import edudiff as ed
from edudiff.denoisers import Between, Patch
from edudiff.runs import Choices, sample
from edudiff.runs.usual_windows import MEASURED, usual_windows

RESULTS = Path(ed.__file__).parents[1] / "figures" / "results" / "agreement.json"


@pytest.mark.skipif(not RESULTS.exists(), reason="an installed package has no figures")
@pytest.mark.parametrize(("row", "size"), [("mnist_unet_zero", 14), ("mnist_unet_zero_28", 28)])
def test_the_windows_are_those_of_the_measured_network(row, size):
    [found] = [one for one in json.loads(RESULTS.read_text()) if one["row"] == row]
    assert found["size"] == size
    assert list(MEASURED[size]) == found["windows"]


def test_each_step_of_the_measured_grid_has_its_window():
    schedule = ed.schedule.cosine()
    table = usual_windows((28, 28), "zero")
    assert tuple(table(*schedule(t)) for t in schedule.times(20)[:-1]) == MEASURED[28]
    assert usual_windows((32, 32), "zero") == table
    assert usual_windows((16, 16), "zero").windows == tuple(MEASURED[14][::-1])


@pytest.mark.parametrize(
    ("shape", "padding", "largest"), [((8, 8), "zero", 15), ((8, 9), "circular", 7), ((5, 5), "circular", 5)]
)
def test_no_window_is_too_large_for_the_image(shape, padding, largest):
    images = np.random.default_rng(0).uniform(-1, 1, (3, *shape, 1))
    denoise = Between(Patch(images, window=1, padding=padding, backend="numpy"), usual_windows(shape, padding))
    assert max(usual_windows(shape, padding).windows) == largest
    assert np.isfinite(denoise(images, 0.01, 1.0)).all()


def test_a_formula_without_a_network_and_a_window_has_the_usual_ones(tmp_path):
    choices = Choices(images=6, size=14, steps=3, seeds=2, backend="numpy")
    images = {}
    for window in (None, 5):
        images[window] = sample(replace(choices, window=window), tmp_path, "els", progress=None)[1]["els"]
    data = ed.data.shapes.hands(6, size=14, rng=np.random.default_rng(0))
    for window, denoise in (
        (None, Between(Patch(data, window=1, backend="numpy"), usual_windows((14, 14), "zero"))),
        (5, Patch(data, window=5, backend="numpy")),
    ):
        schedule = ed.schedule.cosine()
        x = ed.reverse.start(schedule, (2, 14, 14, 1), ed.support.random.streams(0, range(2)))
        wanted = ed.reverse.sample(denoise, schedule, x, schedule.times(3))
        np.testing.assert_allclose(images[window], wanted, atol=1e-6)
