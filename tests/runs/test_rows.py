"""Networks that come with the package: loaded without pickle, drawn without training, and of the data they learned."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edudiff import cli
from edudiff.nn import checkpoint
from edudiff.runs import comparison, formulas, rows
from edudiff.runs import folder as folders
from edudiff.runs.choices import Choices
from edudiff.support.files import write_arrays, write_results

pytestmark = pytest.mark.usefixtures("blank_pictures")
CHOICES = Choices(images=12, channels=2, depth=1, train_steps=3, batch=4, steps=3, seeds=3, calibration=2)
MEGABYTE = 1 << 20


@pytest.fixture
def row(tmp_path, monkeypatch):
    """A row "tiny" of a small run, kept in a folder that stands for the package's; and that run's results."""
    results, images, _ = comparison.compare(CHOICES, tmp_path / "run")
    write_results(tmp_path / "run" / folders.RESULTS, results)
    write_arrays(tmp_path / "run" / folders.ARRAYS, images)
    monkeypatch.setattr(rows, "_folder", lambda: tmp_path / "weights")
    rows.keep("tiny", tmp_path / "run", "python train it")
    return results, images


def test_a_kept_network_draws_what_it_drew(row, tmp_path, capsys):
    results, images = row
    found = rows.pretrained("tiny")
    assert found.choices == CHOICES
    assert found.command == "python train it"
    assert found.windows.to_dict() == results["window_schedule"]
    assert {a.dtype.name for a in found.net.parameters.values()} == {"float32"}
    assert (
        cli.main(["compare", "--pretrained", "tiny", "--denoisers", "els", "ideal", "--out", str(tmp_path / "again")])
        == 0
    )
    again = json.loads((tmp_path / "again" / folders.RESULTS).read_text())
    assert again["pretrained"] == "tiny"
    assert again["windows"] == results["windows"]
    assert not (tmp_path / "again" / folders.NETWORK).exists()
    with np.load(tmp_path / "again" / folders.ARRAYS) as drawn:
        np.testing.assert_allclose(drawn["network"], images["network"], atol=5e-3)  # three digits of each weight
        np.testing.assert_allclose(drawn["els"], images["els"], atol=1e-6)
    assert "training" not in capsys.readouterr().err.replace("training set", "")


def test_seeds_and_formulas_may_be_chosen_and_nothing_that_the_network_has_learned(row, tmp_path, capsys):
    out = str(tmp_path / "out")
    assert (
        cli.main(["compare", "--pretrained", "tiny", "--seeds", "2", "--denoisers", "predicted", "els", "--out", out])
        == 0
    )
    assert len(json.loads((tmp_path / "out" / folders.RESULTS).read_text())["agreement"]["predicted"]["per_seed"]) == 2
    capsys.readouterr()
    assert cli.main(["compare", "--pretrained", "tiny", "--channels", "3", "--images", "9"]) == 2
    said = capsys.readouterr().err
    assert "tiny has learned something else" in said
    assert "channels is 3, not 2" in said
    assert "--images is 9, not 12" in said


def test_an_unknown_row_is_answered_with_all(row, capsys):
    assert cli.main(["compare", "--pretrained", "tinny"]) == 2
    assert "row is 'tinny', expected one of tiny; did you mean tiny?" in capsys.readouterr().err


def test_other_images_than_it_has_learned_are_refused(row, tmp_path, monkeypatch):
    images = np.random.default_rng(0).uniform(-1, 1, (12, 16, 16, 1)).astype("float32")
    np.savez(tmp_path / "mine.npz", images=images)
    run = comparison.resolve(replace(CHOICES, data=str(tmp_path / "mine.npz"), size=None))
    with pytest.raises(ValueError, match="has changed"):
        comparison.compared(replace(run, folder=tmp_path), formulas.alone, row=rows.pretrained("tiny"))


def test_half_a_training_is_not_saved(tmp_path):
    comparison.train(replace(comparison.resolve(CHOICES), folder=tmp_path))
    with pytest.raises(ValueError, match="half is for a network alone"):
        checkpoint.save(tmp_path / "half.npz", checkpoint.load(tmp_path / folders.NETWORK), half=True)


def test_the_rows_of_the_package_are_small_and_whole():
    place = Path(rows.__file__).parent / rows.FOLDER
    files = sorted(place.glob("*.npz"))
    assert {file.stem for file in files} == set(rows.names())
    assert sum(file.stat().st_size for file in files) < 15 * MEGABYTE
    for file in files:
        assert file.stat().st_size < MEGABYTE
        found = rows.pretrained(file.stem)
        assert found.command.startswith("python figures/table_agreement.py")
        assert len(found.windows.windows) == found.choices.steps
