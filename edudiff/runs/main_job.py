"""The main job: train a network on pictures, draw the same noise through it and through the formulas, report.

Each part can be called alone; `compare` is all of them in order.
"""

import json
from dataclasses import asdict, replace
from functools import partial

import numpy as np

import edudiff
from edudiff import nn
from edudiff.compare import metrics
from edudiff.compare.comparison import agreement, draw, finger_counts
from edudiff.compare.fingers import count_fingers_all
from edudiff.denoisers import WindowSchedule
from edudiff.runs import folder as folders
from edudiff.runs.formulas import for_seeds, formulas, scales, spread
from edudiff.runs.job import load_images, load_labels, new_network, noise
from edudiff.runs.keep import keep
from edudiff.runs.parts import Parts
from edudiff.support import checks
from edudiff.support.arrays import move, to_numpy
from edudiff.support.progress import bar


def train(job, images, folder, resume=False, marks=()):
    """Train the job's network, or go on from the folder's checkpoint; returns the final `State`.

    `marks`: training steps whose states are kept too, each as STEP.npz.

    Raises FileExistsError if the folder holds a network and `resume` is not set, ValueError if that is of another
    training set or seed, KeyboardInterrupt after Ctrl-C, when the network so far is kept.
    """
    chosen, _ = job.times()
    path = folder / folders.NETWORK
    labels = load_labels(job)
    net = new_network(job, images, labels)
    rng, state = np.random.default_rng((job.seed, 2)), None
    if not resume:
        if path.exists():
            raise FileExistsError(
                f"{folder} holds a trained network; add --resume to go on with it, or name another --out"
            )
        (folder / folders.CHOICES).unlink(missing_ok=True)  # of a run that was stopped before it had a network
    choices = {name: getattr(job, name) for name in ("data", "images", "size", "seed")}
    folders.remember(folder / folders.CHOICES, choices)
    if resume:
        nn.checkpoint.load_net(path, like=net)
        state = nn.checkpoint.load(path, job.backend).to(images)
    settings = {"batch": job.batch, "rate": job.rate, "labels": labels}
    states = nn.train(state.net if state else net, images, chosen, rng, job.train_steps, **settings, state=state)
    left = job.train_steps - (state.step if state else 0)

    def mark(now):
        if now.step in marks:
            nn.checkpoint.save(folder / f"{now.step}.npz", now)

    return keep(states, path, left, "training", state, mark)


def compare(job, folder, resume=False, table=None):
    """The whole job: returns its results (for JSON) and its pictures {name: (seeds, H, W, C)} with their captions.

    `table`: window sizes to use, a `WindowSchedule`, instead of calibrating. What is done is kept in the folder: with
    `resume`, the same job goes on where it was stopped, also while it calibrates or draws.
    """
    with spread(job) as share:  # before the training: no cluster is an error now, not later
        return _compare(job, folder, resume, table, share)


def _compare(job, folder, resume, table, share):
    images = load_images(job)
    if job.window is not None:
        checks.window(job.window, images.shape[1:3], job.padding)  # before the training, not after
    state = train(job, images, folder, resume)
    net, (chosen, times) = state.ema, job.times()
    settings = {"loss": state.losses[-1], "windows": table and table.to_dict(), "version": edudiff.__version__}
    parts = Parts(folder / folders.PARTS, asdict(job) | settings)
    calibrate_seconds = 0.0
    if table is None:
        text, calibrate_seconds = parts("windows", lambda: json.dumps(scales(job, net, images, share).to_dict()))
        table = WindowSchedule.from_dict(json.loads(str(text)))
    denoisers = {"network": for_seeds(job, net), **formulas(job, images, table, share)}
    x = noise(job, images, range(job.seeds))  # (seeds, H, W, C)
    drawn, draw_seconds = {}, {}
    for name, denoiser in denoisers.items():
        batch, draw_seconds[name] = parts(name, partial(_drawn, name, denoiser, chosen, x, times))
        drawn[name] = move(batch, images)
    index, distance = metrics.nearest(drawn["network"], images)
    results = {
        **asdict(job),
        "images": len(images),
        "size": images.shape[1],
        "shape": list(images.shape[1:]),
        "windows": [table(*chosen(t)) for t in times[:-1].tolist()],
        "window_schedule": table.to_dict(),
        "loss": float(np.mean(state.losses[-100:])),
        "train_seconds": state.seconds,
        "calibrate_seconds": calibrate_seconds,
        "draw_seconds": draw_seconds,
        "seconds": state.seconds + calibrate_seconds + sum(draw_seconds.values()),
        "agreement": agreement(drawn),
        "distance_to_nearest": float(np.median(to_numpy(distance))),
    }
    captions = {}
    if job.data == "hands":
        results["fingers"], counts = finger_counts(drawn, images, count_fingers_all)
        captions = {name: [f"{n}" for n in counts[name]] for name in drawn}
        captions["nearest"] = [f"{counts['training'][i]}" for i in to_numpy(index)]
    drawn["nearest"] = images[index]
    return results, drawn, captions


def _drawn(name, denoise, chosen, x, times):
    images, _ = draw({name: denoise}, chosen, x, times, progress=bar)
    return images[name]


def sample(job, images, name, folder, progress=bar):
    """Draw the job's seeds through one denoiser, `name`: "network" (of the folder's checkpoint) or a formula.

    `images`: the training set; one picture is enough if a cluster has the rest.
    """
    chosen, times = job.times()
    x = noise(job, images, range(job.seeds))
    if name == "network":
        net = nn.checkpoint.load_net(folder / folders.NETWORK, backend=job.backend).to(images)
        return draw({name: for_seeds(job, net)}, chosen, x, times, progress=progress)
    size = 5 if job.window is None else job.window
    with spread(job) as share:
        only = replace(job, denoisers=(name,))
        denoisers = formulas(only, images, lambda alpha, sigma: size, share)
        return draw(denoisers, chosen, x, times, progress=progress)


def kept(job, folder, table=None):
    """`compare`, or what `folder` holds of the same job: its results, with the job, and its pictures, on the host.

    A network that is there is trained to the end instead of afresh. With another `table` all is drawn anew.
    """
    path, mine = folder / folders.RESULTS, asdict(job)
    same = folders.holds(path, mine)
    if same and table is not None:
        same = json.loads(path.read_text())["window_schedule"] == table.to_dict()
    if not same:
        results, drawn, _ = compare(job, folders.open_folder(folder), (folder / folders.NETWORK).exists(), table)
        folders.write_arrays(folder / folders.ARRAYS, drawn)
        folders.write_results(path, results | {"job": mine})
        (folder / folders.PARTS).unlink(missing_ok=True)
    with np.load(folder / folders.ARRAYS) as file:
        return json.loads(path.read_text()), {name: file[name] for name in file.files}
