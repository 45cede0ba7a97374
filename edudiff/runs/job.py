"""What a run consists of: a `Job` holds every choice, so that the run can be repeated from its `results.json`."""

import functools
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edudiff import data, nn, schedule
from edudiff.reverse import start
from edudiff.support import checks
from edudiff.support.backends import choose
from edudiff.support.random import streams

DRAWN: dict[str, Any] = {"hands": data.shapes.hands, "strokes": data.shapes.strokes, "faces": data.shapes.faces}
FORMULAS = ("els", "local", "linear", "masked", "ideal")
TAU = {"mnist": 0.005, "cifar10": 0.05}  # of the masked score, as published; 0.02 for other pictures
NETS = ("resnet", "unet")
SCALES = 3  # of a UNet


@dataclass(frozen=True)
class Job:
    """Every choice of a run. Names as on the command line; see `edudiff compare --help`.

    `channels`: of a UNet, those of the finest of its three scales, doubled at each coarser one. `attention`: blocks of
    a ResNet, scales of a UNet. `by_class`: network and formulas are told the class of each picture; picture i is drawn
    for class i, counted round.
    """

    data: str = "hands"
    images: int = 512
    size: int | None = 16
    root: str | None = None
    seed: int = 0
    net: str = "resnet"
    channels: int = 64
    depth: int = 2
    attention: tuple[int, ...] = ()
    by_class: bool = False
    padding: str = "zero"
    embedding: str = "log_snr"
    target: str = "edm"
    train_steps: int = 3800
    batch: int = 64
    rate: float = 3e-3
    schedule: str = "cosine"
    steps: int = 20
    seeds: int = 64
    calibration: int = 8
    window: int | None = None
    denoisers: tuple[str, ...] = ("els", "local", "linear", "ideal")
    backend: str | None = None
    scheduler: str | None = None

    def __post_init__(self):
        for name in ("images", "channels", "train_steps", "batch", "steps", "seeds", "calibration"):
            value = getattr(self, name)
            if not hasattr(value, "__index__") or value < 1:
                raise ValueError(f"{name} is {value!r}, expected an integer >= 1")
        if self.size is not None and self.size < 1:
            raise ValueError(f"size is {self.size!r}, expected an integer >= 1, or None for the pictures' own")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed!r}, expected an integer >= 0")
        if self.window is not None:
            checks.window(self.window)
        checks.one_of(self.net, NETS, "net")
        for name in self.denoisers:
            checks.one_of(name, FORMULAS, "denoisers")
        if self.by_class and self.data in DRAWN:
            raise ValueError(f"by_class is on, but {self.data} have no classes; mnist, fashion_mnist and cifar10 do")
        if self.by_class and self.scheduler is not None:
            raise ValueError("by_class with a scheduler: a cluster shares a training set of one class; leave one out")
        if self.scheduler is not None and self.backend == "cupy":
            raise ValueError("backend is cupy with a scheduler: leave it out, and workers with a GPU use it")

    def times(self):
        """The noise schedule and the one time grid of network and formulas."""
        chosen = getattr(schedule, self.schedule)()
        return chosen, chosen.times(self.steps)


def load_images(job):
    """The training set, (N, H, W, C) float32: drawn by code, or read from files."""
    if job.data in DRAWN:
        rng = np.random.default_rng(job.seed)
        images = DRAWN[job.data](job.images, size=16 if job.size is None else job.size, rng=rng)
    else:
        images = data.load(job.data, count=job.images, size=job.size, root=job.root)
    if job.backend == "cupy":
        try:
            import cupy
        except ImportError as error:
            raise ImportError("backend cupy needs CuPy and a GPU: pip install 'edudiff[cuda12]' or [cuda13]") from error
        images = cupy.asarray(images)
    choose(job.backend, images)
    return images


@functools.lru_cache(maxsize=1)
def load_labels(job):
    """The class of each training picture, (N,) integers from 0; None for a job without classes."""
    if not job.by_class:
        return None
    _, labels = data.load(job.data, count=job.images, root=job.root, labels=True)
    return labels


def classes_of(labels, numbers):
    """Which class each of the drawn pictures `numbers` is of, (B,): each of those that there are in turn, for ever."""
    present = np.unique(labels)
    return present[np.asarray(numbers) % len(present)]


def read_range(job, first, last):
    """Pictures number `first` to `last` - 1 of the training set: what a worker of a cluster reads for itself."""
    if job.data in DRAWN:
        return load_images(replace(job, images=last))[first:]  # picture i does not depend on how many there are
    return data.load_range(job.data, first, last, size=job.size, root=job.root)


def new_network(job, images, labels=None):
    """An untrained network of the job's architecture, where the images are."""
    settings: dict[str, Any] = {"padding": job.padding, "embedding": job.embedding, "target": job.target}
    settings |= {"depth": job.depth, "attention": job.attention, "backend": job.backend}
    settings |= {"image_channels": images.shape[3], "sigma_data": math.sqrt(float((images**2).mean()))}
    settings |= {"classes": None if labels is None else int(labels.max()) + 1}
    rng = np.random.default_rng((job.seed, 1))
    if job.net == "resnet":
        return nn.ResNet(job.channels, rng=rng, **settings).to(images)
    return nn.UNet([job.channels << scale for scale in range(SCALES)], rng=rng, **settings).to(images)


def noise(job, images, numbers):
    """Where the drawn pictures `numbers` start, (B, H, W, C) float64: each from its own random stream.

    In float64 because a local score decides between windows, over and over: a rounding error of float32 can grow a
    thousandfold on the way to the picture, and the same seed would not be the same picture on every back end.
    Numbers 0, 1 and 2 share their streams with the training set, the first weights and the training of the same seed;
    without them the demo's median r is 0.956 instead of 0.957.
    """
    chosen, _ = job.times()
    like = images[:1].astype("float64")  # (1, H, W, C)
    return start(chosen, (len(numbers), *images.shape[1:]), streams(job.seed, numbers), like)
