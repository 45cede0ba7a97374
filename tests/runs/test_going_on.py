"""A run that is gone on with: its folder knows its choices and its images, and refuses others."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from edudiff import cli, data, nn
from edudiff.runs import folder as folders
from edudiff.runs import training_set
from edudiff.runs.choices import LEARNED, Choices
from edudiff.runs.run import resolve
from edudiff.runs.training import train

pytestmark = pytest.mark.usefixtures("blank_pictures")
TRAINED = ["--data", "strokes", "--images", 6, "--size", 14, "--seed", 3, "--channels", 2, "--depth", 1, "--batch", 4]
TRAINED += ["--train-steps", 4, "--padding", "circular", "--target", "x0", "--schedule", "flow"]


def run(*argv):
    return cli.main([str(a) for a in argv])


@pytest.fixture
def trained(tmp_path):
    assert run("train", *TRAINED, "--out", tmp_path / "r") == 0
    return tmp_path / "r"


def results(folder):
    return json.loads((folder / "results.json").read_text())


def test_the_folder_alone_is_enough_to_train_more_and_to_draw(trained, tmp_path):
    before = nn.checkpoint.load(trained / "network.npz")
    assert run("train", "--out", trained, "--resume") == 0  # there is nothing left to do
    assert run("train", "--out", trained, "--resume", "--train-steps", 7) == 0
    state = nn.checkpoint.load(trained / "network.npz")
    assert (state.step, state.losses[:4]) == (7, before.losses)
    assert results(trained)["train_steps"] == 7
    assert folders.recall(trained)["train_steps"] == 7  # what the next one goes on with
    assert run("sample", "--denoiser", "network", "--checkpoint", trained, "--steps", 2, "--out", tmp_path / "a") == 0
    drawn = results(tmp_path / "a")
    assert [drawn[name] for name in ("data", "images", "size", "seed")] == ["strokes", 6, 14, 3]
    more = ["--denoisers", "ideal", "--steps", 2, "--seeds", 2, "--calibration", 1]
    assert run("compare", *more, "--out", trained, "--resume") == 0
    compared = results(trained)
    for name in ("data", "padding", "target", "schedule", "train_steps"):
        assert compared[name] == folders.recall(trained)[name]
    assert (compared["steps"], compared["train_steps"]) == (2, 7)


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--seed", 4], "seed: 3 -> 4"),
        (["--data", "hands", "--target", "v"], "data: 'strokes' -> 'hands'; target: 'x0' -> 'v'"),
        (["--attention", 0], r"attention: [] -> [0]"),
        (["--train-steps", 3], "--train-steps is 3, but the saved run has done 4 already"),
        (["--quick"], "images: 6 -> 96; channels: 2 -> 24; batch: 4 -> 32"),
    ],
)
def test_a_choice_that_contradicts_the_folder_is_refused_with_both_values(argv, says, trained, capsys):
    before = {path.name: path.read_bytes() for path in trained.iterdir()}
    command = "demo" if "--quick" in argv else "train"
    assert run(command, "--out", trained, "--resume", *argv) == 2
    assert says in capsys.readouterr().err
    assert before == {path.name: path.read_bytes() for path in trained.iterdir()}


def test_a_network_draws_images_like_those_that_it_has_learned(trained, tmp_path, capsys):
    sample = ["sample", "--denoiser", "network", "--checkpoint", trained, "--out", tmp_path / "a"]
    assert run(*sample, "--size", 16) == 2
    assert "size: 14 -> 16" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_a_formula_does_not_draw_with_a_networks_folder(trained, tmp_path, capsys):
    assert run("sample", "--denoiser", "els", "--checkpoint", trained, "--out", tmp_path / "a") == 2
    assert "--checkpoint is for --denoiser network, and els draws" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_a_folder_without_a_network_is_named_and_not_made(tmp_path, capsys):
    for argv in (["train", "--out", tmp_path / "r", "--resume"], ["sample", "--denoiser", "network", "--checkpoint"]):
        assert run(*argv, *([tmp_path / "r"] if argv[-1] == "--checkpoint" else [])) == 2
        assert "holds no trained network" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()
    with pytest.raises(FileNotFoundError, match="leave out --resume"):
        train(resolve(Choices(images=4, size=14), tmp_path), resume=True)


@pytest.mark.parametrize("text", ("{", "[1]", '{"batch": "many"}', '{"denoisers": 3}'))
def test_a_damaged_file_of_choices_is_one_line(text, trained, capsys):
    (trained / folders.CHOICES).write_text(text)
    assert run("train", "--out", trained, "--resume") == 2
    error = capsys.readouterr().err
    assert error.startswith("edudiff") and error.count("\n") == 1


@pytest.fixture
def own(tmp_path):
    """Choices of a small network for images of the user's own, with classes."""
    images = np.random.default_rng(0).uniform(-1, 1, (5, 8, 8, 1)).astype("float32")
    np.savez(tmp_path / "mine.npz", images=images, labels=[0, 1, 1, 0, 2])
    made = Choices(images=5, size=None, data=str(tmp_path / "mine.npz"), by_class=True)
    return replace(made, channels=2, depth=0, batch=2, train_steps=2)


def test_a_run_keeps_the_images_that_it_has_learned(own, tmp_path):
    (tmp_path / "r").mkdir()
    train(resolve(own, tmp_path / "r"))
    images, labels = data.load(tmp_path / "r" / training_set.FILE, labels=True)
    wanted, also = data.load(own.data, labels=True)
    np.testing.assert_array_equal(images, wanted)
    np.testing.assert_array_equal(labels, also)
    assert folders.recall(tmp_path / "r")["training_set"]["shape"] == [5, 8, 8, 1]


@pytest.mark.parametrize("change", ("pixel", "label", "order"))
def test_other_images_under_the_same_name_are_refused(change, own, tmp_path):
    (tmp_path / "r").mkdir()
    train(resolve(own, tmp_path / "r"))
    with np.load(own.data) as file:
        images, labels = file["images"], file["labels"]
    if change == "pixel":
        images[3, 2, 1, 0] += 1e-6
    elif change == "label":
        labels[2] = 0
    else:
        images = images[::-1]
    np.savez(own.data, images=images, labels=labels)
    with pytest.raises(ValueError, match=r"mine\.npz has changed.*those that it learned are in .*training_set\.npz"):
        train(resolve(replace(own, train_steps=3), tmp_path / "r"), resume=True)
    np.savez(own.data, **dict(np.load(tmp_path / "r" / training_set.FILE)))
    assert train(resolve(replace(own, train_steps=3), tmp_path / "r"), resume=True).step == 3


def test_large_and_drawn_training_sets_are_named_and_not_copied(own, tmp_path, monkeypatch):
    monkeypatch.setattr(training_set, "LARGEST", 100)
    for place, choices in (("own", own), ("drawn", replace(own, data="hands", size=14, by_class=False))):
        (tmp_path / place).mkdir()
        train(resolve(choices, tmp_path / place))
        assert sorted(path.name for path in (tmp_path / place).iterdir()) == ["job.json", "network.npz"]
        assert len(folders.recall(tmp_path / place)["training_set"]["sha256"]) == 64


def test_the_folder_of_a_run_that_wrote_less_down_is_gone_on_with(trained):
    """What is not written down is not compared; the network says the rest."""
    less = {name: folders.recall(trained)[name] for name in ("data", "images", "size", "seed")}
    (trained / folders.CHOICES).write_text(json.dumps(less))
    assert run("train", *TRAINED[:-8], "--train-steps", 5, *TRAINED[-6:], "--out", trained, "--resume") == 0
    assert nn.checkpoint.load(trained / "network.npz").step == 5


def test_numbers_of_numpy_and_lists_are_choices_like_any_other(tmp_path):
    rough = {"seeds": np.int64(2), "window": np.int32(5), "rate": np.float32(0.5), "by_class": np.bool_(False)}
    rough |= {"denoisers": ["els"], "attention": [np.int64(1)], "net": np.str_("unet"), "root": tmp_path}
    made = Choices(**rough)
    assert made == Choices(**rough) and len({made, Choices(**rough)}) == 1
    assert json.loads(json.dumps(asdict(made)))["window"] == 5
    assert {type(getattr(made, name)) for name in rough} == {int, float, bool, tuple, str}
    with pytest.raises(TypeError, match="root is 5, expected a text"):
        Choices(root=5)


def test_what_a_run_has_learned_are_choices():
    assert set(LEARNED) < set(asdict(Choices()))
