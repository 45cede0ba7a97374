"""Checkpoints are whole or absent, and a file that is read never runs code."""

import os
import pickle

import numpy as np
import pytest

import edudiff as ed
from edudiff import nn
from edudiff.nn import checkpoint

IMAGES = np.random.default_rng(0).uniform(-1, 1, (4, 4, 4, 1)).astype(np.float32)


@pytest.fixture
def state():
    net = nn.ResNet(4, 1, rng=np.random.default_rng(0))
    states = nn.train(net, IMAGES, ed.schedule.cosine(), np.random.default_rng(0), 2, batch=4)
    next(states)
    return next(states)


def test_loaded_state_equals_the_saved_one(state, tmp_path):
    checkpoint.save(tmp_path / "c.npz", state)
    loaded = checkpoint.load(tmp_path / "c.npz")
    assert (loaded.step, loaded.losses, loaded.settings) == (state.step, state.losses, state.settings)
    assert loaded.seconds == state.seconds > 0
    assert loaded.rng.random() == state.rng.random()
    assert loaded.net.config == state.net.config
    pairs = [(loaded.adam.m, state.adam.m), (loaded.adam.v, state.adam.v)]
    pairs += [(loaded.net.parameters, state.net.parameters), (loaded.average.parameters, state.average.parameters)]
    for one, other in pairs:
        assert list(one) == list(other)
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize("keep", (0, 10, 0.5, 0.99))
def test_truncated_file_is_named(state, tmp_path, keep):
    path = tmp_path / "c.npz"
    checkpoint.save(path, state)
    data = path.read_bytes()
    path.write_bytes(data[: keep if isinstance(keep, int) else int(keep * len(data))])
    with pytest.raises(ValueError, match=r"c\.npz is not a whole edudiff checkpoint"):
        checkpoint.load(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint at .*none\.npz"):
        checkpoint.load(tmp_path / "none.npz")


def test_pickled_code_in_a_checkpoint_is_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "exploded"),)

    path = tmp_path / "bomb.npz"
    np.savez(path, header=np.array(Bomb(), dtype=object))
    for hostile in (path, tmp_path / "plain.pkl"):
        if hostile.suffix == ".pkl":
            hostile.write_bytes(pickle.dumps(Bomb()))
        with pytest.raises(ValueError, match="not a whole edudiff checkpoint"):
            checkpoint.load(hostile)
    assert not (tmp_path / "exploded").exists()


def test_checkpoint_of_another_architecture_is_refused(state, tmp_path):
    checkpoint.save(tmp_path / "c.npz", state)
    with pytest.raises(ValueError, match=r"another architecture \(channels: 4, expected 8; padding: 'zero'"):
        checkpoint.load_net(tmp_path / "c.npz", like=nn.ResNet(8, 1, padding="wrap"))


def test_array_of_another_shape_is_refused(state, tmp_path):
    state.net.parameters["out.w"] = np.zeros((3, 3, 5, 1), np.float32)
    checkpoint.save(tmp_path / "c.npz", state)
    with pytest.raises(ValueError, match=r"net/out\.w has shape \(3, 3, 5, 1\), expected \(3, 3, 4, 1\)"):
        checkpoint.load(tmp_path / "c.npz")


def test_failed_save_keeps_the_older_checkpoint_and_leaves_nothing_behind(state, tmp_path, monkeypatch):
    path = tmp_path / "c.npz"
    checkpoint.save(path, state)
    before = path.read_bytes()

    def full_disk(file, **arrays):
        file.write(b"half a file")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(path, state)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["c.npz"]
