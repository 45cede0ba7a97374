"""The prediction is written down before the network is trained, and knows nothing of it."""

from dataclasses import replace

import numpy as np
import pytest

from edudiff.data import shapes
from edudiff.denoisers import Patch
from edudiff.runs import comparison, prediction
from edudiff.runs import folder as folders
from edudiff.runs.choices import Choices
from edudiff.runs.formulas import alone
from edudiff.runs.run import resolve

blank = pytest.mark.usefixtures("blank_pictures")
CHOICES = Choices(
    images=24,
    channels=2,
    depth=1,
    train_steps=4,
    batch=4,
    steps=4,
    seeds=3,
    calibration=2,
    denoisers=("els", "predicted", "held_out"),
)


def test_it_lies_in_the_folder_before_the_first_step_of_training(tmp_path, monkeypatch):
    def stopped(*args, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(comparison, "train", stopped)
    with pytest.raises(KeyboardInterrupt):
        comparison.compare(CHOICES, tmp_path)
    assert not (tmp_path / folders.NETWORK).exists()
    with np.load(tmp_path / folders.PREDICTION) as file:
        assert file["predicted 0"].shape == file["held_out 0"].shape == (3, 16, 16, 1)
    if prediction.report.has_matplotlib():
        assert (tmp_path / folders.PREDICTED).stat().st_size > 1000


def test_the_first_columns_are_shown_before_the_other_seeds_are_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(prediction, "SHOWN", 2)
    told, whole = [], prediction.draw

    def draw(denoisers, *args, **settings):
        told.append(len(args[1]))
        return whole(denoisers, *args, **settings)

    monkeypatch.setattr(prediction, "draw", draw)
    run = replace(resolve(CHOICES), folder=tmp_path)
    made = prediction.Prediction(run, alone, told.append)
    assert [n for n in told if isinstance(n, int)] == [2, 2, 1, 1]
    assert isinstance(told[2], str)
    assert folders.PREDICTED in told[2] or folders.PREDICTION in told[2]
    assert made.images["predicted"].shape == (3, 16, 16, 1)
    monkeypatch.setattr(prediction, "SHOWN", 10)
    together = prediction.Prediction(replace(run, choices=replace(CHOICES, rate=1.0)), alone).images
    for name, batch in together.items():
        np.testing.assert_allclose(made.images[name], batch, atol=1e-5)


@blank
def test_another_training_has_the_same_prediction_and_goes_on_with_it(tmp_path, monkeypatch):
    _, first, _ = comparison.compare(CHOICES, tmp_path / "a")
    results, second, _ = comparison.compare(replace(CHOICES, rate=1e-4, channels=3), tmp_path / "b")
    for name in ("predicted", "held_out"):
        np.testing.assert_array_equal(first[name], second[name])
    assert abs(first["network"] - second["network"]).max() > 1e-3
    assert set(results["agreement"]) == {"els", "predicted", "held_out"}
    assert [point["step"] for point in results["prediction"]["curve"]] == [1, 2, 3, 4]
    last = results["prediction"]["curve"][-1]["predicted"]
    assert last == pytest.approx(results["agreement"]["predicted"]["pearson_r"], abs=1e-6)

    def never(*args, **settings):
        raise AssertionError("drawn again")

    monkeypatch.setattr(prediction, "window_schedule", never)
    monkeypatch.setattr(prediction, "draw", never)
    more = replace(CHOICES, rate=1e-4, channels=3)
    prediction.Prediction(replace(resolve(more), folder=tmp_path / "b"), alone)


@blank
@pytest.mark.parametrize("rule", ["predicted", "held_out"])
def test_els_may_use_its_windows_and_nothing_is_calibrated(tmp_path, monkeypatch, rule):
    monkeypatch.setattr(comparison, "_calibrated", None)
    results, images, _ = comparison.compare(replace(CHOICES, windows=rule), tmp_path)
    np.testing.assert_allclose(images["els"], images[rule], atol=1e-6)
    assert results["windows"] == results["prediction"]["windows"][rule]


def test_windows_may_be_predicted_without_drawing_the_prediction(tmp_path):
    results, images, _ = comparison.compare(replace(CHOICES, windows="predicted", denoisers=("els",)), tmp_path)
    assert "prediction" not in results
    assert list(images) == ["network", "els", "nearest"]
    assert len(results["windows"]) == 4


def test_no_query_is_among_the_images_of_the_formula(monkeypatch, tmp_path):
    seen = []

    def rule(patch, x0, noise, schedule, times, largest, progress):
        seen.append((patch.images, x0, largest))
        raise InterruptedError

    monkeypatch.setitem(prediction.FUNCTIONS, "predicted", rule)
    run = resolve(CHOICES)
    with pytest.raises(InterruptedError):
        prediction.window_schedule(run, "predicted")
    [(images, x0, largest)] = seen
    assert len(images) == 22
    assert largest == 7  # what a ResNet of one block sees
    assert min(abs(images - one).max() for one in x0) > 0.1
    with pytest.raises(ValueError, match="1 images are too few for windows that are predicted"):
        prediction.window_schedule(replace(run, images=run.images[:1]), "predicted")


@blank
def test_each_query_is_asked_of_the_formula_of_its_own_class(tmp_path, monkeypatch):
    hands = shapes.hands(40, size=14, rng=np.random.default_rng(0)).astype("float32")
    labels = np.arange(40) % 2
    np.savez(tmp_path / "mine.npz", images=np.where(labels[:, None, None, None] == 1, hands, -hands), labels=labels)
    choices = replace(CHOICES, data=str(tmp_path / "mine.npz"), images=40, size=None, by_class=True)
    results, images, _ = comparison.compare(choices, tmp_path / "out")
    assert images["predicted"].shape == (3, 14, 14, 1)
    assert np.isfinite(results["agreement"]["predicted"]["pearson_r"])
    seen = []

    def rule(patch, x0, *args, **settings):
        seen.append((patch, x0))

    run = resolve(choices)
    for name in prediction.FUNCTIONS:
        monkeypatch.setitem(prediction.FUNCTIONS, name, rule)
        prediction.window_schedule(run, name)
    (patch, x0), (lone, images) = seen
    np.testing.assert_array_equal(patch.labels, np.where(x0.mean((1, 2, 3)) < 0, 1, 0))  # hands are on black
    for label in (0, 1):
        used = patch.conditional(label).used
        assert used.max() < 36
        np.testing.assert_array_equal(labels[used], label)
    answer = lone.sweep(images, 1.0, 0.01, [1])[1]  # the value of a pixel, which hands of one class have, not the other
    np.testing.assert_allclose(answer, images, atol=0.1)
    np.testing.assert_array_equal(labels[lone.left_out], np.where(images.mean((1, 2, 3)) < 0, 1, 0))


def test_held_out_each_query_is_answered_by_all_other_training_images(monkeypatch):
    seen = []
    monkeypatch.setitem(prediction.FUNCTIONS, "held_out", lambda patch, x0, *args, **settings: seen.append((patch, x0)))
    run = resolve(CHOICES)
    prediction.window_schedule(run, "held_out")
    [(patch, x0)] = seen
    assert len(x0) == prediction.QUERIES
    alpha, sigma = 0.8, 0.6
    answer = patch.sweep(x0, alpha, sigma, [5])[5]
    for i, n in enumerate(patch.left_out):
        np.testing.assert_array_equal(run.images[n], x0[i])
        others = Patch(np.delete(run.images, n, 0), window=5)
        np.testing.assert_allclose(answer[i : i + 1], others(x0[i : i + 1], alpha, sigma), atol=1e-4)


@blank
@pytest.mark.parametrize("rule", prediction.FUNCTIONS)
def test_windows_are_found_on_the_device_too(any_cupy, rule):
    run = resolve(replace(CHOICES, images=6, size=14, steps=2))
    there = replace(run, images=any_cupy.asarray(run.images), backend="cupy")
    found, expected = (prediction.window_schedule(one, rule).to_dict() for one in (there, run))
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=0.02)
