"""What the playground's page is told: the package's own answers, number for number, without a browser."""

import runpy
import subprocess
import sys

import numpy as np
import pytest

import edudiff as ed
from edudiff.data import shapes
from edudiff.playground import play
from edudiff.playground.play import Play, in_color
from edudiff.support.random import streams

HANDS = in_color(shapes.hands(3, 16, np.random.default_rng(1)))  # (N, H, W, 3) bytes
FACES = in_color(ed.data.resize(shapes.faces(2, 32, np.random.default_rng(1)), 16))


def answers(question, at=None, **words):
    return list((at or Play()).ask(question, words))


def drawn(images, denoiser, window, seed=0, at=None):
    return answers("draw", at, images=images.ravel(), denoiser=denoiser, window=window, seed=seed)


@pytest.mark.parametrize("images", (HANDS, FACES), ids=("gray", "color"))
@pytest.mark.parametrize(("name", "window"), (("els", 5), ("local", 3), ("ideal", 7)))
def test_the_steps_are_those_of_the_page_of_scores(name, window, images):
    training = ed.data.from_uint8(images[..., : 1 if images is HANDS else 3])  # (N, H, W, C)
    denoise = ed.scores.ideal(training) if name == "ideal" else getattr(ed.scores, name)(training, window)
    schedule = ed.schedule.cosine()
    x = ed.reverse.start(schedule, (1, *training.shape[1:]), streams(4, 1), like=training)
    *found, last = drawn(images, name, window, seed=4)
    for step, answer in zip(ed.reverse.steps(denoise, schedule, x, schedule.times(20)), found, strict=True):
        np.testing.assert_array_equal(answer["x"], step.x.ravel())
        np.testing.assert_array_equal(answer["x0_hat"], step.x0_hat.ravel())
        assert (answer["step"], answer["steps"]) == (step.i, 20)
    np.testing.assert_array_equal(last["drawn"], step.x_next.ravel())
    apart = np.sqrt(((step.x_next - training) ** 2).mean(axis=(1, 2, 3)))  # (N,)
    assert last["nearest"] == apart.argmin()
    assert last["distance"] == pytest.approx(apart.min(), abs=1e-5)
    assert last["copy"] is (name == "ideal")


def test_a_window_that_covers_the_picture_copies():
    assert drawn(HANDS, "els", play.COVERING)[-1]["copy"] and not drawn(HANDS, "els", 5)[-1]["copy"]


@pytest.mark.parametrize(("name", "window"), (("els", 5), ("local", 5), ("ideal", 5)))
def test_the_shares_of_a_pixel_are_one_and_their_sum_is_its_value(name, window):
    here = Play()
    drawn(HANDS, name, window, at=here)
    for step in (0, 10, 19):
        [found] = answers("windows", here, step=step)
        weight = found["weight"].reshape(16, 16, play.LEADING)
        value = found["value"].reshape(weight.shape)
        others, rest, x0_hat = (found[key].reshape(16, 16) for key in ("others", "rest", "x0_hat"))
        np.testing.assert_allclose(weight.sum(-1) + others, 1, atol=1e-12)
        np.testing.assert_allclose((weight * value).sum(-1) + rest, x0_hat, atol=1e-12)
        np.testing.assert_allclose(x0_hat.ravel(), here.walk.steps[step].x0_hat.ravel(), atol=1e-7)
        assert (weight[weight > 0] >= play.LEAST).all()
        np.testing.assert_array_equal(found["image"].reshape(weight.shape) >= 0, weight > 0)
        # What all others bring is a mean of training pixels, too.
        assert (np.abs(rest) <= others * 1.0001 + 1e-6).all()
        assert ((found["effective"] >= 1) & (found["effective"] <= 3 * 256)).all()
    row, column, image = (found[key].reshape(weight.shape) for key in ("row", "column", "image"))
    there = image >= 0
    pixels = ed.data.from_uint8(HANDS[..., 0])[..., 0]  # (N, H, W)
    np.testing.assert_array_equal(value[there], pixels[image[there], row[there], column[there]])


def test_training_is_that_of_the_page_and_the_network_draws():
    here, images = Play(), ed.data.from_uint8(HANDS[..., :1])
    *losses, last = answers("train", here, images=HANDS.ravel(), seed=3, steps=4)
    net = ed.convnet.init(np.random.default_rng(3), play.CHANNELS, sigma_data=float(np.sqrt((images**2).mean())))
    rng, schedule = np.random.default_rng((3, 1)), ed.schedule.cosine()
    states = list(ed.convnet.train(net, images, schedule, rng=rng, steps=4))
    assert losses == [{"step": state.step, "loss": state.loss} for state in states]
    assert "receptive_field=9" in last["network"]
    x = ed.reverse.start(schedule, (1, 16, 16, 1), streams(2, 1), like=images)
    expected = ed.reverse.sample(states[-1].ema, schedule, x, schedule.times(20))
    before = here.walk
    np.testing.assert_array_equal(drawn(HANDS, "network", 0, seed=2, at=here)[-1]["drawn"], expected.ravel())
    assert here.walk is before  # the windows asked about are those of the formula


@pytest.mark.parametrize("kind", ("hands", "strokes", "faces"))
def test_pictures_are_taken_as_bytes(kind):
    [found] = answers("take", kind=kind, count=3, seed=1)
    assert found["images"].dtype == np.uint8 and found["images"].shape == (3 * 16 * 16 * 3,)
    assert play.images_of(found["images"]).shape == (3, 16, 16, 3 if kind == "faces" else 1)


def test_image_files_are_read_as_the_package_reads_them(tmp_path):
    pytest.importorskip("PIL")
    from PIL import Image

    rng = np.random.default_rng(0)
    for name, shape in (("a.png", (40, 32, 3)), ("b.png", (16, 16))):
        Image.fromarray(rng.integers(0, 256, shape).astype(np.uint8)).save(tmp_path / name)
    paths = [tmp_path / "b.png", tmp_path / "a.png"]
    [found] = answers("read", files=[[f"../{path.name}", path.read_bytes()] for path in paths])
    expected = in_color(ed.data.folder.read_images(paths, 16))
    np.testing.assert_array_equal(found["images"], expected.ravel())
    [wrong] = answers("read", files=[["notes.txt", b"no picture"]])
    assert "notes.txt cannot be read as a picture" in wrong["error"]


@pytest.mark.parametrize("images", (HANDS, FACES), ids=("gray", "color"))
@pytest.mark.parametrize("name", ("els", "local", "ideal"))
def test_the_code_draws_the_same_picture(name, images, tmp_path, monkeypatch, capsys):
    [found] = answers("code", images=images.ravel(), denoiser=name, window=7, seed=5)
    (tmp_path / "drawn.py").write_text(found["code"])
    monkeypatch.chdir(tmp_path)
    runpy.run_path("drawn.py")
    np.testing.assert_array_equal(np.load("drawn.npy").ravel(), drawn(images, name, 7, seed=5)[-1]["drawn"])
    assert max(map(len, found["code"].splitlines())) <= 120 and len(capsys.readouterr().out.splitlines()) == 16


def test_what_cannot_be_is_told_and_not_raised():
    for question, words, told in (
        ("draw", {"images": b"", "denoiser": "els", "window": 5, "seed": 0}, "there is no training picture"),
        ("draw", {"images": HANDS.ravel(), "denoiser": "els", "window": 4, "seed": 0}, "expected an odd"),
        ("draw", {"images": HANDS.ravel(), "denoiser": "network", "window": 0, "seed": 0}, "train one first"),
        ("draw", {"images": HANDS.ravel(), "denoiser": "elss", "window": 5, "seed": 0}, "did you mean els?"),
        ("windows", {"step": 0}, "draw first"),
        ("take", {"kind": "cats", "count": 1, "seed": 0}, "expected one of 'hands'"),
        ("train", {"images": HANDS.ravel(), "seed": 0, "steps": 0}, "steps is 0"),
    ):
        assert told in answers(question, **words)[-1]["error"]
    with pytest.raises(ValueError, match="question is 'draww'"):
        answers("draww")


def test_pictures_all_black_or_all_white_can_be_learned():
    for bytes_ in (np.zeros((1, 16, 16, 3), np.uint8), np.full((2, 16, 16, 3), 255, np.uint8)):
        assert drawn(bytes_, "els", 5)[-1]["copy"]
        assert all(np.isfinite(one["loss"]) for one in answers("train", images=bytes_, seed=0, steps=3)[:-1])


def test_it_needs_numpy_alone():
    code = "import sys, edudiff.playground.play; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not set(loaded) & {"numba", "matplotlib", "PIL", "scipy"}
