"""The command line, as a user meets it: what it prints, what it writes, what it says when something is wrong."""

import importlib.util
import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import edudiff as ed
from edudiff import cli, denoisers
from edudiff.nn import checkpoint
from edudiff.runs import comparison
from edudiff.runs.choices import Choices
from edudiff.sampling import guided
from edudiff.support.random import streams

TINY = ["--images", "12", "--size", "14", "--channels", "4", "--depth", "1", "--train-steps", "6", "--batch", "8"]
DRAW = ["--seeds", "3", "--steps", "3", "--calibration", "2"]
DRAWS = importlib.util.find_spec("matplotlib") is not None  # without it a run writes its numbers and no picture


def run(*argv):
    return cli.main([str(a) for a in argv])


def is_picture(path):
    return path.exists() and path.read_bytes().startswith(b"\x89PNG")


def results(folder):
    return json.loads((folder / "results.json").read_text())


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "hands"
    assert run("compare", *TINY, *DRAW, "--out", folder) == 0
    return folder


def test_compare_writes_the_numbers_the_picture_and_the_command(compared):
    found = results(compared)
    expected = {"data": "hands", "images": 12, "size": 14, "steps": 3, "seeds": 3, "seed": 0}
    assert {key: found[key] for key in expected} == expected
    assert found["command"].startswith("edudiff compare --images 12")
    assert len(found["windows"]) == 3
    assert all(1 <= size <= 7 for size in found["windows"])
    assert set(found["agreement"]) == {"els", "local", "linear", "ideal"}
    for row in found["agreement"].values():
        assert {"pearson_r", "r_squared", "r2_score", "beats_ideal"} <= set(row)
    assert set(found["draw_seconds"]) == {"network", "els", "local", "linear", "ideal"}
    assert found["train_seconds"] > 0
    assert found["fingers"]["training"] == {"5": 12}
    assert sum(found["fingers"]["network"].values()) == 3
    assert 0 <= found["fingers"]["same_count"] <= 1
    assert found["finger_agreement"]["els"]["same_count"] == found["fingers"]["same_count"]
    assert is_picture(compared / "picture.png") == DRAWS
    assert checkpoint.load(compared / "network.npz").step == 6


def test_same_command_gives_the_same_numbers_again(compared, tmp_path):
    assert run("compare", *TINY, *DRAW, "--out", tmp_path) == 0
    assert results(tmp_path)["agreement"] == results(compared)["agreement"]


def test_backends_draw_the_same_pictures(compared, tmp_path):
    pytest.importorskip("numba")
    for backend in ("numpy", "numba"):
        assert run("compare", *TINY, *DRAW, "--out", tmp_path / backend, "--backend", backend) == 0
    one, other = (results(tmp_path / b)["agreement"]["els"]["per_seed"] for b in ("numpy", "numba"))
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_train_sample_and_resume(tmp_path, capsys):
    assert run("train", *TINY, "--out", tmp_path / "net") == 0
    assert results(tmp_path / "net")["train_steps"] == 6
    sample = ["sample", *TINY[:4], "--seeds", 2, "--steps", 2]
    assert run(*sample, "--denoiser", "network", "--checkpoint", tmp_path / "net", "--out", tmp_path / "a") == 0
    assert run(*sample, "--denoiser", "local", "--window", 3, "--out", tmp_path / "b") == 0
    assert is_picture(tmp_path / "a" / "picture.png") == DRAWS
    assert run("train", *TINY, "--out", tmp_path / "net", "--resume") == 0
    before = (tmp_path / "net" / "network.npz").read_bytes()
    assert run("train", *TINY, "--seed", 1, "--out", tmp_path / "net") == 2
    assert "holds a trained network; add --resume" in capsys.readouterr().err
    assert (tmp_path / "net" / "network.npz").read_bytes() == before
    assert run("train", *TINY, "--rate", 0.5, "--out", tmp_path / "net", "--resume") == 2
    assert "holds a run with other choices (rate: 0.003 -> 0.5)" in capsys.readouterr().err
    assert run("train", *TINY, "--seed", 1, "--out", tmp_path / "net", "--resume") == 2
    assert "holds a run with other choices (seed: 0 -> 1)" in capsys.readouterr().err


def test_train_prints_the_command_that_draws_what_was_learned(tmp_path, capsys):
    assert run("train", *TINY, "--data", "strokes", "--out", tmp_path / "net") == 0
    said = capsys.readouterr().out.splitlines()[-1].split()
    assert said[:2] == ["edudiff", "sample"]
    assert run(*said[1:], "--seeds", 2, "--steps", 2, "--out", tmp_path / "drawn") == 0
    found = results(tmp_path / "drawn")
    assert (found["data"], found["images"], found["size"]) == ("strokes", 12, 14)


def test_the_report_says_nothing_of_what_was_not_drawn(tmp_path, capsys):
    assert run("compare", *TINY, *DRAW, "--denoisers", "linear", "--out", tmp_path) == 0
    said = capsys.readouterr().out
    assert "linear " in said
    assert "than ideal" not in said
    assert "same count" not in said


def test_interrupted_training_leaves_a_checkpoint_and_says_how_to_resume(tmp_path):
    out, begun = tmp_path / "run", tmp_path / "begun"
    words = ["train", *TINY[:-4], "--train-steps", "100000", "--batch", "8", "--out", str(out), "--backend", "numpy"]
    code = f"""
import sys
from pathlib import Path
from edudiff import cli
from edudiff.nn import training
step = training.update_ema
def told(*given):
    step(*given)
    if given[-1] == 3:
        Path({str(begun)!r}).touch()
training.update_ema = told
sys.exit(cli.main({words!r}))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 120
    while not begun.exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"--out {out}" in errors
    assert "--resume" in errors
    assert "Traceback" not in errors
    step = checkpoint.load(out / "network.npz").step
    assert 0 < step < 100_000
    assert sorted(p.name for p in out.iterdir()) == ["job.json", "network.npz"]
    assert run("train", *TINY[:-4], "--train-steps", "100000", "--batch", "8", "--out", out) == 2  # would overwrite it


@pytest.mark.parametrize(
    ("argv", "says"),
    (
        (
            ["--data", "nowhere"],
            "--data is 'nowhere', expected hands, raised_hands, strokes, faces, mnist, fashion_mnist, cifar10",
        ),
        (["--data", "hnads"], "did you mean hands?"),
        (["--images", 0], "--images is 0, expected an integer >= 1"),
        (["--images", "many"], "--images is 'many', expected an integer"),
        (["--rate", "fast"], "--rate is 'fast', expected a number"),
        (["--rate", "-1e-3"], "--rate is -0.001, expected a finite number > 0"),
        (["--by-class=yes"], "--by-class is a switch and has no value"),
        (["--data", "MNIST"], "did you mean mnist?"),
        (["--window", 4], "--window is 4, expected an odd integer"),
        (["--steps", 0], "--steps is 0"),
        (["--nett", "unet"], "there is no option --nett; did you mean --net?"),
        (["--qqqqq"], "there is no option --qqqqq; see `edudiff compare --help`"),
        (["--net", "unt"], "--net is 'unt', expected one of resnet, unet; did you mean unet?"),
        (["--denoisers", "els", "lokal"], "--denoisers is 'lokal', expected one of els, predicted, held_out, local, "),
        (["more"], "'more' is one word too many"),
        (["--padding", "circular", "--window", 15], "may not be larger"),
        (["--resume"], "--resume needs --out"),
        (["--train-steps", 10**40], "--train-steps is 1e+40, expected an integer <= 1,000,000,000,000"),
        (["--batch", 10**9], "--batch is 1e+09, expected an integer <= 100,000,000"),
        (["--rate", 1e300], "--rate is 1e+300, expected a number <= 1e+06"),
        (["--out", ""], "--out is '', expected the name of a folder"),
        (["--data", ""], "--data is '', expected hands"),
        (["--size", 5], "size"),
        (["--size", 0], "--size is 0, expected an integer >= 1"),
        (["--seed", -1], "--seed is -1, expected an integer >= 0"),
        (["--padding", "circular", "--window", 99], "use a smaller size or --padding zero"),
    ),
)
def test_bad_input_is_one_line(argv, says, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("compare", *TINY, *DRAW, *argv) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.startswith("edudiff") and error.count("\n") == 1
    assert "Traceback" not in error
    assert "training" not in error  # it failed before the long work, not after


@pytest.mark.parametrize("size", (0, 4))
def test_a_window_has_a_center_pixel_when_drawing_too(size, tmp_path, capsys):
    assert run("sample", *TINY[:4], "--seeds", 1, "--window", size, "--out", tmp_path / "new") == 2
    assert f"--window is {size}, expected an odd integer" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_unwritable_folder_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert run("demo", "--out", tmp_path / "file") == 2
    assert "cannot write to the folder" in capsys.readouterr().err


def test_info_says_what_is_here(capsys):
    assert run("info") == 0
    said = capsys.readouterr().out
    assert f"numpy          {np.__version__}" in said
    assert "data is looked for in" in said


def test_warm_says_what_it_compiled_and_where_that_is_kept(capsys, monkeypatch):
    pytest.importorskip("numba")
    from edudiff.bench import warm

    assert {"a ResNet", "local scores, color, numba"} <= {name for name, _ in warm.works()}
    done = []
    monkeypatch.setattr(warm, "works", lambda: [("a thing", lambda: done.append(1))])
    assert run("warm") == 0
    first, last = capsys.readouterr().out.splitlines()
    assert done == [1] and first.endswith(" s  a thing") and last.startswith("kept in ")


def test_default_folders_do_not_overwrite_each_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert run("sample", *TINY[:4], "--denoiser", "ideal", "--seeds", 1, "--steps", 2) == 0
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == ["sample", "sample-2"]


def test_a_unet_and_formulas_are_told_the_class(tmp_path):
    """A class of one picture: what copies draws that picture, whether or not there are as many seeds as classes."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "mine.npz", images=rng.uniform(-1, 1, (3, 8, 8, 1)).astype("float32"), labels=[0, 2, 1])
    options = ["--net", "unet", "--channels", 2, "--depth", 1, "--train-steps", 2, "--batch", 4, "--by-class"]
    options += ["--data", tmp_path / "mine.npz", "--images", 3, "--denoisers", "els", "linear", "masked", "ideal"]
    options += ["composite", "smoothed"]
    assert run("compare", *options, "--seeds", 4, "--steps", 3, "--calibration", 2, "--out", tmp_path / "out") == 0
    with np.load(tmp_path / "mine.npz") as file, np.load(tmp_path / "out" / "images.npz") as drawn:
        for name in ("linear", "masked", "ideal", "composite", "smoothed"):
            np.testing.assert_allclose(drawn[name], file["images"][[0, 2, 1, 0]], atol=1e-5)
    assert results(tmp_path / "out")["by_class"]


def test_guidance_goes_beyond_the_answer_of_each_class(tmp_path, capsys):
    """The same noise, guided by hand: 3 times the class's linear answer less 2 times that of all images."""
    images = np.random.default_rng(0).uniform(-1, 1, (12, 8, 8, 1)).astype("float32")
    labels = np.arange(12) % 2
    np.savez(tmp_path / "mine.npz", images=images, labels=labels)
    options = ["--data", tmp_path / "mine.npz", "--denoiser", "linear", "--seeds", 2, "--steps", 4]
    assert run("sample", *options, "--by-class", "--guidance", 2, "--out", tmp_path / "out") == 0
    of_class = denoisers.ByLabel(lambda label: denoisers.Linear.fit(images[labels == label]), [0, 1])
    denoise, schedule = guided(of_class, denoisers.Linear.fit(images), 3.0), ed.schedule.cosine()
    x = ed.reverse.start(schedule, (2, 8, 8, 1), streams(0, 2))
    expected = ed.reverse.sample(denoise, schedule, x, schedule.times(4))
    _, drawn = comparison.sample(
        Choices(data=str(tmp_path / "mine.npz"), images=12, size=None, by_class=True, seeds=2, steps=4),
        tmp_path / "out",
        "linear",
        guidance=2.0,
    )
    np.testing.assert_allclose(drawn["linear"], expected, atol=1e-6)
    assert run("sample", *options, "--guidance", 2, "--out", tmp_path / "no") == 2
    assert "without classes to be guided to; add --by-class" in capsys.readouterr().err
    assert run("sample", *options, "--by-class", "--guidance", "inf", "--out", tmp_path / "no") == 2
    assert not (tmp_path / "no").exists()


def test_classes_need_labels(capsys):
    assert run("compare", *TINY, "--by-class") == 2
    assert "hands have no classes" in capsys.readouterr().err


def test_a_command_that_leads_to_others_shows_its_help(capsys):
    for argv in ([], ["course"], ["architecture"]):
        assert run(*argv) == 0
        said = capsys.readouterr()
        assert said.out.startswith(" ".join(["usage: edudiff", *argv]))
        assert said.err == ""


@pytest.mark.parametrize(
    ("argv", "says"),
    (
        (["compar"], "edudiff: 'compar' is no command, expected one of demo, compare"),
        (["compar"], "did you mean compare?"),
        (["--foo"], "edudiff: there is no option --foo; see `edudiff --help`"),
        (["course", "chek"], "edudiff course: 'chek' is no command, expected one of build, check, grade"),
        (["architecture", "face"], "'face' is no experiment, expected one of points, faces; did you mean faces?"),
        (["fetch", "minst"], "expected one of mnist, fashion_mnist, cifar10; did you mean mnist?"),
        (["sample", "--denoiser", "elz"], "--denoiser is 'elz', expected one of network, els"),
        (["bench", "--cases", "patch_4"], "edudiff: --cases is 'patch_4', expected one of 'patch_3'"),
        (["course", "grade", "x", "--jobs", "many"], "--jobs is 'many', expected an integer"),
        (["course", "grade", "x", "--seconds", "few"], "--seconds is 'few', expected a number"),
        (
            ["compare", "--attention", "0", "9"],
            "--attention is 0 9, expected numbers of residual blocks, below depth = 2",
        ),
        (["train", "--net", "unet", "--attention", "3"], "--attention is 3, expected numbers of scales, below 3"),
        (["train", "--window", 3], "edudiff train: there is no option --window"),
        (["architecture", "faces", "--data", "hands"], "--data is 'hands', expected faces, mnist"),
    ),
)
def test_a_misspelled_word_is_met_with_what_there_is(argv, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*argv) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
