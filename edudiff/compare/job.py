"""The main job: train a network on pictures, draw the same noise through it and through the formulas, report.

Each part can be called alone; `compare` is all of them in order. A `Job` holds every choice, so that a run can be
repeated from its `results.json`.
"""

import math
import time
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from edudiff import check, data, denoisers, nn, schedule
from edudiff.backend import choose, to_numpy
from edudiff.compare import experiment, metrics
from edudiff.compare.calibrate import calibrate
from edudiff.compare.folder import NETWORK
from edudiff.data.fingers import count_fingers_all
from edudiff.forward import streams
from edudiff.interrupt import deferred
from edudiff.progress import bar
from edudiff.reverse import start

DRAWN: dict[str, Any] = {"hands": data.shapes.hands, "strokes": data.shapes.strokes, "faces": data.shapes.faces}
FORMULAS = ("els", "local", "linear", "ideal")
CALIBRATION = 1_000_000  # pictures from this number on are for calibration, never reported
SAVE_EVERY = 30.0  # seconds between checkpoints


@dataclass(frozen=True)
class Job:
    """Every choice of a run. Names as on the command line; see `edudiff compare --help`."""

    data: str = "hands"
    images: int = 512
    size: int | None = 20
    root: str | None = None
    seed: int = 0
    channels: int = 48
    depth: int = 3
    padding: str = "zero"
    clock: str = "log_snr"
    target: str = "scaled"
    train_steps: int = 2000
    batch: int = 64
    rate: float = 2e-3
    schedule: str = "cosine"
    steps: int = 20
    seeds: int = 64
    calibration: int = 16
    window: int | None = None
    denoisers: tuple[str, ...] = FORMULAS
    backend: str | None = None

    def __post_init__(self):
        for name in ("images", "channels", "train_steps", "batch", "steps", "seeds", "calibration"):
            value = getattr(self, name)
            if not hasattr(value, "__index__") or value < 1:
                raise ValueError(f"{name} is {value!r}, expected an integer >= 1")
        for name in self.denoisers:
            check.one_of(name, FORMULAS, "denoisers")

    def times(self):
        """The noise schedule and the one time grid of network and formulas."""
        chosen = getattr(schedule, self.schedule)()
        return chosen, chosen.times(self.steps)


def load_pictures(job):
    """The training set, (N, H, W, C) float32: drawn by code, or read from files."""
    if job.data in DRAWN:
        rng = np.random.default_rng(job.seed)
        images = DRAWN[job.data](job.images, size=job.size or 20, rng=rng)
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


def new_network(job, images):
    """An untrained network of the job's architecture, where the images are."""
    rms = math.sqrt(float((images**2).mean()))
    net = nn.ResNet(
        job.channels,
        job.depth,
        image_channels=images.shape[3],
        padding=job.padding,
        clock=job.clock,
        target=job.target,
        data_scale=rms,
        rng=np.random.default_rng((job.seed, 1)),
        backend=job.backend,
    )
    return net.to(images)


def train(job, images, folder, resume=False):
    """Train the job's network, or go on from the folder's checkpoint; returns the final `State` and the seconds.

    Saves a checkpoint every half minute, at the end, and after Ctrl-C, which here stops between two steps and raises
    KeyboardInterrupt.
    """
    chosen, _ = job.times()
    path = folder / NETWORK
    net = new_network(job, images)
    rng, state = np.random.default_rng((job.seed, 2)), None
    if resume:
        nn.checkpoint.load_net(path, like=net)
        state = nn.checkpoint.load(path, job.backend).to(images)
    elif path.exists() and not (folder / "results.json").exists():
        raise FileExistsError(f"{folder} holds an unfinished run; add --resume to go on with it, or name another --out")
    settings = {"batch": job.batch, "rate": job.rate}
    states = nn.train(state.net if state else net, images, chosen, rng, job.train_steps, **settings, state=state)
    begun = saved = time.perf_counter()
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
    return state, time.perf_counter() - begun


def noise(job, images, numbers):
    """Where the drawn pictures `numbers` start, (B, H, W, C): each from its own random stream."""
    chosen, _ = job.times()
    return start(chosen, (len(numbers), *images.shape[1:]), streams(job.seed, numbers), like=images)


def scales(job, net, images):
    """The window size of each reverse step, calibrated on pictures that are not reported; or the job's fixed window."""
    chosen, times = job.times()
    largest = 2 * max(images.shape[1:3]) - 1 if job.padding == "zero" else _odd(min(images.shape[1:3]))
    sizes = list(range(3, min(net.receptive_field, largest) + 1, 2))
    if job.window is not None:
        sizes = [check.window(job.window, images.shape[1:3], job.padding)]
    x = noise(job, images, range(CALIBRATION, CALIBRATION + job.calibration))
    patch = denoisers.Patch(images, size=sizes[0], border=job.padding, backend=job.backend)
    progress = partial(bar, total=job.steps, label="calibrating")
    return calibrate(net, patch, chosen, x, times, sizes, progress=progress)


def formulas(job, images, table):
    """{name: denoiser} for the closed forms that the job asks for."""
    patch = {"scales": table, "border": job.padding, "backend": job.backend}
    makers = {
        "els": lambda: denoisers.Patch(images, **patch),
        "local": lambda: denoisers.Patch(images, shifts=False, **patch),
        "linear": lambda: denoisers.Linear.fit(images),
        "ideal": lambda: denoisers.Ideal(images),
    }
    return {name: makers[name]() for name in FORMULAS if name in job.denoisers}


def compare(job, folder, resume=False):
    """The whole job: returns its results (for JSON) and its pictures {name: (seeds, H, W, C)} with their captions."""
    begun = time.perf_counter()
    images = load_pictures(job)
    state, train_seconds = train(job, images, folder, resume)
    net = state.average
    calibrating = time.perf_counter()
    table = scales(job, net, images)
    calibrate_seconds = time.perf_counter() - calibrating
    chosen, times = job.times()
    x = noise(job, images, range(job.seeds))
    machines = {"network": net, **formulas(job, images, table)}
    drawn, draw_seconds = experiment.draw(machines, chosen, x, times, progress=bar)
    index, distance = metrics.nearest(drawn["network"], images)
    results = {
        **asdict(job),
        "images": len(images),
        "size": images.shape[1],
        "shape": list(images.shape[1:]),
        "scales": [table(*chosen(t)) for t in times[:-1].tolist()],
        "scale_table": table.to_dict(),
        "loss": float(np.mean(state.losses[-100:])),
        "train_seconds": train_seconds,
        "calibrate_seconds": calibrate_seconds,
        "draw_seconds": draw_seconds,
        "agreement": experiment.agreement(drawn),
        "distance_to_nearest": float(np.median(to_numpy(distance))),
    }
    captions = {}
    if job.data == "hands":
        results["fingers"], counts = experiment.finger_counts(drawn, images, count_fingers_all)
        captions = {name: [f"{n}" for n in counts[name]] for name in drawn}
        captions["nearest"] = [f"{counts['training'][i]}" for i in to_numpy(index)]
    drawn["nearest"] = images[index]
    results["seconds"] = time.perf_counter() - begun
    return results, drawn, captions


def sample(job, images, name, folder, progress=bar):
    """Draw the job's seeds through one denoiser, `name`: "network" (of the folder's checkpoint) or a formula."""
    chosen, times = job.times()
    if name == "network":
        denoise = nn.checkpoint.load_net(folder / NETWORK, backend=job.backend).to(images)
    else:
        size = job.window or 5
        denoise = formulas(job, images, lambda alpha, sigma: size)[name]
    x = noise(job, images, range(job.seeds))
    return experiment.draw({name: denoise}, chosen, x, times, progress=progress)


def _odd(number):
    return number if number % 2 else number - 1
