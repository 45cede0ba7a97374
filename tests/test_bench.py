"""`edudiff bench`: what it measures is what it says, and its peer, where PyTorch is installed, is right."""

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import loops
import numpy as np
import pytest

from edudiff import cli
from edudiff.bench import measure, records


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """Small networks, and no data sets."""
    tiny = {"net": "UNet", "channels": (2, 2), "depth": 1, "shape": (8, 8, 3), "batch": 4}
    monkeypatch.setattr(records, "TRAINING", {"train_tiny": tiny})
    monkeypatch.setattr(records, "CASES", (*records.PATCH, *records.IDEAL, "train_tiny"))
    monkeypatch.setenv("EDUDIFF_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))


def test_medians_of_calls_that_take_turns():
    turns = []

    def call(name, pauses):
        turns.append(name)
        time.sleep(next(pauses))

    pauses = {"a": iter([0.2, 0.01, 0.01, 0.2]), "b": iter([0, 0.03, 0.03, 0])}
    seconds = measure.interleaved({n: lambda n=n: call(n, pauses[n]) for n in pauses}, rounds=3)
    assert "".join(turns) == "abababab"
    assert 0.01 <= seconds["a"] < 0.03 <= seconds["b"] < 0.2
    with pytest.raises(ValueError, match="0 calls and 5 rounds"):
        measure.interleaved({})


def test_costs_are_processor_time_beside_that_of_a_calibration_in_the_same_rounds(monkeypatch):
    now = {"perf_counter": 0.0, "process_time": 0.0}
    monkeypatch.setattr(measure, "time", SimpleNamespace(**{name: lambda name=name: now[name] for name in now}))
    turns = []

    def call(name, elapsed, worked):
        turns.append(name)
        now["perf_counter"] += elapsed.pop(0)
        now["process_time"] += worked.pop(0)

    steps = {"a": ([9, 4, 1, 1], [9, 2, 3, 4]), "b": ([9, 1, 1, 7], [9, 8, 8, 8])}
    monkeypatch.setattr(measure, "calibration", lambda own=([9, 1, 1, 1], [9, 1, 2, 3]): call("calibration", *own))
    found = measure.costs({name: lambda name=name: call(name, *steps[name]) for name in steps}, 3)
    assert turns == ["a", "b", "calibration"] * 4
    assert found["a"] == {"seconds": 1, "processor_seconds": 3, "calibration_seconds": 2}
    assert found["b"] == {"seconds": 1, "processor_seconds": 8, "calibration_seconds": 2}


@pytest.mark.parametrize("system", ("linux", "another"))
def test_extra_memory_is_the_peak_and_not_what_is_left(system, monkeypatch):
    if system == "another":
        monkeypatch.setattr(measure.sys, "platform", system)
    held = np.ones(2**21)

    def call():
        first = np.ones(2**21)  # 16 MiB
        del first
        second = np.ones(2**22)  # 32 MiB
        return float(second[0] + held[0])

    assert 30 * 2**20 < measure.extra_memory(call) < 56 * 2**20  # the allocator may keep the first


@pytest.mark.parametrize(("size", "window"), [(5, 3), (5, 5), (6, 3), (4, 7), (3, 1)])
def test_pairs_of_windows_are_counted_as_the_loops_list_them(size, window):
    counted = sum(
        len(loops.candidates(i, j, size, size, window // 2, True, "zero")) for i in range(size) for j in range(size)
    )
    assert records.pairs((7, size, size, 1), window) == 7 * counted


def test_bench_prints_a_table_and_writes_records(tmp_path, capsys):
    out = tmp_path / "bench.json"
    cases = ["--cases", "patch_17", "ideal", "train_tiny"]
    assert cli.main(["bench", *cases, "--rounds", "1", "--images", "20", "--json", str(out)]) == 0
    found = json.loads(out.read_text())["records"]
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(found) + 1
    backends = [b for b in ("numpy", "numba") if measure.usable(b)]
    assert [(r["what"], r["backend"]) for r in found] == [
        *(("patch_17", b) for b in backends),
        ("ideal", "numpy"),
        *(("train_tiny", b) for b in backends),
    ]
    for record, line in zip(found, lines[1:], strict=True):
        assert record["seconds"] > 0
        assert record["memory_mb"] >= 0
        assert record["what"] in line
    assert found[0]["data"] == "strokes"
    assert found[0]["images"] == 20
    assert found[0]["pairs_per_second"] == pytest.approx(records.pairs((20, 28, 28), 17) / found[0]["seconds"])
    ideal = next(r for r in found if r["what"] == "ideal")
    assert ideal["share"] == pytest.approx(ideal["product_seconds"] / ideal["seconds"])
    assert "ratio" not in found[0]


def test_bench_refuses_what_it_cannot_measure(capsys):
    assert cli.main(["bench", "--cases", "patch_4"]) == 2
    assert "--cases is 'patch_4', expected one of 'patch_3'" in capsys.readouterr().err
    assert cli.main(["bench", "--rounds", "0"]) == 2
    assert "--rounds is 0" in capsys.readouterr().err


@pytest.mark.parametrize("dtype", (np.float64, np.float32))
def test_the_peer_is_the_same_formula(dtype):
    pytest.importorskip("torch")
    sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
    from torch_patch import FORMS, PlainTorch, fastest

    rng = np.random.default_rng(0)
    for shape in ((5, 7, 6, 1), (4, 6, 6, 2)):
        images = rng.uniform(-1, 1, shape).astype(dtype)
        x = rng.standard_normal((2, *shape[1:])).astype(dtype)
        for size in (1, 3, 5, 7, 9):
            for shifts in (True, False):
                wanted = loops.patch(x, images, 0.7, 0.5, size, shifts, "zero")
                for form in FORMS:
                    answer = PlainTorch(images, size, shifts, batch=2, form=form)(x, 0.7, 0.5)
                    assert answer.dtype == dtype
                    np.testing.assert_allclose(answer, wanted, atol=1e-12 if dtype == np.float64 else 1e-4, rtol=0)
    best = fastest(images, 3, x, 0.7, 0.5)
    np.testing.assert_allclose(best(x, 0.7, 0.5), loops.patch(x, images, 0.7, 0.5, 3, True, "zero"), atol=1e-4)


@pytest.fixture
def programs(monkeypatch):
    """The folder of the programs that are run by hand is where modules are looked for."""
    pytest.importorskip("numba")
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "benchmarks"))


def test_the_formulas_that_are_no_els_are_measured_beside_it(programs, capsys):
    import formulas

    formulas.main(images=3, rounds=1, most=3)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["what"] for record in found] == ["masked", "composite", "smoothed", "linear"]
    assert all(record["share"] > 0 and record["make_seconds"] > 0 for record in found)


def test_the_parts_of_a_training_step_add_up_and_are_left_as_they_were(programs, capsys, monkeypatch):
    import step_parts

    from edudiff.fast import winograd
    from edudiff.nn import loss

    tiny = {"net": "ResNet", "channels": 16, "depth": 2, "shape": (8, 8, 1), "batch": 4}
    monkeypatch.setattr(records, "TRAINING", {"train_tiny": tiny})
    monkeypatch.setattr(loss, "map_threads", None)  # put back at the end, as the program changes it
    before = winograd.conv
    step_parts.main(2)
    [record] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert winograd.conv is before
    assert sum(record[part]["share"] for part in [*step_parts.PARTS, "rest"]) == pytest.approx(1)
    # Two blocks, each of one convolution of 16 channels, forward, dw and dx; 36 products in each of 4 * 2 * 2 tiles.
    assert record["products"]["gflop"] == pytest.approx(2 * 3 * 2 * 36 * 16 * 16 * 16 / 1e9)
