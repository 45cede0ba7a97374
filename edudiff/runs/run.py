"""A run, resolved: what its choices stand for is read, drawn and decided once, at the door, and carried from there."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edudiff import data, schedule
from edudiff.reverse import start
from edudiff.runs.choices import DRAWN, Choices
from edudiff.schedule import Schedule
from edudiff.support import checks
from edudiff.support.backends import choose
from edudiff.support.memory import blamed, check_room
from edudiff.support.random import streams
from edudiff.support.types import Array

SIZE = 16  # of images drawn by code, if no other is chosen


@dataclass(frozen=True, repr=False)
class Run:
    """All that the stations of a run use, from training to the last number.

    `images`: the training set, (N, H, W, C) float32, where it is computed. `labels`: the class of each, (N,) integers
    from 0, or None. `schedule`, `times`: the one noise schedule and time grid of network and formulas, (steps + 1,).
    `noise`: where the drawn images start, (seeds, H, W, C) float64. `classes`: the class of each of them, (seeds,), or
    None. `backend`: what computes; None where each worker of a cluster decides for itself. `folder`: where all is kept.
    """

    choices: Choices
    folder: Path
    images: Array
    labels: Array | None
    schedule: Schedule
    times: Array
    noise: Array
    classes: Array | None
    backend: str | None

    def __repr__(self) -> str:
        return (
            f"Run({self.choices!r}, images={self.images.shape}, schedule={self.schedule.name!r},"
            f" steps={len(self.times) - 1}, seeds={len(self.noise)}, backend={self.backend!r}, folder='{self.folder}')"
        )


def resolve(choices: Choices, folder: str | Path = ".", count: int | None = None) -> Run:
    """The `Run` of some choices. `count`: how many training images are read here, if not all.

    Raises FileNotFoundError or ValueError if the images are not there or do not fit, ImportError without the back end.
    """
    with blamed("images", "size"):
        images, labels = _training_set(choices, choices.images if count is None else count)
    _check_memory(vars(choices), images.shape[1:])
    if choices.backend == "cupy":
        images = _on_gpu(images)
    if choices.window is not None:
        checks.window(choices.window, images.shape[1:3], choices.padding)
    backend = choose(choices.backend, images)
    chosen = getattr(schedule, choices.schedule)()
    return Run(
        choices,
        Path(folder),
        images,
        labels,
        schedule=chosen,
        times=chosen.times(choices.steps),
        noise=noise(chosen, choices.seed, range(choices.seeds), images),
        classes=None if labels is None else classes_of(labels, range(choices.seeds)),
        backend=backend if choices.scheduler is None else choices.backend,
    )


def read_shard(choices: Choices, first: int, last: int) -> Array | tuple[Array, Array]:
    """What a worker of a cluster reads for itself: `read_range`, with the labels (n,) if there are classes."""
    if not choices.by_class:
        return read_range(choices, first, last)
    return data.load_range(choices.data, first, last, size=choices.size, root=choices.root, labels=True)


def _check_memory(chosen: dict[str, Any], shape: tuple[int, ...]) -> None:
    """Raise ValueError for a choice that no memory of this machine can hold; what is counted is the least it needs."""
    pixels = math.prod(shape[:2])
    image, kernel = 8 * pixels * shape[2], 4 * 9 * chosen["channels"] ** 2  # bytes: float64, float32
    check_room("channels", chosen["channels"], 5 * kernel)  # weights, their gradient, their average, two of Adam
    least = {"seeds": image, "calibration": image, "steps": 8, "depth": 5 * 2 * kernel}
    least["batch"] = 4 * pixels * chosen["channels"]  # one layer's answer
    for name, size in least.items():
        check_room(name, chosen[name], chosen[name] * size)


def read_range(choices: Choices, first: int, last: int) -> Array:
    """Images number `first` to `last` - 1 of the training set."""
    if choices.data in DRAWN:
        return _training_set(choices, last)[0][first:]  # image i does not depend on how many there are
    return data.load_range(choices.data, first, last, size=choices.size, root=choices.root)


def noise(schedule: Schedule, seed: int, numbers: range, images: Array) -> Array:
    """Where the drawn images `numbers` start, (B, H, W, C) float64: each from its own random stream.

    In float64 because a local score decides between windows, over and over: a rounding error of float32 can grow a
    thousandfold on the way to the image, and the same seed would not be the same image on every back end.
    Numbers 0, 1 and 2 share their streams with the training set, the first weights and the training of the same seed;
    without them the demo's median r is 0.956 instead of 0.957.
    """
    like = images[:1].astype("float64")  # (1, H, W, C)
    return start(schedule, (len(numbers), *images.shape[1:]), streams(seed, numbers), like)


def classes_of(labels: Array, numbers: range) -> Array:
    """Which class each of the drawn images `numbers` is of, (B,): each of those that there are in turn, for ever."""
    present = np.unique(labels)
    return present[np.asarray(numbers) % len(present)]


def _training_set(choices: Choices, count: int) -> tuple[Array, Array | None]:
    """The first `count` images (N, H, W, C), drawn by code or read from files, and their labels (N,) or None."""
    if choices.data in DRAWN:
        size = SIZE if choices.size is None else choices.size
        check_room("size", size, 8 * size * size)
        check_room("images", count, 4 * count * size * size)
        return DRAWN[choices.data](count, size=size, rng=np.random.default_rng(choices.seed)), None
    settings: dict[str, Any] = {"count": count, "size": choices.size, "root": choices.root}
    if choices.by_class:
        return data.load(choices.data, labels=True, **settings)
    return data.load(choices.data, **settings), None


def _on_gpu(images: Array) -> Array:
    try:
        import cupy
    except ImportError as error:
        raise ImportError("backend cupy needs CuPy and a GPU: pip install 'edudiff[cuda12]' or [cuda13]") from error
    return cupy.asarray(images)
