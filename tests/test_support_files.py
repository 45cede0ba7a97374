"""Files appear whole or not at all: after a full disk, a kill, and when two write at once; and their JSON is plain."""

import errno
import json
import os
import stat
import subprocess
import sys

import numpy as np
import pytest

from edudiff.support.files import atomic, check_file, json_text, open_folder, write_arrays, write_results

HOLDS = "import sys, time; from edudiff.support.files import atomic\nwith atomic(sys.argv[1]) as file:\n"
HOLDS += "    file.write(b'half'); file.flush(); print('now', flush=True); sys.stdin.readline()\n"


@pytest.fixture
def writer():
    """Starts a process that is in the middle of writing a file; it goes on when its input ends."""
    started = []

    def start(path):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDS, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "now\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=60)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_process_left_is_removed_by_the_next_that_writes_the_file(tmp_path, writer):
    path = tmp_path / "results.json"
    path.write_text("old")
    process = writer(path)
    process.kill()
    process.wait(60)
    assert path.read_text() == "old"
    assert len(names(tmp_path)) == 2
    with atomic(tmp_path / "other.json") as file:
        file.write(b"not its leftover")
    assert len(names(tmp_path)) == 3
    write_results(path, {"new": 1})
    assert names(tmp_path) == ["other.json", "results.json"]


def test_what_a_living_process_writes_is_left_to_it(tmp_path, writer):
    path = tmp_path / "results.json"
    process = writer(path)
    write_results(path, {"new": 1})
    assert json.loads(path.read_text()) == {"new": 1}
    process.communicate("\n", timeout=60)
    assert process.returncode == 0
    assert path.read_bytes() == b"half"
    assert names(tmp_path) == ["results.json"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_names_the_file_and_keeps_what_was_there(tmp_path, monkeypatch, number):
    path = tmp_path / "images.npz"
    write_arrays(path, {"a": np.zeros(3)})
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=rf"cannot write .*images\.npz: {os.strerror(number)}; .* is kept; make") as error:
        write_arrays(path, {"a": np.ones(3)})
    assert error.value.errno == number
    with pytest.raises(OSError, match=r"new\.json.*nothing is left of it"):
        write_results(tmp_path / "new.json", {})
    assert path.read_bytes() == before
    assert names(tmp_path) == ["images.npz"]


def test_a_file_that_outgrows_its_limit_is_named_whatever_error_that_became(tmp_path):
    """A zip archive that cannot be written to its end raises one error on top of the other."""
    resource = pytest.importorskip("resource")
    path, before = tmp_path / "images.npz", resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        for count in (3000, 30_000, 300_000):
            noise = np.random.default_rng(0).standard_normal(count + 3000)
            with pytest.raises(OSError, match=r"cannot write .*images\.npz: File too large"):
                write_arrays(path, {"a": noise, "b": noise})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert names(tmp_path) == []


def test_an_error_in_the_block_stays_what_it_is(tmp_path):
    for error in (KeyboardInterrupt(), ValueError("a value"), PermissionError(errno.EACCES, "no")):
        with pytest.raises(type(error)) as raised, atomic(tmp_path / "a"):
            raise error
        assert raised.value is error
    assert names(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_no_plain_file_is_refused_before_it_is_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for path, says in (
        (tmp_path / "pipe", "it is no plain file"),
        (os.devnull, "it is no plain file"),
        (tmp_path / "folder", "it is a folder"),
        (tmp_path / "missing" / "a.json", "there is no folder .*missing"),
        (tmp_path / "pipe" / "a.json", "there is no folder"),
    ):
        with pytest.raises(OSError, match=f"cannot write .*: {says}"):
            write_results(path, {})
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe").st_mode)
    check_file(tmp_path / "new.json")
    assert names(tmp_path) == ["folder", "pipe"]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "there" / "real.json")
    write_results(tmp_path / "link.json", [1])
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "there" / "real.json").read_text()) == [1]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file", tmp_path / "file" / "inside", tmp_path / ("a" * 300), "with\0zero"):
        with pytest.raises(OSError, match=r"cannot write to the folder .*name another with --out"):
            open_folder(path)
    assert names(open_folder(tmp_path / "a" / "b")) == []


def test_json_has_numbers_that_every_reader_takes(tmp_path):
    odd = {"a": [np.nan, np.inf, -np.inf], "b": (np.float32("inf"), np.float64("nan"), np.int64(3), np.bool_(True))}
    odd |= {"c": {"d": np.array([[1.0, np.nan]]), 5: float("-inf")}, "e": None, "f": 1.5, "g": "nan"}
    plain = {"a": [None, None, None], "b": [None, None, 3, True], "c": {"d": [[1.0, None]], "5": None}}
    plain |= {"e": None, "f": 1.5, "g": "nan"}
    write_results(tmp_path / "a.json", odd)

    def refuse(constant):
        pytest.fail(f"{constant} is no JSON")

    assert json.loads((tmp_path / "a.json").read_text(), parse_constant=refuse) == plain
    assert json.loads(json_text(odd), parse_constant=refuse) == plain
