"""A run is resolved once: its choices go through few functions, and its data are made or read a single time."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from traced import entered

from edudiff import data, nn
from edudiff.runs import choices as names
from edudiff.runs.choices import Choices
from edudiff.runs.comparison import compare, sample
from edudiff.runs.run import Run, noise, read_range, resolve
from edudiff.support.random import streams

pytestmark = pytest.mark.usefixtures("blank_pictures")
TINY = Choices(images=6, size=14, channels=2, depth=1, train_steps=2, batch=4, steps=3, seeds=2, calibration=1)


@pytest.fixture
def labeled(tmp_path):
    """Three images with their classes, in a file."""
    images = np.random.default_rng(0).uniform(-1, 1, (3, 14, 14, 1)).astype("float32")
    np.savez(tmp_path / "mine.npz", images=images, labels=[0, 2, 1])
    tiny = replace(TINY, images=3, size=None, denoisers=("els", "linear"))
    return replace(tiny, data=str(tmp_path / "mine.npz"), by_class=True)


def test_the_choices_of_a_run_enter_few_functions(tmp_path, labeled):
    """The choices, or the run that carries them, as an argument: at most 15 functions of the package."""
    for place, choices in (("drawn", TINY), ("read", labeled)):
        found = entered(lambda p=place, c=choices: compare(c, tmp_path / p), lambda v: isinstance(v, Choices | Run))
        assert len(found) <= 15, sorted(found)
        alone = entered(lambda p=place, c=choices: compare(c, tmp_path / f"{p}2"), lambda v, c=choices: v is c)
        assert len(alone) <= 5, sorted(alone)


@pytest.fixture
def counted(monkeypatch):
    """Counts calls: of the drawing of hands, of the reading of files, of the making of a time grid."""
    calls = {"hands": 0, "load": 0}

    def count(name, function):
        def counting(*args, **settings):
            calls[name] += 1
            return function(*args, **settings)

        return counting

    monkeypatch.setitem(names.DRAWN, "hands", count("hands", data.shapes.hands))
    monkeypatch.setattr(data, "load", count("load", data.load))
    return calls


def test_hands_are_drawn_once(tmp_path, counted):
    compare(TINY, tmp_path)
    assert counted == {"hands": 1, "load": 0}


def test_images_and_labels_are_read_once_and_together(tmp_path, labeled, counted):
    compare(labeled, tmp_path)
    assert counted == {"hands": 0, "load": 1}


def test_a_run_holds_what_its_choices_stand_for(labeled):
    run = resolve(labeled)
    np.testing.assert_array_equal(run.labels, [0, 2, 1])
    np.testing.assert_array_equal(run.classes, [0, 1])
    np.testing.assert_array_equal(run.times, run.schedule.times(3))
    assert run.schedule.name == "cosine"
    for b, rng in enumerate(streams(0, 2)):
        np.testing.assert_allclose(run.noise[b], run.schedule(1.0)[1] * rng.standard_normal((14, 14, 1)))
    assert run.noise.dtype == np.float64
    later = noise(run.schedule, 0, range(1, 2), run.images)
    np.testing.assert_array_equal(later, run.noise[1:])
    with pytest.raises(FrozenInstanceError):
        run.times = None


def test_a_run_and_its_choices_say_what_they_are(tmp_path):
    assert repr(Choices()) == "Choices()"
    assert repr(replace(Choices(), images=6, net="unet")) == "Choices(images=6, net='unet')"
    said = repr(resolve(replace(TINY, backend="numpy"), tmp_path))
    assert "images=(6, 14, 14, 1)" in said and "backend='numpy'" in said and f"folder='{tmp_path}'" in said


def test_workers_read_the_same_images_in_parts():
    whole = resolve(TINY).images
    np.testing.assert_array_equal(np.concatenate([read_range(TINY, 0, 2), read_range(TINY, 2, 6)]), whole)


def test_drawing_with_the_network_and_with_a_formula_begin_alike(tmp_path):
    compare(TINY, tmp_path)
    for name in ("network", "linear"):
        results, images = sample(TINY, tmp_path, name, progress=None)
        assert images[name].shape == (2, 14, 14, 1)
        assert (results["images"], results["size"]) == (6, 14)
    assert isinstance(nn.checkpoint.load_net(tmp_path / "network.npz"), nn.ResNet)


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"images": 0}, ValueError, "images is 0, expected an integer >= 1"),
        ({"images": 2.5}, TypeError, "images is 2.5"),
        ({"seed": -1}, ValueError, "seed is -1, expected an integer >= 0"),
        ({"rate": 0}, ValueError, "rate is 0"),
        ({"window": 4}, ValueError, "expected an odd integer"),
        ({"padding": "reflect"}, ValueError, "padding is 'reflect', expected one of 'zero', 'circular'"),
        ({"embedding": "none"}, ValueError, "embedding is 'none'"),
        ({"denoisers": ("els", "best")}, ValueError, "denoisers is 'best'"),
        ({"attention": (-1,)}, ValueError, "a value of attention is -1"),
        ({"by_class": True}, ValueError, "hands have no classes"),
    ],
)
def test_choices_out_of_range_are_refused(settings, error, says):
    with pytest.raises(error, match=says):
        Choices(**settings)
