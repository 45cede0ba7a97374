"""The folder of a run: each has its own, one at a time is in it, and nothing is made for a run that cannot begin."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edudiff import cli
from edudiff.runs import Choices, sample
from edudiff.runs.folder import claimed

WAITS = "import sys; from edudiff.runs.folder import claimed\nwith claimed(sys.argv[1] or None, 'a'):\n"
WAITS += "    print('in', flush=True); sys.stdin.readline()\n"
pytestmark = pytest.mark.usefixtures("blank_pictures")
TINY = ["--images", "4", "--size", "14", "--seeds", "1", "--steps", "2"]
ROOT = str(Path(cli.__file__).parents[2])


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", ROOT)


@pytest.fixture
def holder():
    """Starts a process that is at work in a folder until its input ends."""
    started = []

    def start(folder=""):
        process = subprocess.Popen(
            [sys.executable, "-c", WAITS, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "in\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=60)


def everything():
    return sorted(str(path) for path in Path().rglob("*"))


def test_new_folders_are_numbered(holder):
    for _ in range(3):
        holder()
    assert sorted(os.listdir("runs")) == ["a", "a-2", "a-3"]


MANY = "import sys; from edudiff.runs.folder import claimed\nprint('ready', flush=True); sys.stdin.readline()\n"
MANY += "for _ in range(10):\n    with claimed(None, 'a') as folder: open(folder / 'mine', 'x')\n"


def test_many_at_the_same_moment_get_a_folder_each():
    how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([sys.executable, "-c", MANY], **how) for _ in range(4)]
    assert [process.stdout.readline() for process in processes] == 4 * ["ready\n"]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.wait(60) for process in processes] == 4 * [0]
    assert len(list(Path("runs").glob("*/mine"))) == 40
    for process in processes:
        process.communicate()


def test_a_second_run_in_a_folder_is_refused_until_the_first_ends(holder):
    process = holder("out")
    with pytest.raises(BlockingIOError, match=r"another run is at work in out now; .* name another --out"):
        claimed("out").__enter__()
    assert Path("out").is_dir()
    process.kill()
    process.wait(60)
    with claimed("out") as folder:
        (folder / "kept").touch()
    assert everything() == ["out", "out/kept"]


def test_the_command_line_refuses_it_in_one_line_and_leaves_it_as_it_is(holder, capsys):
    holder("out")
    for command in (["sample", "--denoiser", "ideal"], ["compare"]):
        assert cli.main([*command, *TINY, "--out", "out"]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert "another run is at work in out now" in said.err
    assert everything() == ["out", "out/.lock"]


def test_what_a_killed_run_left_half_written_is_removed():
    Path("out").mkdir()
    for name in (".network.npz.0123abcd.part", ".images.npz.ffffffff.part", "mine.part", ".mine", ".a.folder12.part"):
        (Path("out") / name).mkdir() if "folder" in name else (Path("out") / name).touch()
    with claimed("out"):
        pass
    assert everything() == ["out", "out/.a.folder12.part", "out/.mine", "out/mine.part"]


@pytest.mark.parametrize("folder", [None, "deep/er/out"])
def test_a_run_that_fails_before_it_wrote_anything_leaves_no_folder(folder):
    with pytest.raises(ZeroDivisionError), claimed(folder, "a"):
        raise ZeroDivisionError
    assert everything() == []
    with pytest.raises(ZeroDivisionError), claimed(folder, "a") as place:
        (place / "kept").touch()
        raise ZeroDivisionError
    assert everything()[-1].endswith("kept")


def test_a_folder_that_was_there_stays():
    Path("out").mkdir()
    with pytest.raises(ZeroDivisionError), claimed("out"):
        raise ZeroDivisionError
    assert everything() == ["out"]


BAD = {
    "no such data": ["--data", "nosuch"],
    "no path at all": ["--data", "x" * 5000],
    "a user who is not": ["--data", "~nobody-of-this-name/pics"],
    "a data set that is not here": ["--data", "mnist", "--root", "nowhere"],
    "no images in a folder": ["--data", "empty"],
    "a file of another kind": ["--data", "text.txt"],
    "too few": ["--data", "few.npy", "--images", "5"],
    "0 to 255 as floats": ["--data", "bytes.npy"],
    "a window larger than a circular image": ["--padding", "circular", "--window", "15"],
    "even window": ["--window", "4"],
    "classes that there are not": ["--by-class", "--data", "few.npy"],
    "a back end that is not here": ["--backend", "cupy"],
}


@pytest.mark.parametrize("command", ["compare", "train", "sample"])
@pytest.mark.parametrize("words", BAD.values(), ids=BAD)
def test_nothing_is_printed_or_made_before_choices_and_data_are_checked(command, words, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.delenv("EDUDIFF_DATA", raising=False)
    Path("empty").mkdir()
    Path("text.txt").write_text("text")
    np.save("few.npy", np.zeros((3, 14, 14, 1), np.float32))
    np.save("bytes.npy", np.linspace(0, 255, 4 * 14 * 14).reshape(4, 14, 14, 1))
    before, drawing = everything(), ("--seeds", "1", "--steps", "2")
    if command == "train" and "--window" in words:
        pytest.skip("training has no window")
    given = dict(zip(words[::2], words[1::2], strict=False))
    usual = [] if "--data" in given else ["--images", "4", "--size", "14"]
    assert cli.main([command, *words, *usual, *(drawing if command != "train" else ())]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("edudiff") and len(said.err.splitlines()) <= 5
    assert everything() == before


def test_a_network_that_is_not_there_is_missed_before_a_folder_is_made(capsys):
    assert cli.main(["sample", *TINY, "--denoiser", "network", "--checkpoint", "nowhere"]) == 2
    assert "nowhere holds no trained network" in capsys.readouterr().err
    assert everything() == []


@pytest.mark.parametrize("name", ["idael", "predicted"])
def test_what_cannot_draw_alone_is_refused(name):
    with pytest.raises(ValueError, match=f"denoiser is '{name}', expected one of 'network', 'els', 'local'"):
        sample(Choices(images=4, size=14, seeds=1, steps=2), ".", name)


def test_other_commands_check_first_too(capsys):
    for words in (
        ["architecture", "faces", "--data", "nosuch"],
        ["architecture", "faces", "--data", "mnist", "--root", "nowhere"],
        ["architecture", "points", "--steps", "0"],
        ["bench", "--cases", "patch_3", "--json", "no/such/folder.json"],
        ["bench", "--cases", "patch_3", "--json", "."],
    ):
        assert cli.main(words) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert len(said.err.splitlines()) <= 5
    assert everything() == []


def test_a_full_disk_while_training_says_how_to_go_on(monkeypatch, capsys):
    words = [
        "train",
        "--images",
        "4",
        "--size",
        "14",
        "--channels",
        "2",
        "--depth",
        "1",
        "--batch",
        "2",
        "--out",
        "out",
    ]
    assert cli.main([*words, "--train-steps", "3"]) == 0
    network = Path("out/network.npz").read_bytes()
    capsys.readouterr()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert cli.main([*words, "--train-steps", "3", "--resume"]) == 2
    said = capsys.readouterr().err
    assert ": No space left on device; what it held before is kept" in said
    assert "go on with:\n  edudiff train" in said and "--resume" in said
    assert Path("out/network.npz").read_bytes() == network
    assert not [name for name in everything() if name.endswith((".part", ".lock"))]


def test_all_images_of_a_folder_are_used_by_default(capsys):
    image = pytest.importorskip("PIL.Image")
    Path("pics").mkdir()
    for i in range(7):
        image.fromarray(np.full((14, 14), 30 * i, np.uint8)).save(f"pics/{i}.png")
    np.save("mine.npy", np.zeros((5, 14, 14), np.uint8))
    draw = ["--denoiser", "ideal", "--seeds", "1", "--steps", "2", "--out", "out"]
    for data, options, count in (
        ("pics", [], 7),
        ("mine.npy", [], 5),
        ("pics", ["--images", "3"], 3),
    ):
        assert cli.main(["sample", "--data", data, *options, *draw]) == 0
        found = json.loads(Path("out/results.json").read_text())
        assert (found["images"], found["size"]) == (count, 14)
    quick = ["demo", "--quick", "--data", "pics", "--train-steps", "2", "--steps", "2", "--window", "3", "--out", "new"]
    assert cli.main(quick) == 0
    assert "7 images (pics)" in capsys.readouterr().out
    faces = ["architecture", "faces", "--data", "pics", "--size", "8", "--out", "faces"]
    assert cli.main([*faces, "--drawn", "6"]) == 2
    assert "has 7 images, but --drawn is 6" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a$\\foo$b_", "new\nline", "\x1b[31mred", os.fsdecode(b"\xff\xfe"), "%s{x}"])
def test_names_of_any_kind_are_used_and_shown_on_one_line(name, capsys):
    np.save("mine.npy", np.random.default_rng(0).uniform(-1, 1, (3, 14, 14, 1)))
    try:
        os.rename("mine.npy", f"{name}.npy")
    except OSError:
        pytest.skip("a file system that has no such names")
    words = ["--denoiser", "ideal", "--seeds", "1", "--steps", "2", "--out", f"out {name}"]
    assert cli.main(["sample", f"--data={name}.npy", *words]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said and all(line.isprintable() for line in said)
    found = json.loads((Path(f"out {name}") / "results.json").read_text())
    assert found["data"] == f"{name}.npy"
