"""What no memory can hold is refused before anything begins; what runs out later names the choice to make smaller."""

import os

import pytest

from edudiff import cli, nn
from edudiff.support import memory
from edudiff.support.memory import OutOfMemory, blamed, room

TINY = ["--images", "4", "--size", "14", "--channels", "2", "--depth", "1", "--batch", "2", "--train-steps", "2"]
DRAW = ["--seeds", "1", "--steps", "2", "--calibration", "1"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["images", "size", "seeds", "channels", "steps", "depth", "calibration"])
def test_a_choice_that_needs_more_than_there_is_is_refused_at_once(name, capsys):
    assert cli.main(["compare", *TINY, *DRAW, f"--{name}", str(10**13)]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"edudiff: --{name} is 10,000,000,000,000: that alone needs ")
    assert len(said.err.splitlines()) == 1
    assert said.out == "" and os.listdir() == []


def test_a_batch_that_needs_more_than_there_is_is_refused_at_once(capsys):
    assert cli.main(["compare", *TINY, *DRAW, "--images", "4", "--size", "256", "--batch", str(10**8)]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("edudiff: --batch is 100,000,000: that alone needs ")
    assert said.out == "" and os.listdir() == []


def test_what_fits_is_not_refused(monkeypatch):
    monkeypatch.setattr(memory, "room", lambda: 1000.0)
    memory.check_room("batch", 10, 1000)
    with pytest.raises(ValueError, match="batch is 10"):
        memory.check_room("batch", 10, 1001)


def test_the_room_is_the_least_of_what_system_and_container_give(tmp_path, monkeypatch):
    whole = room()
    assert whole > 2**20
    monkeypatch.setattr(memory, "GROUP", tmp_path / "memory.max")
    for text, most in (("max\n", room()), ("12345\n", 12345)):
        (tmp_path / "memory.max").write_text(text)
        assert room() == most


def test_memory_that_runs_out_while_training_names_the_choices(monkeypatch, capsys):
    def full(*args, **settings):
        raise MemoryError("Unable to allocate 9 GiB\nmore")
        yield

    monkeypatch.setattr(nn, "train", full)
    assert cli.main(["train", *TINY, "--out", "out"]) == 2
    said = "edudiff: memory ran out (Unable to allocate 9 GiB); choose a smaller --batch or --channels or --depth\n"
    assert capsys.readouterr().err == said


def test_memory_that_runs_out_while_reading_names_the_choices(monkeypatch, capsys):
    def full(*args, **settings):
        raise MemoryError

    monkeypatch.setattr("edudiff.data.load", full)
    assert cli.main(["train", *TINY, "--data", ".", "--out", "out"]) == 2
    assert capsys.readouterr().err == "edudiff: memory ran out (MemoryError); choose a smaller --images or --size\n"
    assert os.listdir() == []


def test_the_inner_block_is_the_one_that_is_blamed():
    with pytest.raises(OutOfMemory, match=r"choose a smaller inner=$"), blamed("outer"), blamed("inner"):
        raise MemoryError
    with pytest.raises(ValueError, match="other"), blamed("outer"):
        raise ValueError("other")
