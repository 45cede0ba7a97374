"""Moving pictures: they show the reverse process, pixel for pixel, and nothing is written where one cannot be."""

import os
import runpy
import shutil
import stat
import sys
from pathlib import Path

import numpy as np
import pytest

import edudiff as ed
from edudiff import cli, plot

Image = pytest.importorskip("PIL.Image")
SIZE, STEPS, COLUMNS = 14, 5, 3


def walks(channels=1, count=COLUMNS, steps=STEPS, names=("ideal", "els")):
    images = np.random.default_rng(0).uniform(-1, 1, (6, SIZE, SIZE, channels))
    schedule = ed.schedule.cosine()
    x = ed.reverse.start(schedule, (count, SIZE, SIZE, channels), np.random.default_rng(1), like=images)
    made = {"ideal": ed.scores.ideal(images), "els": ed.scores.els(images, 3)}
    return {name: list(ed.reverse.steps(made[name], schedule, x, schedule.times(steps))) for name in names}


def frames(path):
    """What a film shows, [(H, W, 3)], and for how long, [ms]."""
    with Image.open(path) as file:
        found, shown = [], []
        for n in range(file.n_frames):
            file.seek(n)
            found.append(np.asarray(file.convert("RGB")).astype(int))
            shown.append(file.info["duration"])
    return found, shown


def pictures(frame, rows, columns=COLUMNS, side=SIZE):
    """The pictures in a frame, (rows, columns, side, side, 3): where it is not white but for text, by the layout."""
    scale = plot.FILM_SIDE // side
    right, down = scale * side + 8, scale * side + 8
    left, top = frame.shape[1] - columns * right, 8
    middle = scale // 2 + scale * np.arange(side)
    return np.array(
        [[frame[top + r * down + middle][:, left + c * right + middle] for c in range(columns)] for r in range(rows)]
    )


@pytest.mark.parametrize(("ending", "channels"), [("gif", 1), ("png", 1), ("apng", 3), ("gif", 3)])
def test_each_frame_shows_the_batches_of_one_step(ending, channels, tmp_path):
    found = walks(channels)
    path = plot.film(found, tmp_path / f"film.{ending}", seconds=1)
    seen, shown = frames(path)
    assert len(seen) == STEPS + 1
    assert shown[0] == 700 and shown[-1] == 2000 and set(shown[1:-1]) == {200}
    loose = 40 if (ending, channels) == ("gif", 3) else 5  # 256 colors
    for t, frame in enumerate(seen):
        batches = [steps[0].x if t == 0 else steps[t - 1].x_next for steps in found.values()]
        wanted = (np.clip(np.stack(batches), -1, 1) + 1) / 2 * 255  # (rows, B, H, W, C)
        assert np.abs(pictures(frame, 2) - wanted).mean() < loose / 3
        assert np.abs(pictures(frame, 2) - wanted).max() <= (loose if loose == 5 else 150)


def test_a_row_has_its_name_and_the_last_images_their_captions(tmp_path):
    bare, _ = frames(plot.film(walks(), tmp_path / "a.png"))
    named, _ = frames(plot.film(walks(), tmp_path / "b.png", {"els": ["4 fingers"] * 3}, title="noise"))
    assert named[0].shape[0] > bare[0].shape[0]  # room for the title and the captions
    below = slice(-45, -28)
    assert (named[-1][below] < 128).any() and not (named[-2][below] < 128).any()
    assert (named[0][:30] < 128).any()


def test_a_film_is_as_wide_as_its_title(tmp_path):
    seen, _ = frames(plot.film(walks(), tmp_path / "a.png", title="the same noise in each column, " * 3, columns=1))
    assert (seen[0][:30, :-8] < 128).any() and (seen[0][:30, -8:] == 255).all()


def test_only_so_many_columns_are_shown(tmp_path):
    wide, _ = frames(plot.film(walks(), tmp_path / "a.gif"))
    narrow, _ = frames(plot.film(walks(), tmp_path / "b.gif", columns=1))
    assert wide[0].shape[1] - narrow[0].shape[1] == 2 * (plot.FILM_SIDE // SIZE * SIZE + 8)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"path": "film.jpg"}, ValueError, "ending of film.jpg is '.jpg', expected one of '.gif', '.png'"),
        ({"path": "nowhere/film.gif"}, OSError, "there is no folder nowhere"),
        ({"path": "there.gif"}, OSError, "it is a folder"),
        ({"steps": {}}, ValueError, "steps have shapes none"),
        ({"steps": {"els": []}}, ValueError, "steps of 'els' are none"),
        ({"steps": {"els": [np.zeros((1, 4, 4, 1))]}}, TypeError, "hold ndarray, expected those of edudiff.reverse"),
        ({"columns": 0}, ValueError, "columns is 0"),
        ({"seconds": -1}, ValueError, "seconds is -1"),
        ({"captions": {"els": ["one"]}}, ValueError, "captions of 'els' are 1"),
        ({"steps": walks(channels=2)}, ValueError, "expected images"),
        ({"steps": walks(names=("els",)) | {"short": walks(steps=4)["els"]}}, ValueError, "expected as many steps"),
    ],
)
def test_what_cannot_be_filmed_is_refused_and_nothing_is_written(change, error, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.gif").mkdir()
    with pytest.raises(error, match=words.replace("(", r"\(")):
        plot.film(**{"steps": walks(), "path": "film.gif", **change})
    assert [path.name for path in tmp_path.iterdir()] == ["there.gif"]


def test_the_place_is_checked_before_the_first_step(tmp_path):
    def never():
        raise AssertionError("drawn")
        yield

    with pytest.raises(ValueError, match="ending"):
        plot.film({"els": never()}, tmp_path / "film.txt")


def test_an_mp4_without_ffmpeg_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OSError, match="there is no program ffmpeg"):
        plot.film(walks(), tmp_path / "film.mp4")


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script with a #! line")
def test_ffmpeg_gets_every_frame_for_as_long_as_it_is_shown(tmp_path, monkeypatch):
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!{sys.executable}\nimport sys\nopen(sys.argv[-1], 'wb').write(sys.stdin.buffer.read())\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    path = plot.film(walks(), tmp_path / "film.mp4", seconds=1)
    still, _ = frames(plot.film(walks(), tmp_path / "film.png", seconds=1))
    raw = np.frombuffer(path.read_bytes(), "uint8").reshape(-1, *still[0].shape)
    assert len(raw) == round(0.7 * 25) + (STEPS - 1) * 5 + 2 * 25
    np.testing.assert_array_equal(raw[0], still[0])
    np.testing.assert_array_equal(raw[-1], still[-1])
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('no such codec')\n")
    with pytest.raises(RuntimeError, match="no such codec"):
        plot.film(walks(), tmp_path / "other.mp4")
    assert not (tmp_path / "other.mp4").exists()


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_an_mp4_is_one(tmp_path):
    path = plot.film(walks(), tmp_path / "film.mp4")
    assert path.read_bytes()[4:8] == b"ftyp"


def test_the_demo_writes_its_film_and_says_so(tmp_path, capsys):
    small = ["--images", "10", "--channels", "4", "--depth", "1", "--train-steps", "2", "--batch", "4", "--size", "18"]
    small += ["--seeds", "3", "--steps", "4", "--calibration", "1", "--denoisers", "els", "ideal"]
    assert cli.main(["demo", *small, "--out", str(tmp_path / "run")]) == 0
    assert f"moving picture: {tmp_path / 'run' / 'film.gif'}" in capsys.readouterr().out
    seen, _ = frames(tmp_path / "run" / "film.gif")
    assert len(seen) == 5
    scale = plot.FILM_SIDE // 18 * 18
    assert seen[0].shape[0] == 34 + 3 * (scale + 24) + 26  # network, ELS and ideal, a title, captions


def test_the_opening_picture_numbers_every_finger_that_is_counted():
    names = runpy.run_path(str(Path(__file__).parents[1] / "figures" / "opening.py"))
    hands = ed.data.shapes.hands(3, size=16, rng=np.random.default_rng(0))
    for image, count in zip(hands, ed.compare.count_fingers_all(hands), strict=True):
        tips = np.array(names["tips"](image))
        assert tips.shape == (count, 2)
        assert (image[tuple(tips.round().astype(int).T)] > -0.5).all()  # in pixels of the image, on the hand
    figure = names["picture"]({"network": hands}, most=4)
    rings = [[text for text in axis.texts if text.get_text().isdigit()] for axis in figure.axes]
    assert [[ring.get_text() for ring in found] for found in rings] == [["1", "2", "3", "4", "5"]] * 3
    white = [[ring.get_bbox_patch().get_facecolor()[0] == 1 for ring in found] for found in rings]
    assert white == [[False] * 4 + [True]] * 3
    assert {axis.get_xlabel() for axis in figure.axes} == {"5 fingers"}


def test_the_opening_picture_takes_extra_fingers_first_and_then_equal_numbers():
    chosen = runpy.run_path(str(Path(__file__).parents[1] / "figures" / "opening.py"))["chosen"]
    network, els = np.array([5, 7, 6, 4, 6]), np.array([6, 6, 6, 4, 6])
    assert chosen(network, els, 5) == [2, 4, 1, 3, 0]
