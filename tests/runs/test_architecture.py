"""The experiments of `edudiff architecture`: what they write, that they go on where they stopped, what they refuse."""

import json
import signal
from dataclasses import replace

import numpy as np
import pytest

from edudiff import cli
from edudiff.runs import points, training, variants
from edudiff.support.files import open_folder

SMALL = points.Points(points=60, steps=4, train_steps=5, batch=8, draws=20)
TINY = variants.Variants(images=12, train_steps=3, batch=4, drawn=6, steps=2, draws=20, variants=("base", "scales_1"))


def test_points_measures_every_denoiser_and_the_ideal_one_copies():
    results, samples = points.run(replace(SMALL, steps=20), sets=("ring",))
    names = ["data", "ideal", "linear", "polynomial_3", "polynomial_5"]
    names += ["bottleneck_1", "bottleneck_eps", "mlp_small", "mlp_large"]
    assert list(results["table"]["ring"]) == list(samples["ring"]) == names
    table = results["table"]["ring"]
    assert table["ideal"]["ratio"]["value"] < 0.05
    assert table["linear"]["off_the_law"]["covariance"] < 0.5
    assert np.linalg.matrix_rank(table["bottleneck_1"]["law"]["covariance"], tol=1e-6) == 1
    narrow, wide = np.linalg.eigvalsh(table["bottleneck_eps"]["law"]["covariance"])
    assert narrow < 1 < 1000 < wide  # along one direction the noise at the start is never taken away
    assert table["polynomial_5"]["diverged"] < 0.2
    for row in table.values():
        assert row["energy"]["low"] <= row["energy"]["high"] and row["sliced_wasserstein"]["value"] > 0


def test_the_command_writes_numbers_and_picture(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(points, "SETS", {"ring": points.toys.ring})
    monkeypatch.setattr(points.run, "__defaults__", (("ring",), points.silent))
    argv = ["architecture", "points", "--points", "40", "--steps", "3", "--train-steps", "3", "--draws", "20"]
    assert cli.main([*argv, "--out", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["command"].startswith("edudiff architecture points --points 40")
    assert found["points"] == 40 and found["table"]["ring"]["linear"]["mean"]
    assert (tmp_path / "results.png").read_bytes().startswith(b"\x89PNG")
    assert "sliced_wasserstein" in capsys.readouterr().out


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    return folder, variants.experiment(TINY, folder, folder, "a command")


def test_faces_measures_every_variant_against_the_rules(made):
    folder, results = made
    assert list(results["table"]) == ["unseen", "ideal", "base", "scales_1"]
    for name in ("unseen", "ideal"):
        assert {rule: share["value"] for rule, share in results["table"][name]["breaks"].items()} == dict.fromkeys(
            ("eyes", "mouth", "skin", "outline", "any"), 0
        )
    assert results["table"]["base"]["breaks"]["any"]["value"] == 1  # three steps of training
    assert results["table"]["base"]["settings"]["channels"] == [16, 32, 64, 64, 64]
    assert results["table"]["base"]["parameters"] > results["table"]["scales_1"]["parameters"]
    assert (folder / "results.png").read_bytes().startswith(b"\x89PNG")


def test_a_second_run_measures_nothing_again(made, monkeypatch):
    folder, results = made
    monkeypatch.setattr(variants, "draw", None)
    again = variants.experiment(TINY, folder, folder, "a command")
    assert again["table"] == results["table"]


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(made, tmp_path, monkeypatch):
    """Ctrl-C after the second step of training."""
    stopping = training.bar

    def stop(states, left, label):
        for state in stopping(states, left, label):
            yield state
            if state.step == 2:
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("edudiff.runs.training.bar", stop)
    with pytest.raises(KeyboardInterrupt):
        variants.experiment(replace(TINY, variants=("base",)), tmp_path, tmp_path, "a command")
    monkeypatch.undo()
    assert (tmp_path / "base" / "network.npz").exists()
    again = variants.experiment(replace(TINY, variants=("base",)), tmp_path, tmp_path, "a command")
    whole = made[1]["table"]["base"]
    assert {k: v for k, v in again["table"]["base"].items() if k != "seconds"} == {
        k: v for k, v in whole.items() if k != "seconds"
    }


def test_a_folder_keeps_one_run(made):
    with pytest.raises(ValueError, match=r"other choices \(steps: 2 -> 3\)"):
        variants.experiment(replace(TINY, steps=3), made[0], made[0], "a command")


def test_real_pictures_have_no_rules(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (18, 12, 12, 1), dtype=np.uint8)
    np.save(tmp_path / "some.npy", images)
    choices = replace(TINY, data=str(tmp_path / "some.npy"), size=8, variants=("scales_1",))
    results, drawn = variants.run(choices, open_folder(tmp_path / "run"), *variants.load_images(choices))
    assert "breaks" not in results["table"]["scales_1"]
    assert drawn["scales_1"].shape == (6, 8, 8, 1)
    assert results["table"]["ideal"]["ratio"]["value"] < 0.5


def test_every_variant_differs_from_the_base_in_one_thing():
    assert len(variants.VARIANTS) >= 8
    for name, change in variants.VARIANTS.items():
        assert len(change) == (name != "base")
        assert all(variants.BASE[key] != value for key, value in change.items())


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: points.Points(points=3), ValueError, "points is 3"),
        (lambda: points.Points(draws=5), ValueError, "draws is 5"),
        (lambda: variants.Variants(drawn=1), ValueError, "drawn is 1"),
        (lambda: variants.Variants(size=8.5), TypeError, r"size is 8.5"),
        (lambda: variants.Variants(variants=("none",)), ValueError, "'base', 'pooling_max'"),
    ],
)
def test_bad_choices(make, error, says):
    with pytest.raises(error, match=says):
        make()
