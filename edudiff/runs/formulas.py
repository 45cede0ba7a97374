"""The denoisers of a job: its network and the formulas, told what they need, on one machine or on a cluster."""

from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from edudiff import cluster, denoisers
from edudiff.compare.calibration import calibrate
from edudiff.runs.job import FORMULAS, TAU, classes_of, load_labels, noise, read_range
from edudiff.support.arrays import array_namespace
from edudiff.support.progress import bar

CALIBRATION = 1_000_000  # pictures from this number on are for calibration, never reported
PARTS = 10  # into which the way from one odd window size to the next is cut
WINDOWED = ("els", "local")
SPREAD = ("els", "local", "ideal")  # formulas whose training set a cluster can share


def alone(make, images):
    """A formula `make(images)` on this machine: what `spread` gives without a cluster."""
    return make(images)


@contextmanager
def spread(job):
    """Gives a function (make, images) -> make(images), or, if the job names a scheduler, the same on its cluster."""
    if job.scheduler is None:
        yield alone
        return
    read = partial(read_range, replace(job, scheduler=None))
    with cluster.connect(job.scheduler) as client:
        yield lambda make, images: cluster.Sharded(client, read, job.images, make, gpu=job.backend is None)


def for_seeds(job, net):
    """The network as a denoiser of a batch of all of the job's seeds: told their classes if the job has some."""
    labels = load_labels(job)
    return net if labels is None else net.conditional(classes_of(labels, range(job.seeds)))


def scales(job, net, images, share):
    """The window size of each reverse step, calibrated on pictures that are not reported; or the job's fixed window."""
    chosen, times = job.times()
    largest = 2 * max(images.shape[1:3]) - 1 if job.padding == "zero" else _odd(min(images.shape[1:3]))
    sizes = list(range(1, int(min(net.receptive_field, largest)) + 1, 2))
    if job.window is not None:
        sizes = [job.window]
    numbers, labels = range(CALIBRATION, CALIBRATION + job.calibration), load_labels(job)
    make = partial(denoisers.Patch, window=sizes[0], padding=job.padding, backend=job.backend, labels=labels)
    patch = share(make, images)
    if labels is not None:
        classes = classes_of(labels, numbers)  # (B,)
        net, patch = net.conditional(classes), denoisers.ByLabel(patch.conditional, classes)
    progress = partial(bar, total=job.steps, label="calibrating")
    x = noise(job, images, numbers)
    return calibrate(net, patch, chosen, x, times, sizes, progress=progress, parts=PARTS, uphill=True)


def formulas(job, images, table, share):
    """{name: denoiser} for the closed forms that the job asks for; `share` is from `spread`.

    For a job with classes, denoisers of a batch of all of the job's seeds.
    """
    labels = load_labels(job)
    patch = {"window": 1, "padding": job.padding, "backend": job.backend, "labels": labels}
    shared: dict[str, Any] = {
        "els": partial(denoisers.Patch, **patch),
        "local": partial(denoisers.Patch, shifts=False, **patch),
        "ideal": partial(denoisers.Ideal, labels=labels),
    }
    whole: dict[str, Any] = {
        "linear": denoisers.Linear.fit,
        "masked": partial(denoisers.Masked, tau=TAU.get(job.data, 0.02)),
    }
    made = {}
    for name in (name for name in FORMULAS if name in job.denoisers):
        if labels is None:
            made[name] = share(shared[name], images) if name in shared else whole[name](images)
        else:
            given = shared[name](images).conditional if name in shared else _of_class(whole[name], images, labels)
            made[name] = denoisers.ByLabel(given, classes_of(labels, range(job.seeds)))
        if name in WINDOWED:
            made[name] = denoisers.Between(made[name], table)
    return made


def _of_class(make, images, labels):
    xp = array_namespace(images)
    return lambda label: make(images[xp.asarray((labels == label).nonzero()[0])])


def _odd(number):
    return number if number % 2 else number - 1
