"""The table of agreement, and the script that makes all figures: kept rows are not measured again."""

import json
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

FIGURES = Path(__file__).parents[1] / "figures"


@pytest.fixture
def table(monkeypatch):
    """The script's names, with two small rows, the second with the windows of the first."""
    script = runpy.run_path(str(FIGURES / "table_agreement.py"))
    names = script["main"].__globals__
    tiny = replace(script["SMALL"], data="hands", images=12, channels=2, train_steps=3, batch=4, seeds=5, steps=3)
    tiny = replace(tiny, calibration=2)
    rows = {"first": tiny, "second": replace(tiny, net="unet", attention=(1,), train_steps=2)}
    monkeypatch.setitem(names, "ROWS", rows)
    monkeypatch.setitem(names, "WINDOWS_OF", {"second": "first"})
    monkeypatch.setitem(names, "PUBLISHED", {"first": 0.94})
    return names


def test_each_row_has_its_numbers_and_is_measured_once(table, tmp_path):
    first, second = table["main"](("second", "first"), tmp_path / "work", tmp_path / "out")
    assert (first["row"], second["row"]) == ("first", "second")
    assert first["published_r"] == 0.94
    assert second["published_r"] is None
    assert second["attention"]
    assert second["windows"] == first["windows"]
    low, high = first["interval"]
    assert low <= first["pearson_r"] <= high
    assert low < high
    assert set(first["others_r"]) == {"predicted", "held_out", "local", "linear", "masked", "ideal"}
    wanted = {
        "data",
        "net",
        "padding",
        "attention",
        "images",
        "seeds",
        "r_squared",
        "r2_score",
        "beats_ideal",
        "command",
    }
    assert wanted <= set(first)
    assert json.loads((tmp_path / "out" / "agreement.json").read_text()) == json.loads(json.dumps([first, second]))
    text = (tmp_path / "out" / "agreement.md").read_text().splitlines()
    assert len(text) == 4
    assert len({line.count("|") for line in text}) == 1
    assert (tmp_path / "out" / "agreement_first.png").read_bytes().startswith(b"\x89PNG")

    stamp = (tmp_path / "work" / "first" / "network.npz").stat().st_mtime_ns
    table["main"](("first",), tmp_path / "work", tmp_path / "out")
    assert (tmp_path / "work" / "first" / "network.npz").stat().st_mtime_ns == stamp


def test_networks_of_finished_rows_are_put_among_the_weights(table, tmp_path, capsys):
    table["main"](("first",), tmp_path / "work", tmp_path / "out")
    assert (tmp_path / "out" / "agreement_windows.png").stat().st_size > 5000
    table["keep_weights"](("first", "second"), tmp_path / "work", tmp_path / "weights")
    assert [path.name for path in sorted((tmp_path / "weights").iterdir())] == ["first.npz", "rows.json"]
    entry = json.loads((tmp_path / "weights" / "rows.json").read_text())["first"]
    assert entry["command"] == "python figures/table_agreement.py first"
    table["LARGEST"] = 10
    table["keep_weights"](("first",), tmp_path / "work", tmp_path / "others")
    assert not list((tmp_path / "others").glob("*.npz"))
    assert "first: too large" in capsys.readouterr().out


@pytest.mark.usefixtures("blank_pictures")
def test_rows_of_another_machine_are_kept(table, tmp_path, monkeypatch):
    monkeypatch.setitem(table["ROWS"], "third", replace(table["ROWS"]["first"], seed=1))
    lines = table["main"](("first",), tmp_path / "work", tmp_path / "out")
    again = table["main"](("third",), tmp_path / "elsewhere", tmp_path / "out")
    assert [line["row"] for line in again] == ["first", "third"]
    assert again[0] == json.loads(json.dumps(lines[0]))


@pytest.mark.usefixtures("blank_pictures")
def test_a_row_that_was_changed_is_no_longer_the_one_on_file(table, tmp_path, monkeypatch):
    table["main"](("first",), tmp_path / "work", tmp_path / "out")
    monkeypatch.setitem(table["ROWS"], "first", replace(table["ROWS"]["first"], seed=1))
    monkeypatch.setitem(table["ROWS"], "third", table["ROWS"]["first"])
    [line] = table["main"](("third",), tmp_path / "work", tmp_path / "elsewhere")
    assert line["row"] == "third"


@pytest.mark.usefixtures("blank_pictures")
def test_a_reference_row_at_full_size_keeps_its_marks(table, tmp_path, monkeypatch):
    reference = replace(table["ROWS"]["first"], size=14)
    rows = {"first_14": reference, "second_14": replace(reference, net="unet", attention=(1,), train_steps=2)}
    monkeypatch.setitem(table, "ROWS", rows)
    monkeypatch.setitem(table, "WINDOWS_OF", {"second_14": "first_14"})
    monkeypatch.setitem(table, "FULL", {"hands": 14})
    monkeypatch.setitem(table, "MARKS", (1, 2))
    first, second = table["main"](("second_14",), tmp_path / "work", tmp_path / "out")
    assert [point["step"] for point in first["curve"]] == [1, 2]
    assert [point["step"] for point in second["curve"]] == [1, 2]


def test_a_row_at_full_size_has_a_curve_over_its_training(table, tmp_path, monkeypatch):
    rows = {"first_14": replace(table["ROWS"]["first"], size=14, train_steps=4)}
    monkeypatch.setitem(table, "ROWS", rows)
    monkeypatch.setitem(table, "FULL", {"hands": 14})
    monkeypatch.setitem(table, "MARKS", (1, 4, 9))
    folders = tmp_path / "work", tmp_path / "out"
    [line] = table["main"](("first_14",), *folders)
    assert line["published_r"] == 0.94
    assert [point["step"] for point in line["curve"]] == [1, 4]
    last = line["curve"][-1]["pearson_r"]
    assert last[0] == pytest.approx(line["pearson_r"], abs=1e-4)  # step 4 is the network of the row
    assert line["curve"][0]["pearson_r"] != last
    assert (tmp_path / "out" / "agreement_curve.png").read_bytes().startswith(b"\x89PNG")
    stamp = (tmp_path / "work" / "first_14" / "1.npz").stat().st_mtime_ns
    assert table["main"](("first_14",), *folders) == [line]
    assert (tmp_path / "work" / "first_14" / "1.npz").stat().st_mtime_ns == stamp


def test_the_interval_is_of_the_median(table):
    r = np.linspace(0.5, 0.9, 41)
    agreement = {
        "els": {"pearson_r": 0.7, "r_squared": 0.5, "r2_score": 0.4, "beats_ideal": 1.0, "per_seed": r.tolist()}
    }
    job = dict.fromkeys(("data", "net", "padding", "images", "size", "seeds", "attention", "by_class", "windows"))
    job |= dict.fromkeys(("channels", "depth", "train_steps", "batch", "seed"))
    job |= dict.fromkeys(("train_seconds", "calibrate_seconds", "draw_seconds"))
    low, high = table["record"]("first", job | {"agreement": agreement})["interval"]
    spread = 1.25 * r.std() / np.sqrt(len(r))  # of a median, roughly
    assert 0.7 - 4 * spread < low < 0.7 < high < 0.7 + 4 * spread
    assert high - low > spread


def test_make_runs_what_is_left_and_says_what_failed(monkeypatch, tmp_path, capfd):
    names = runpy.run_path(str(FIGURES / "make.py"))["main"].__globals__
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    for name, code in (("good", "print('drawn')"), ("bad", killed), ("real", "print('real')")):
        (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDUDIFF_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(names, "HERE", tmp_path)
    monkeypatch.setitem(names, "MINUTES", {"good": 1, "bad": 2, "real": 3})
    monkeypatch.setitem(names, "REAL", {"real": ("mnist",)})
    assert names["main"](["--all"]) == 1
    said = capfd.readouterr()
    assert "real is left out: no mnist here" in said.out
    assert "good, 1 of 2; about 3 minutes left" in said.out
    assert "failed, see above: bad" in said.err
    assert names["main"](["good"]) == 0
    assert "nothing new" in capfd.readouterr().out
    assert names["main"](["good", "--again"]) == 0
    assert "drawn" in capfd.readouterr().out
    with pytest.raises(SystemExit):
        names["main"](["other"])


def test_the_readme_shows_rows_of_the_table_on_file():
    """Word for word, at most eight of them, and leads to the others."""
    table = (FIGURES / "results" / "agreement.md").read_text().splitlines()
    readme = (FIGURES.parent / "README.md").read_text().splitlines()
    first = readme.index(table[0])
    shown = readme[first : readme.index("", first)]
    assert set(shown) <= set(table)
    assert 3 <= len(shown) <= 2 + 8
    assert any("figures/results" in line for line in readme[first + len(shown) :])
