"""What a run consists of: every choice, so that the run can be repeated from its `results.json`."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from edudiff.data import shapes
from edudiff.data.files import NAMES
from edudiff.nn.noise_level import EMBEDDINGS, TARGETS
from edudiff.nn.training import MOST_BATCH, MOST_RATE, MOST_STEPS
from edudiff.support import checks
from edudiff.support.backends import BACKENDS
from edudiff.support.files import expanded
from edudiff.support.settings import Settings, setting

HANDS = {"hands": shapes.hands, "raised_hands": shapes.raised_hands}  # whose fingers are counted
DRAWN: dict[str, Any] = {**HANDS, "strokes": shapes.strokes, "faces": shapes.faces}
RULES = ("predicted", "held_out")  # for the windows of ELS without a network: by entropy, by error
FORMULAS = ("els", *RULES, "local", "composite", "linear", "masked", "smoothed", "ideal")
DRAWERS = ("network", *(name for name in FORMULAS if name not in RULES))  # what one can draw with alone
WINDOWS = ("calibrated", *RULES)
UNSHARED = ("composite", "masked", "smoothed")  # a cluster cannot share them: they are no one softmax over all images
FEWEST = 2  # training images from which windows can be told: one is left out
NETS = ("resnet", "unet")
SCALES = 3  # of a UNet
PADDINGS = ("zero", "circular")  # of network and formula
SCHEDULES = ("cosine", "ddpm_linear", "log_linear", "flow")
DATA, NETWORK, DRAWING, THEORY, MACHINE = "training set", "network", "noise and drawing", "formulas", "machine"
MEASURING = "measuring"


def data_set(value: str, name: str, drawn: Collection[str] = tuple(DRAWN)) -> str:
    """`value` if it is among `drawn`, is one of the data sets, or is a path at which there is something.

    Raises ValueError that lists them all.
    """
    value, known = str(value), (*drawn, *NAMES)
    if value not in known and not (value and os.path.exists(expanded(value))):  # False for what no path can be
        raise ValueError(
            f"{name} is {value!r}, expected {', '.join(known)}, or the path of a folder of images, an .npy or an .npz"
            f" file; there is nothing at this path{checks.meant(value, known)}"
        )
    return value


@dataclass(frozen=True, repr=False)
class Choices(Settings):
    """Every choice of a run; the help of each is its explanation. See `edudiff compare --help`.

    Raises TypeError or ValueError for a choice that is out of range, or that does not go with another.
    """

    data: str = setting(
        "hands",
        f"{', '.join(DRAWN)} (drawn by code), {', '.join(NAMES)}, or the path of a folder of images, an .npy or an"
        " .npz file",
        check=data_set,
        group=DATA,
    )
    images: int = setting(
        512,
        "size of the training set: how many images, the first ones; if not given, all of a folder or file of yours",
        least=1,
        group=DATA,
    )
    size: int | None = setting(
        16, "side of the images in pixels; files keep their own if it is not given", least=1, group=DATA
    )
    root: str | None = setting(
        None,
        "the folder that holds mnist/, fashion_mnist/, cifar10/ (default: EDUDIFF_DATA)",
        metavar="DIR",
        group=DATA,
    )
    seed: int = setting(0, "seed of everything random", least=0, group=DRAWING)
    net: str = setting("resnet", "kind of network", choices=NETS, group=NETWORK)
    channels: int = setting(
        64, "width of the network; of a UNet at its finest scale, doubled at each other", least=1, group=NETWORK
    )
    depth: int = setting(2, "residual blocks of a ResNet, blocks at each scale of a UNet", least=0, group=NETWORK)
    attention: tuple[int, ...] = setting(
        (), "blocks or scales after which pixels look at all others (default: none)", least=0, group=NETWORK
    )
    by_class: bool = setting(
        False, "tell network and formulas the class: image i is of class i, counted round", group=DATA
    )
    padding: str = setting(
        "zero", "what is beyond the border, for network and formula", choices=PADDINGS, group=NETWORK
    )
    embedding: str = setting("log_snr", "how the network is told the noise level", choices=EMBEDDINGS, group=NETWORK)
    target: str = setting("edm", "what the network predicts", choices=TARGETS, group=NETWORK)
    train_steps: int = setting(3800, "steps of training", least=1, most=MOST_STEPS, group=NETWORK)
    batch: int = setting(64, "images in a step of training", least=1, most=MOST_BATCH, group=NETWORK)
    rate: float = setting(3e-3, "peak learning rate", most=MOST_RATE, group=NETWORK)
    schedule: str = setting("cosine", "how much noise there is at each time", choices=SCHEDULES, group=DRAWING)
    steps: int = setting(20, "reverse steps of an image", least=1, group=DRAWING)
    seeds: int = setting(64, "how many images are drawn", least=1, group=DRAWING)
    calibration: int = setting(8, "how many images the window sizes are calibrated on", least=1, group=THEORY)
    window: int | None = setting(
        None, "one window size, odd, for all noise levels (default: calibrated on the network at each)", group=THEORY
    )
    windows: str = setting(
        "calibrated",
        "how els and local get their windows: read off the network, or from the training set alone",
        choices=WINDOWS,
        group=THEORY,
    )
    denoisers: tuple[str, ...] = setting(
        ("els", "local", "linear", "ideal"),
        f"the formulas to draw with, of {', '.join(FORMULAS)}",
        choices=FORMULAS,
        metavar="NAME",
        group=THEORY,
    )
    backend: str | None = setting(
        None, "what computes (default: the fastest that is installed)", choices=BACKENDS, group=MACHINE
    )
    scheduler: str | None = setting(
        None,
        "of a Dask cluster that shares the training set, or 'local' (default: no cluster)",
        metavar="ADDRESS",
        group=MACHINE,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window is not None:
            object.__setattr__(self, "window", checks.window(self.window))
            if self.windows != "calibrated":
                raise ValueError(f"window is {self.window} and windows is {self.windows!r}; leave one of them out")
        told = [rule for rule in RULES if rule in (self.windows, *self.denoisers)]
        if told and self.images < FEWEST:
            raise ValueError(
                f"images is {self.images}: windows that are {told[0]} leave images out; use {FEWEST} or more"
            )
        places = self.depth if self.net == "resnet" else SCALES
        if any(place >= places for place in self.attention):
            what = f"residual blocks, below depth = {places}" if self.net == "resnet" else f"scales, below {places}"
            raise ValueError(f"attention is {' '.join(map(str, self.attention))}, expected numbers of {what}")
        if self.by_class and self.data in DRAWN:
            raise ValueError(f"by_class is on, but {self.data} have no classes; mnist, fashion_mnist and cifar10 do")
        for name in UNSHARED:
            if self.scheduler is not None and name in self.denoisers:
                raise ValueError(
                    f"denoisers has {name!r} with a scheduler, which a cluster cannot share; leave one of them out"
                )
        if self.scheduler is not None and self.backend == "cupy":
            raise ValueError("backend is cupy with a scheduler: leave it out, and workers with a GPU use it")


# What a run that is gone on with may not change: its network has learned it. It may train and draw more, or elsewhere.
LEARNED = (
    *("data", "images", "size", "seed", "by_class", "padding", "schedule"),
    *("net", "channels", "depth", "attention", "embedding", "target", "batch", "rate"),
)
DEMO = Choices(
    data="raised_hands",
    images=256,
    size=20,
    channels=48,
    train_steps=1500,
    batch=32,
    denoisers=("els", "predicted", "local", "linear", "ideal"),
)
QUICK = {"images": 96, "channels": 24, "train_steps": 600, "batch": 32, "seeds": 8, "calibration": 3}
