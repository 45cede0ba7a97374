"""A long run that was stopped goes on: what was drawn is not drawn again, and what is of another run is not used."""

import json
from dataclasses import replace

import numpy as np
import pytest

from edudiff.denoisers import WindowSchedule
from edudiff.runs import comparison, training
from edudiff.runs.choices import Choices
from edudiff.runs.folder import ARRAYS, NETWORK, PARTS
from edudiff.runs.parts import Parts

pytestmark = pytest.mark.usefixtures("blank_pictures")
CHOICES = Choices(images=6, channels=2, depth=1, train_steps=3, batch=4, steps=3, seeds=2, calibration=2)


@pytest.fixture
def drawn(monkeypatch):
    """The names of what is calibrated and drawn, as it happens; "stop" in the list stops the run before "local"."""
    names = []
    whole, calibrate = comparison.draw, comparison.window_schedule

    def draw(denoisers, *args, **settings):
        (name,) = denoisers
        if name == "local" and "stop" in names:
            raise KeyboardInterrupt
        names.append(name)
        return whole(denoisers, *args, **settings)

    monkeypatch.setattr(comparison, "draw", draw)
    monkeypatch.setattr(comparison, "window_schedule", lambda *args: (names.append("windows"), calibrate(*args))[1])
    return names


def test_a_run_stopped_while_it_draws_goes_on_there(tmp_path, drawn):
    wanted, images, _ = comparison.compare(CHOICES, tmp_path)
    everything = ["windows", "network", "els", "local", "linear", "ideal"]
    assert drawn == everything
    (tmp_path / PARTS).unlink()

    drawn[:] = ["stop"]
    with pytest.raises(KeyboardInterrupt):
        comparison.compare(CHOICES, tmp_path, resume=True)
    assert drawn == ["stop", *everything[:3]]
    drawn.clear()
    results, again, _ = comparison.compare(CHOICES, tmp_path, resume=True)
    assert drawn == everything[3:]
    assert results["agreement"] == wanted["agreement"]
    assert results["window_schedule"] == wanted["window_schedule"]
    assert results["draw_seconds"]["els"] > 0
    for name, batch in images.items():
        np.testing.assert_array_equal(again[name], batch)
        assert again[name].dtype == batch.dtype


def test_another_job_or_another_network_does_not_use_it(tmp_path, drawn, monkeypatch):
    comparison.compare(CHOICES, tmp_path)
    drawn.clear()
    comparison.compare(replace(CHOICES, seeds=3), tmp_path, resume=True)
    assert drawn[:3] == ["windows", "network", "els"]
    (tmp_path / NETWORK).unlink()
    new = training.new_network
    other = lambda run: new(replace(run, choices=replace(run.choices, seed=5)))  # noqa: E731
    monkeypatch.setattr(training, "new_network", other)
    drawn.clear()
    comparison.compare(replace(CHOICES, seeds=3), tmp_path)
    assert drawn[:3] == ["windows", "network", "els"]


def test_a_run_that_is_done_keeps_its_results_alone(tmp_path):
    comparison.kept(CHOICES, tmp_path)
    assert (tmp_path / ARRAYS).exists()
    assert not (tmp_path / PARTS).exists()


def test_other_windows_are_another_run(tmp_path, drawn):
    for size in (3, 3, 5):
        results, _ = comparison.kept(CHOICES, tmp_path, WindowSchedule([1.0], [size]))
        assert set(results["windows"]) == {size}
    assert drawn.count("els") == 2  # the second time they were the same


def test_a_file_that_cannot_be_read_is_made_anew(tmp_path):
    path = tmp_path / "parts.npz"
    Parts(path, {"a": 1})("x", lambda: np.arange(1000))
    whole = path.read_bytes()
    flipped = [whole[:i] + bytes([whole[i] ^ 255]) + whole[i + 1 :] for i in range(0, len(whole), 7)]
    for broken in (*flipped, whole[: len(whole) // 2], b"", b"no archive", whole[:-30]):
        path.write_bytes(broken)
        found, seconds = Parts(path, {"a": 1})("x", lambda: np.arange(3))
        assert np.array_equal(found, np.arange(3)) or (broken in flipped and np.array_equal(found, np.arange(1000)))
        assert seconds >= 0
    found, _ = Parts(path, {"a": 1})("x", lambda: pytest.fail("it is there"))
    np.testing.assert_array_equal(found, np.arange(3))
    assert Parts(path, {"a": 2})("x", lambda: np.arange(4))[0].size == 4


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "parts.npz"
    parts = Parts(path, {"a": 1})
    parts("x", lambda: np.arange(3))
    before = path.read_bytes()

    def full(file, **arrays):
        file.write(json.dumps(list(arrays)).encode())
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="No space left"):
        parts("y", lambda: np.arange(3))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
