"""The CUDA kernel equals its definition in arrays: its source is compiled for this processor, its threads are loops."""

import shutil
import subprocess

import numpy as np
import pytest

import edudiff
from edudiff.denoisers import Patch, WindowSchedule, merge
from edudiff.fast import device
from edudiff.support.arrays import to_numpy
from edudiff.support.random import streams

SHAPES = {"grey": (5, 9, 8, 1), "color": (4, 7, 8, 3)}
LEVELS = [(0.999, 0.02), (0.8, 0.6), (0.0125, 0.9999), (0.0, 1.0)]
WINDOWS = [1, 3, 5, 7]
both_paddings = pytest.mark.parametrize("padding", ["zero", "circular"])
with_and_without_shifts = pytest.mark.parametrize("shifts", [True, False])


@pytest.fixture(params=["compiled here", pytest.param("cupy", marks=pytest.mark.gpu)])
def cupy(request):
    """The stand-in that compiles, and where there is a GPU, CuPy itself."""
    return request.getfixturevalue("compiling_cupy") if request.param != "cupy" else pytest.importorskip("cupy")


def case(shape, level, batch=2, images_of="f4", x_of="f4"):
    """A training set, and a noisy batch of it."""
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, shape)
    x = level[0] * np.resize(images, (batch, *shape[1:])) + level[1] * rng.standard_normal((batch, *shape[1:]))
    return images.astype(images_of), x.astype(x_of)


def both(cupy, images, window, **settings):
    """The kernel, and the definition on the host."""
    here = Patch(images, window, backend="numpy", **settings)
    there = Patch(cupy.asarray(images), window, **settings)
    assert isinstance(there._engine, device.OnDevice)
    return there, here


def close(a, b, dtype="f4"):
    np.testing.assert_allclose(to_numpy(a), b, rtol=0, atol=3e-9 if dtype == "f8" else 2e-6)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@both_paddings
@with_and_without_shifts
def test_kernel_is_the_definition_at_every_window_and_level(cupy, shape, padding, shifts):
    for level in LEVELS:
        images, x = case(shape, level)
        windows = [*WINDOWS, 9, 17, 19] if padding == "zero" else WINDOWS  # beyond the image on all sides
        there, here = both(cupy, images, 3, shifts=shifts, padding=padding)
        answers, expected = there.sweep(cupy.asarray(x), *level, windows), here.sweep(x, *level, windows)
        for window in windows:
            close(answers[window], expected[window])


@pytest.mark.parametrize(("images_of", "x_of"), [("f8", "f8"), ("f4", "f8"), ("f8", "f4")])
def test_kernel_takes_both_precisions(cupy, images_of, x_of):
    for shape in SHAPES.values():
        images, x = case(shape, (0.8, 0.6), images_of=images_of, x_of=x_of)
        there, here = both(cupy, images, 3)
        answer = there(cupy.asarray(x), 0.8, 0.6)
        assert answer.dtype == x_of
        close(answer, here(x, 0.8, 0.6), x_of)


@both_paddings
def test_one_class_and_every_class(cupy, padding):
    images, x = case(SHAPES["color"], (0.8, 0.6))
    there, here = both(cupy, images, 3, padding=padding, labels=[1, 0, 1, 7])
    close(there(cupy.asarray(x), 0.8, 0.6), here(x, 0.8, 0.6))
    for label in (0, 1, 7):
        close(there.conditional(label)(cupy.asarray(x), 0.8, 0.6), here.conditional(label)(x, 0.8, 0.6))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("level", [(0.999, 0.02), (0.8, 0.6), (0.0, 1.0)])
def test_variance_and_entropy(cupy, shape, level):
    images, x = case(shape, level)
    there, here = both(cupy, images, 3)
    for window, expected in here.posteriors(x, *level, [1, 3, 5]).items():
        found = there.posteriors(cupy.asarray(x), *level, [1, 3, 5])[window]
        for name in ("mean", "variance"):
            close(getattr(found, name), getattr(expected, name))
        np.testing.assert_allclose(to_numpy(found.entropy), expected.entropy, atol=2e-5)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_few_images_in_any_number_of_shares(cupy, count, monkeypatch):
    images, x = case((count, 6, 5, 1), (0.8, 0.6))
    there, here = both(cupy, images, 3)
    for threads in (1, 60, 100, 10**6):
        monkeypatch.setattr(device, "THREADS", threads)
        close(there(cupy.asarray(x), 0.8, 0.6), here(x, 0.8, 0.6))


def test_a_share_on_a_gpu_merges_with_one_elsewhere(cupy):
    """So the top is that of all squares, not of those beside what is typical."""
    for dtype in ("f4", "f8"):
        images, x = case(SHAPES["color"], (0.8, 0.6), images_of=dtype, x_of=dtype)
        there, here = Patch(cupy.asarray(images[:3]), 3), Patch(images[3:], 3, backend="numpy")
        shares = [tuple(map(to_numpy, there.partial(cupy.asarray(x), 0.8, 0.6))), here.partial(x, 0.8, 0.6)]
        _, num, den = merge(shares)
        close(num / den[..., None], Patch(images, 3, backend="numpy")(x, 0.8, 0.6), dtype)


def test_far_off_images_at_little_noise(cupy):
    """Every weight but the nearest window's is 0 in float32, and logits lie millions apart."""
    images, x = case(SHAPES["grey"], (1.0, 0.003))
    for start in (x, x + 3):
        there, here = both(cupy, images, 3)
        answer = to_numpy(there(cupy.asarray(start), 1.0, 0.003))
        assert np.isfinite(answer).all()
        close(answer, here(start, 1.0, 0.003))
        for sigma in (0.003, 1e-12):
            close(there.entropy(cupy.asarray(start), 1.0, sigma), here.entropy(start, 1.0, sigma))


def test_cutting_up_the_work_changes_no_answer(cupy, monkeypatch):
    """In launches of few images or few noisy ones; and an answer does not depend on its batch, to the bit."""
    images, x = case(SHAPES["grey"], (0.8, 0.6), batch=5)
    there, _ = both(cupy, images, 3)
    whole = there(cupy.asarray(x), 0.8, 0.6)
    assert (whole[3:4] == there(cupy.asarray(x[3:4]), 0.8, 0.6)).all()
    monkeypatch.setattr(device, "ROOM", 1)
    assert (whole == there(cupy.asarray(x), 0.8, 0.6)).all()
    monkeypatch.setattr(device, "WORK", 1)
    close(there(cupy.asarray(x), 0.8, 0.6), whole.get(), "f8")


def test_a_whole_picture(cupy):
    images, _ = case(SHAPES["grey"], (1.0, 0.0))
    there, here = both(cupy, images, WindowSchedule([0.1, 1.0], [3, 5]))
    schedule = edudiff.schedule.cosine()

    def draw(denoise, like):
        x = edudiff.reverse.start(schedule, (1, *images.shape[1:]), streams(0, 1), like=like)
        return edudiff.reverse.sample(denoise, schedule, x, schedule.times(10))

    np.testing.assert_allclose(to_numpy(draw(there, cupy.asarray(images))), draw(here, images), atol=2e-5)


def test_pictures_with_gaps_in_memory(cupy):
    images, x = case((5, 9, 8, 2), (0.8, 0.6))
    there, here = Patch(cupy.asarray(images)[:, ::2, ::-1], 3), Patch(images[:, ::2, ::-1], 3, backend="numpy")
    close(there(cupy.asarray(x)[:, ::2, ::-1], 0.8, 0.6), here(x[:, ::2, ::-1], 0.8, 0.6))


@pytest.mark.parametrize(("real", "channels"), [("float", 1), ("float", 3), ("double", 3)])
def test_nvcc_compiles_it_and_spills_nothing(tmp_path, real, channels):
    """Values that do not fit the registers of a thread would go through memory."""
    if shutil.which("nvcc") is None:
        pytest.skip("needs nvcc, of NVIDIA's CUDA toolkit")
    source = edudiff.fast.__path__[0] + "/patch.cu"
    options = {"REAL": real, "IMAGE": "float", "CHANNELS": channels, "NEAR": device.NEAR, "MOMENTS": 2}
    given = [f"-D{name}={value}" for name, value in options.items()]
    command = ["nvcc", "-cubin", "-arch=sm_90", "-Xptxas", "-v", *given, source, "-o", tmp_path / "patch.cubin"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "0 bytes spill stores, 0 bytes spill loads" in done.stderr and "warning" not in done.stderr, done.stderr
