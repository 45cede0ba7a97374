"""`edudiff bench --compare`: what became slower than in a kept record, by a clock that the test turns."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from edudiff import cli
from edudiff.bench import kept, measure, records

PARTS = ("patch_3", "patch_9", "ideal")


class Computer:
    """A clock that work moves on: `speed` of its processor, `busy`: how many programs share it."""

    def __init__(self):
        self.elapsed = self.worked = 0.0
        self.speed = self.busy = 1.0
        self.slowed, self.once, self.measured = {}, {}, []

    def work(self, amount):
        self.worked += amount / self.speed
        self.elapsed += amount / self.speed * self.busy

    def measure(self, what, rounds=5, images=None, root=None):
        self.measured.append(what)
        once = self.once.pop(what, 1)
        amounts = {backend: own * self.slowed.get((what, backend), 1) * once for backend, own in self.backends.items()}
        calls = {backend: lambda amount=amount: self.work(amount) for backend, amount in amounts.items()}
        for backend, cost in measure.costs(calls, rounds).items():
            yield {"what": what, "backend": backend, **cost, "memory_mb": 1.0, "images": images or 896, **self.more}

    backends = {"numpy": 4.0, "numba": 0.5}  # noqa: RUF012
    more = {"data": "strokes"}  # noqa: RUF012


@pytest.fixture
def computer(monkeypatch, tmp_path):
    here = Computer()
    clock = SimpleNamespace(perf_counter=lambda: here.elapsed, process_time=lambda: here.worked)
    monkeypatch.setattr(measure, "time", clock)
    monkeypatch.setattr(measure, "calibration", lambda: here.work(0.05))
    monkeypatch.setattr(records, "patch", here.measure)
    monkeypatch.setattr(records, "ideal", lambda what, *more: next(iter(here.measure(what, *more))))
    monkeypatch.setattr(records, "CASES", PARTS)
    monkeypatch.setattr(kept, "usable", lambda backend: backend in here.backends)
    monkeypatch.setattr(kept, "_processor", lambda: "Abacus 12")
    monkeypatch.setattr(kept, "cores", lambda: 2)
    monkeypatch.setattr(kept, "_numba_threads", lambda: 2)
    monkeypatch.setattr(kept, "blas_threads", lambda: 2)
    monkeypatch.setattr(kept, "SLOWER", 1.1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDUDIFF_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    assert cli.main(["bench", "--json", "speed.json"]) == 0
    here.measured.clear()
    return here


def compare(capsys, *words):
    """The exit status of a comparison, and the lines after the table."""
    capsys.readouterr()
    status = cli.main(["bench", "--compare", "speed.json", *words])
    said = capsys.readouterr()
    assert said.err == "" or status == 2
    return status, said.out.partition("\n\n")[2].splitlines() if status != 2 else [said.out, said.err]


def test_nothing_is_slower_on_a_busy_machine_with_a_slower_clock(computer, capsys):
    computer.busy, computer.speed = 5.0, 0.6
    assert compare(capsys) == (0, ["slower by more than 10% than in speed.json: 0 of 5"])
    assert computer.measured == list(PARTS)


@pytest.mark.parametrize(("factor", "status"), ((1.09, 0), (1.11, 1), (0.92, 0)))
def test_more_than_a_tenth_is_told_and_is_the_exit_status(computer, capsys, factor, status):
    computer.slowed = {("patch_9", "numba"): factor}
    told = ["slower: patch_9 on numba costs 1.11 times as much"] if status else []
    assert compare(capsys) == (status, [*told, f"slower by more than 10% than in speed.json: {status} of 5"])


def test_what_became_quicker_is_told_and_is_no_error(computer, capsys):
    computer.slowed = {("patch_3", "numba"): 0.5}
    status, lines = compare(capsys)
    assert status == 0 and lines[0] == "quicker: patch_3 on numba costs 0.50 times as much"


def test_what_is_slower_once_and_not_again_is_not_believed(computer, capsys):
    computer.once = {"patch_3": 1.5}
    status, lines = compare(capsys)
    assert status == 0 and computer.measured == [*PARTS, "patch_3"]
    computer.measured.clear()
    computer.slowed = {("patch_3", "numpy"): 1.5}
    status, lines = compare(capsys)
    assert status == 1 and computer.measured == [*PARTS, "patch_3", "patch_3"]
    assert lines[0] == "slower: patch_3 on numpy costs 1.50 times as much" and lines[-1].endswith("1 of 5")


def test_it_measures_what_the_record_holds_with_its_number_of_images(computer, capsys):
    assert cli.main(["bench", "--cases", "patch_9", "ideal", "--images", "40", "--json", "speed.json"]) == 0
    computer.measured.clear()
    status, lines = compare(capsys)
    assert status == 0 and computer.measured == ["patch_9", "ideal"]
    assert lines[0] == "not in the record, so not measured: patch_3" and lines[-1].endswith("0 of 3")
    status, lines = compare(capsys, "--cases", "ideal")
    assert lines[0] == "in the record, but not measured now: patch_9" and lines[-1].endswith("0 of 1")


def test_other_packages_and_what_has_no_partner_are_told(computer, capsys, monkeypatch):
    monkeypatch.setattr(kept, "_version", lambda package: None if package == "numba" else "9.9")
    monkeypatch.setattr(computer, "backends", {"numpy": 4.0})
    status, lines = compare(capsys)
    assert status == 0 and lines[-1].endswith("0 of 3")
    assert (
        any(line.startswith("numba was ") and line.endswith(", is not there") for line in lines) or not kept.has_numba()
    )
    assert "not compared: patch_9 on numba has no partner that was measured alike" in lines
    monkeypatch.setattr(computer, "more", {"data": "strokes", "window": 5})
    status, lines = compare(capsys, "--cases", "patch_3")
    assert status == 0 and "not compared: patch_3 on numpy has no partner that was measured alike" in lines


def test_a_gpu_is_compared_by_the_seconds_that_passed(computer, capsys, monkeypatch):
    monkeypatch.setattr(computer, "backends", {"numpy": 4.0, "cupy": 0.1})
    assert cli.main(["bench", "--json", "speed.json"]) == 0
    computer.busy = 1.5  # more passes for each second of work
    status, lines = compare(capsys)
    assert status == 1 and "slower: patch_3 on cupy costs 1.50 times as much" in lines
    assert not any("numpy" in line for line in lines)


def edited(**changes):
    found = json.loads(Path("speed.json").read_text())
    found.update(changes)
    Path("speed.json").write_text(json.dumps(found))


@pytest.mark.parametrize(
    ("changes", "words", "says"),
    (
        ({"processor": "Slide Rule"}, [], "is of another machine: its processor is Slide Rule, here Abacus 12"),
        ({"cores": 64}, [], "its number of cores is 64, here 2"),
        ({"threads": {"numba": 1, "blas": 2}}, [], "kept with 1 threads, here are 2: set NUMBA_NUM_THREADS=1"),
        ({"threads": {"numba": None, "blas": 8}}, [], "set OPENBLAS_NUM_THREADS=8"),
        ({}, ["--images", "40"], "--images is 40, expected the usual number, as in speed.json"),
        ({"records": []}, [], "speed.json holds no case that is measured here: nothing"),
        ({"format": "edudiff bench 0"}, [], "its format is 'edudiff bench 0', expected 'edudiff bench 1'; keep one"),
        ({"images": 0}, [], "its images is 0"),
        ({"packages": None}, [], "its packages is None"),
        ({"records": [7]}, [], "one of its records is 7"),
    ),
)
def test_a_record_of_something_else_is_refused_before_anything_is_measured(computer, capsys, changes, words, says):
    edited(**changes)
    status, [out, error] = compare(capsys, *words)
    assert status == 2 and out == "" and computer.measured == []
    assert says in error and error.count("\n") == 1


def test_cases_that_the_record_does_not_hold_are_refused(computer, capsys):
    assert cli.main(["bench", "--cases", "ideal", "--json", "speed.json"]) == 0
    computer.measured.clear()
    status, [out, error] = compare(capsys, "--cases", "patch_3", "ideal")
    assert status == 2 and out == "" and computer.measured == []
    assert "--cases is patch_3, expected some of ideal, which speed.json holds" in error


def test_other_images_and_other_back_ends_are_refused(computer, capsys, monkeypatch):
    found = json.loads(Path("speed.json").read_text())["records"]
    edited(records=[{**record, "data": "mnist"} for record in found])
    status, [_, error] = compare(capsys)
    assert status == 2 and "kept with images of mnist, here are those of strokes" in error
    edited(records=[{**record, "backend": "cupy"} for record in found])
    status, [_, error] = compare(capsys)
    assert status == 2 and "kept with the back end cupy, which cannot be used here" in error
    assert computer.measured == []


@pytest.mark.parametrize("value", (0, -1, "1", None, True, float("nan"), float("inf")))
def test_a_time_that_is_none_is_refused(computer, capsys, value):
    found = json.loads(Path("speed.json").read_text())["records"]
    edited(records=[{**found[0], "processor_seconds": value}])
    status, [_, error] = compare(capsys)
    assert status == 2 and "processor_seconds of patch_3 is" in error and "expected a number above 0" in error


@pytest.mark.parametrize(
    ("content", "says"),
    (
        (None, "there is no record speed.json: keep one with `edudiff bench --json speed.json`"),
        ("", "speed.json holds no JSON"),
        ("[" * 100_000, "speed.json holds no JSON"),
        ("\x00\xff", "speed.json holds no JSON"),
        ("[]", "speed.json is no record of this format: it holds a list, expected an object"),
        ("{}", "its format is None"),
    ),
)
def test_a_file_that_is_no_record_is_refused(computer, capsys, tmp_path, content, says):
    file = tmp_path / "speed.json"
    file.unlink()
    if content is not None:
        file.write_bytes(content.encode("latin-1"))
    status, [out, error] = compare(capsys)
    assert status == 2 and out == "" and computer.measured == []
    assert says in error and error.count("\n") == 1
    file.unlink(missing_ok=True)
    file.mkdir()
    assert compare(capsys)[1][1].startswith("edudiff: the record speed.json cannot be read (Is a directory)")


def test_this_machine_says_what_it_is():
    here = kept.about()
    assert here["processor"] and here["cores"] >= 1 and here["system"]
    assert here["packages"]["numpy"] and here["packages"]["python"]
    assert all(value is None or value >= 1 for value in here["threads"].values())
