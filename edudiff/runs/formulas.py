"""The denoisers of a run: its network and the formulas, told what they need, on one machine or on a cluster."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from edudiff import denoisers
from edudiff.compare import calibrate
from edudiff.denoisers import WindowSchedule
from edudiff.runs.choices import FORMULAS, RULES, Choices
from edudiff.runs.run import Run, classes_of, noise, read_shard
from edudiff.support.arrays import array_namespace
from edudiff.support.progress import bar
from edudiff.support.types import Array, Denoiser

CALIBRATION = 1_000_000  # images from this number on are for calibration, never reported
MOVEMENTS = 2_000_000  # the random stream of the smoothed denoiser, no image's
PARTS = 10  # into which the way from one odd window size to the next is cut
TAU = {"mnist": 0.005, "fashion_mnist": 0.005, "cifar10": 0.05}  # of the masked score, as published
OTHER_TAU = 0.02  # of other images; published for faces
WINDOWED = ("els", "local")

Make: TypeAlias = Callable[[Array], Any]  # a formula of a training set
Share: TypeAlias = Callable[[Make, Array], Any]


def alone(make: Make, images: Array) -> Any:
    """A formula `make(images)` on this machine: what `spread` gives without a cluster."""
    return make(images)


@dataclass(frozen=True)
class OnCluster:
    """Makes a formula on a cluster, as `alone` does here; its workers `read` their images, (first, last) of `count`."""

    client: Any
    read: Callable[[int, int], Any]
    count: int
    gpu: bool

    def __call__(self, make: Make, images: Array) -> Any:
        """The denoiser `make(images)`, spread over the workers."""
        from edudiff import cluster

        return cluster.Sharded(self.client, self.read, self.count, make, gpu=self.gpu)

    def scatters(self) -> dict[Any, denoisers.Scatter]:
        """What linear denoisers need: of all images under None, and of each class."""
        from edudiff import cluster

        return cluster.scatters(self.client, self.read, self.count, gpu=self.gpu)


@contextmanager
def spread(choices: Choices) -> Iterator[Share]:
    """Gives a function (make, images) -> make(images), or, if a scheduler is chosen, the same on its cluster."""
    if choices.scheduler is None:
        yield alone
        return
    from edudiff import cluster

    read = partial(read_shard, choices)
    with cluster.connect(choices.scheduler) as client:
        yield OnCluster(client, read, choices.images, gpu=choices.backend is None)


def for_seeds(run: Run, net: Any) -> Denoiser:
    """The network as a denoiser of a batch of all of the run's seeds: told their classes if there are some."""
    return net if run.classes is None else net.conditional(run.classes)


def window_schedule(run: Run, net: Any, share: Share = alone) -> WindowSchedule:
    """The window of each reverse step, calibrated on images that are not reported; or the one that was chosen."""
    choices, shape = run.choices, run.images.shape[1:3]
    largest = 2 * max(shape) - 1 if choices.padding == "zero" else min(shape)
    sizes = list(range(1, int(min(net.receptive_field, largest)) + 1, 2))
    if choices.window is not None:
        sizes = [choices.window]
    numbers = range(CALIBRATION, CALIBRATION + choices.calibration)
    make = partial(denoisers.Patch, window=sizes[0], padding=choices.padding, backend=run.backend, labels=_labels(run))
    patch = share(make, run.images)
    if run.labels is not None:
        classes = classes_of(run.labels, numbers)  # (B,)
        net, patch = net.conditional(classes), denoisers.ByLabel(patch.conditional, classes)
    progress = partial(bar, total=choices.steps, label="calibrating")
    x = noise(run.schedule, choices.seed, numbers, run.images)  # (B, H, W, C)
    return calibrate(net, patch, run.schedule, x, run.times, sizes, progress=progress, parts=PARTS, uphill=True)


def formulas(
    run: Run, table: Callable[[float, float], float], share: Share = alone, only: tuple[str, ...] | None = None
) -> dict[str, Denoiser]:
    """{name: denoiser} for the closed forms that were chosen, or for those in `only`; `share` is from `spread`.

    `table`: the window at each noise level. With classes, denoisers of a batch of all of the run's seeds. Those with
    windows told beforehand are not among them: see `edudiff.runs.prediction`.
    """
    patch: dict[str, Any] = {
        "window": 1,
        "padding": run.choices.padding,
        "backend": run.backend,
        "labels": _labels(run),
    }
    shared: dict[str, Any] = {
        "els": partial(denoisers.Patch, **patch),
        "local": partial(denoisers.Patch, shifts=False, **patch),
        "ideal": partial(denoisers.Ideal, labels=_labels(run)),
    }
    whole: dict[str, Any] = {
        "linear": denoisers.Linear.fit,
        "composite": partial(denoisers.Composite, window=partial(_covering, table, max(run.images.shape[1:3]))),
        "smoothed": partial(_smoothed, run.choices.seed),
        "masked": partial(denoisers.Masked, tau=TAU.get(run.choices.data, OTHER_TAU)),
    }
    made: dict[str, Denoiser] = {}
    wanted = run.choices.denoisers if only is None else only
    for name in (name for name in FORMULAS if name in wanted and name not in RULES):
        if name in shared:
            of_class = _of_denoiser(share(shared[name], run.images))
        elif name == "linear" and isinstance(share, OnCluster):
            of_class = _of_scatters(share.scatters())
        else:
            of_class = _of_images(whole[name], run.images, run.labels)
        made[name] = of_class(None) if run.classes is None else denoisers.ByLabel(of_class, run.classes)
        if name in WINDOWED:
            made[name] = denoisers.Between(made[name], table)
    return made


def _covering(table: Callable[[float, float], float], longest: int, alpha: float, sigma: float) -> int:
    """The window of a composite denoiser: the whole number next to that of `table`, and no more than the image."""
    return min(longest, max(1, round(table(alpha, sigma))))


def _smoothed(seed: int, images: Array) -> denoisers.Smoothed:
    """The smoothed denoiser with the spread and the number of copies that are usual, its movements from the seed."""
    return denoisers.Smoothed(images, rng=np.random.default_rng((seed, MOVEMENTS)))


def _labels(run: Run) -> Array | None:
    """The labels that a formula is told here. The workers of a cluster read their own."""
    return run.labels if run.choices.scheduler is None else None


# Each a function from a label, or None for all images, to the formula of the images of that class.


def _of_denoiser(denoiser: Any) -> Callable[[Any], Denoiser]:
    return lambda label: denoiser if label is None else denoiser.conditional(label)


def _of_scatters(scatters: dict[Any, denoisers.Scatter]) -> Callable[[Any], Denoiser]:
    return lambda label: scatters[label].linear()


def _of_images(make: Make, images: Array, labels: Any) -> Callable[[Any], Denoiser]:
    xp = array_namespace(images)
    return lambda label: make(images if label is None else images[xp.asarray((labels == label).nonzero()[0])])
