"""The main job: train a network on pictures, draw the same noise through it and through the formulas, report.

Each part can be called alone; `compare` is all of them in order.
"""

import json
import time
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np

from edudiff import check, cluster, denoisers, nn
from edudiff.backend import array_module, to_numpy
from edudiff.compare import metrics
from edudiff.compare.calibrate import calibrate
from edudiff.compare.experiment import agreement, draw, finger_counts
from edudiff.compare.folder import ARRAYS, NETWORK, RESULTS, open_folder, write_arrays, write_results
from edudiff.compare.job import FORMULAS, TAU, classes_of, load_labels, load_pictures, new_network, noise, read_range
from edudiff.data.fingers import count_fingers_all
from edudiff.interrupt import deferred
from edudiff.progress import bar

CALIBRATION = 1_000_000  # pictures from this number on are for calibration, never reported
SAVE_EVERY = 30.0  # seconds between checkpoints
PARTS = 10  # into which the way from one odd window size to the next is cut
WINDOWED = ("els", "local")
SPREAD = ("els", "local", "ideal")  # formulas whose training set a cluster can share


@contextmanager
def spread(job):
    """Gives a function (make, images) -> make(images), or, if the job names a scheduler, the same on its cluster."""
    if job.scheduler is None:
        yield lambda make, images: make(images)
        return
    read = partial(read_range, replace(job, scheduler=None))
    with cluster.connect(job.scheduler) as client:
        yield lambda make, images: cluster.Sharded(client, read, job.images, make, gpu=job.backend is None)


def train(job, images, folder, resume=False):
    """Train the job's network, or go on from the folder's checkpoint; returns the final `State`.

    Saves a checkpoint every half minute, at the end, and after Ctrl-C, which here stops between two steps and raises
    KeyboardInterrupt.
    """
    chosen, _ = job.times()
    path = folder / NETWORK
    labels = load_labels(job)
    net = new_network(job, images, labels)
    rng, state = np.random.default_rng((job.seed, 2)), None
    if resume:
        nn.checkpoint.load_net(path, like=net)
        state = nn.checkpoint.load(path, job.backend).to(images)
    elif path.exists():
        raise FileExistsError(f"{folder} holds a trained network; add --resume to go on with it, or name another --out")
    settings = {"batch": job.batch, "rate": job.rate, "labels": labels}
    states = nn.train(state.net if state else net, images, chosen, rng, job.train_steps, **settings, state=state)
    saved = time.perf_counter()
    first = state.step if state else 0
    with deferred() as stop:
        for state in bar(states, job.train_steps - first, "training"):
            if stop.is_set():
                break
            if time.perf_counter() - saved > SAVE_EVERY:
                nn.checkpoint.save(path, state)
                saved = time.perf_counter()
        nn.checkpoint.save(path, state)
    if stop.is_set():
        raise KeyboardInterrupt
    return state


def scales(job, net, images, share):
    """The window size of each reverse step, calibrated on pictures that are not reported; or the job's fixed window."""
    chosen, times = job.times()
    largest = 2 * max(images.shape[1:3]) - 1 if job.padding == "zero" else _odd(min(images.shape[1:3]))
    sizes = list(range(1, int(min(net.receptive_field, largest)) + 1, 2))
    if job.window is not None:
        sizes = [job.window]
    numbers, labels = range(CALIBRATION, CALIBRATION + job.calibration), load_labels(job)
    make = partial(denoisers.Patch, size=sizes[0], border=job.padding, backend=job.backend, labels=labels)
    patch = share(make, images)
    if labels is not None:
        classes = classes_of(labels, numbers)  # (B,)
        net, patch = net.given(classes), denoisers.ByLabel(patch.given, classes)
    progress = partial(bar, total=job.steps, label="calibrating")
    return calibrate(net, patch, chosen, noise(job, images, numbers), times, sizes, progress=progress, parts=PARTS)


def formulas(job, images, table, share):
    """{name: denoiser} for the closed forms that the job asks for; `share` is from `spread`.

    For a job with classes, denoisers of a batch of all of the job's seeds.
    """
    labels = load_labels(job)
    patch = {"size": 1, "border": job.padding, "backend": job.backend, "labels": labels}
    shared: dict[str, Any] = {
        "els": partial(denoisers.Patch, **patch),
        "local": partial(denoisers.Patch, shifts=False, **patch),
        "ideal": partial(denoisers.Ideal, labels=labels),
    }
    alone: dict[str, Any] = {
        "linear": denoisers.Linear.fit,
        "masked": partial(denoisers.Masked, tau=TAU.get(job.data, 0.02)),
    }
    made = {}
    for name in (name for name in FORMULAS if name in job.denoisers):
        if labels is None:
            made[name] = share(shared[name], images) if name in shared else alone[name](images)
        else:
            given = shared[name](images).given if name in shared else _of_class(alone[name], images, labels)
            made[name] = denoisers.ByLabel(given, classes_of(labels, range(job.seeds)))
        if name in WINDOWED:
            made[name] = denoisers.Between(made[name], table)
    return made


def _of_class(make, images, labels):
    xp = array_module(images)
    return lambda label: make(images[xp.asarray((labels == label).nonzero()[0])])


def compare(job, folder, resume=False, table=None):
    """The whole job: returns its results (for JSON) and its pictures {name: (seeds, H, W, C)} with their captions.

    `table`: window sizes to use, a `Scales`, instead of calibrating.
    """
    with spread(job) as share:  # before the training: no cluster is an error now, not later
        return _compare(job, folder, resume, table, share)


def _compare(job, folder, resume, table, share):
    begun = time.perf_counter()
    images = load_pictures(job)
    if job.window is not None:
        check.window(job.window, images.shape[1:3], job.padding)  # before the training, not after
    state = train(job, images, folder, resume)
    net = state.average
    calibrating = time.perf_counter()
    table = table or scales(job, net, images, share)
    calibrate_seconds = time.perf_counter() - calibrating
    chosen, times = job.times()
    machines = {"network": for_seeds(job, net), **formulas(job, images, table, share)}
    drawn, draw_seconds = draw(machines, chosen, noise(job, images, range(job.seeds)), times, progress=bar)
    index, distance = metrics.nearest(drawn["network"], images)
    results = {
        **asdict(job),
        "images": len(images),
        "size": images.shape[1],
        "shape": list(images.shape[1:]),
        "scales": [table(*chosen(t)) for t in times[:-1].tolist()],
        "scale_table": table.to_dict(),
        "loss": float(np.mean(state.losses[-100:])),
        "train_seconds": state.seconds,
        "calibrate_seconds": calibrate_seconds,
        "draw_seconds": draw_seconds,
        "agreement": agreement(drawn),
        "distance_to_nearest": float(np.median(to_numpy(distance))),
    }
    captions = {}
    if job.data == "hands":
        results["fingers"], counts = finger_counts(drawn, images, count_fingers_all)
        captions = {name: [f"{n}" for n in counts[name]] for name in drawn}
        captions["nearest"] = [f"{counts['training'][i]}" for i in to_numpy(index)]
    drawn["nearest"] = images[index]
    results["seconds"] = time.perf_counter() - begun
    return results, drawn, captions


def sample(job, images, name, folder, progress=bar):
    """Draw the job's seeds through one denoiser, `name`: "network" (of the folder's checkpoint) or a formula.

    `images`: the training set; one picture is enough if a cluster has the rest.
    """
    chosen, times = job.times()
    x = noise(job, images, range(job.seeds))
    if name == "network":
        net = nn.checkpoint.load_net(folder / NETWORK, backend=job.backend).to(images)
        return draw({name: for_seeds(job, net)}, chosen, x, times, progress=progress)
    size = job.window or 5
    with spread(job) as share:
        only = replace(job, denoisers=(name,))
        machines = formulas(only, images, lambda alpha, sigma: size, share)
        return draw(machines, chosen, x, times, progress=progress)


def kept(job, folder, table=None):
    """`compare`, or what `folder` holds of the same job: its results, with the job, and its pictures, on the host.

    A network that is there is trained to the end instead of afresh.
    """
    path, mine = folder / RESULTS, json.loads(json.dumps(asdict(job)))
    if not path.exists() or json.loads(path.read_text())["job"] != mine:
        results, drawn, _ = compare(job, open_folder(folder), (folder / NETWORK).exists(), table)
        write_arrays(folder / ARRAYS, drawn)
        write_results(path, results | {"job": mine})
    with np.load(folder / ARRAYS) as file:
        return json.loads(path.read_text()), {name: file[name] for name in file.files}


def for_seeds(job, net):
    """The network as a denoiser of a batch of all of the job's seeds: told their classes if the job has some."""
    labels = load_labels(job)
    return net if labels is None else net.given(classes_of(labels, range(job.seeds)))


def _odd(number):
    return number if number % 2 else number - 1
