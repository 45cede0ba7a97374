"""Architecture decides what is invented, in pictures: UNets that differ in one thing only, trained and drawn alike.

Every variant sees the same pictures, in the same order, with the same noise, for the same number of steps, and draws
from the same noise. Each is kept in a folder of its own, so a run that was stopped goes on where it was.
"""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edudiff import data, denoisers, nn, schedule
from edudiff.compare.bootstrap import bootstrap
from edudiff.compare.distances import distances
from edudiff.compare.novelty import diversity, novelty
from edudiff.compare.rules import face_rules
from edudiff.reverse import METHODS, sample, start
from edudiff.runs import folder as folders
from edudiff.runs.keep import keep
from edudiff.support import checks
from edudiff.support.random import streams

BASE: dict[str, Any] = {"channels": (16, 32, 64, 64, 64), "depth": 1, "pooling": "average", "attention": ()}
VARIANTS: dict[str, dict[str, Any]] = {
    "base": {},
    "pooling_max": {"pooling": "max"},
    "pooling_strided": {"pooling": "strided"},
    "pooling_none": {"pooling": "none"},
    "channels_8": {"channels": (8, 16, 32, 32, 32)},
    "channels_32": {"channels": (32, 64, 128, 128, 128)},
    "blocks_2": {"depth": 2},
    "scales_1": {"channels": (16,)},
    "scales_2": {"channels": (16, 32)},
    "scales_3": {"channels": (16, 32, 64)},
    "attention": {"attention": (2,)},
    "channels_64": {"channels": (64, 128, 256, 256, 256)},
}
USUAL = tuple(name for name in VARIANTS if name != "channels_64")  # the widest takes as long as all others
PART = 64  # pictures drawn at once


@dataclass(frozen=True)
class Table:
    """Every choice of the experiment. `drawn`: pictures of each variant. `steps`, `method`: of the reverse process;
    fresh noise in each step (ddpm) lets a network mend what it drew wrong: with ddim, more eyes fail.

    `data`: "faces" (drawn by code, with rules to check), or what `edudiff.data.load` reads: "fashion_mnist",
    "cifar10", a folder of pictures. `size`: their side; `root`: see `edudiff.data.load`.
    """

    data: str = "faces"
    images: int = 1000
    size: int = 32
    root: str | None = None
    train_steps: int = 6000
    batch: int = 8
    rate: float = 2e-3
    drawn: int = 256
    steps: int = 40
    method: str = "ddpm"
    seed: int = 0
    draws: int = 50
    variants: tuple[str, ...] = USUAL

    def __post_init__(self):
        least = {"images": 2, "size": 8, "train_steps": 1, "batch": 1, "drawn": 2, "steps": 1, "draws": 20}
        for name, smallest in least.items():
            value = getattr(self, name)
            if not hasattr(value, "__index__") or value < smallest:
                raise ValueError(f"{name} is {value!r}, expected an integer >= {smallest}")
        checks.one_of(self.method, METHODS, "method")
        for name in self.variants:
            checks.one_of(name, tuple(VARIANTS), "variants")


def load_images(job):
    """The training set and as many unseen pictures as are drawn: (N, H, W, C), (drawn, H, W, C), float32."""
    rng = np.random.default_rng(job.seed)
    if job.data == "faces":
        both = data.shapes.faces(job.images + job.drawn, job.size, rng)  # (N + drawn, H, W, 3)
    else:
        both = data.load(job.data, job.images + job.drawn, job.size, job.root, rng=rng)  # (N + drawn, H, W, C)
    return both[: job.images], both[job.images :]


def run(job, folder, say=lambda line: None):
    """Train, draw and measure every variant: (results, a dict of plain values; {name: drawn pictures}).

    What is done already in `folder` is not done again. `say`: is told each line of the table as it is measured.
    Raises ValueError if the folder holds a run with other choices, KeyboardInterrupt after Ctrl-C.
    """
    images, unseen = load_images(job)
    folders.remember(folder / folders.CHOICES, asdict(job) | {"variants": None})
    table, shown = {}, {}
    for name in ("unseen", "ideal", *job.variants):
        place = folders.open_folder(folder / name)
        if not (place / folders.RESULTS).exists():
            drawn, about = unseen, {}
            if name != "unseen":
                denoise, about = (denoisers.Ideal(images), {}) if name == "ideal" else train(job, name, images, place)
                drawn = draw(denoise, job, images)
            folders.write_arrays(place / folders.ARRAYS, {"drawn": drawn})
            folders.write_results(place / folders.RESULTS, about | measure(drawn, images, job))
        table[name] = json.loads((place / folders.RESULTS).read_text())
        with np.load(place / folders.ARRAYS) as file:
            shown[name] = file["drawn"]
        say(row(name, table[name]))
    return {"table": table, "seconds": sum(line.get("seconds", 0) for line in table.values())}, shown


def new_network(name, images):
    """An untrained variant; all begin from the same seed."""
    settings: dict[str, Any] = BASE | VARIANTS[name]
    rms = math.sqrt(float((images**2).mean()))
    return nn.UNet(**settings, image_channels=images.shape[3], sigma_data=rms, rng=np.random.default_rng(1))


def train(job, name, images, place):
    """Train a variant, or go on from its checkpoint: (the averaged network, what to report of it)."""
    path = place / folders.NETWORK
    state: Any = nn.checkpoint.load(path) if path.exists() else None
    net = state.net if state else new_network(name, images)
    rng = np.random.default_rng((job.seed, 2))
    settings = {"batch": job.batch, "rate": job.rate, "state": state}
    states = nn.train(net, images, schedule.cosine(), rng, job.train_steps, **settings)
    state = keep(states, path, job.train_steps - (state.step if state else 0), name[:12], state)
    count = sum(value.size for value in state.ema.parameters.values())
    about = {"settings": asdict(state.ema.config), "parameters": count, "loss": float(np.mean(state.losses[-100:]))}
    return state.ema, about | {"seconds": state.seconds}


def draw(denoise, job, images):
    """The job's pictures, each from its own stream of noise, the same for every variant: (drawn, H, W, C)."""
    chosen, parts = schedule.cosine(), []
    for first in range(0, job.drawn, PART):
        rngs = streams(job.seed, range(first, min(first + PART, job.drawn)))
        x = start(chosen, (len(rngs), *images.shape[1:]), rngs, like=images)  # (n, H, W, C)
        parts.append(sample(denoise, chosen, x, chosen.times(job.steps), job.method, rng=rngs))  # (n, H, W, C)
    return np.concatenate(parts)


def measure(drawn, images, job):
    """Novelty, diversity, distances to the training set and, for faces, the share that breaks each rule."""
    rng = np.random.default_rng((job.seed, 3))
    found = novelty(drawn, images, rng, job.draws) | {"diversity": diversity(drawn, images, rng, job.draws)}
    found |= distances(drawn, images, rng, job.draws)
    kept = {name: interval._asdict() for name, interval in found.items()}
    if job.data == "faces":
        kept["breaks"] = {name: interval._asdict() for name, interval in broken(drawn, rng).items()}
    return kept


def broken(drawn, rng):
    """The share of face pictures that break each rule, and "any": a dict of bootstrap `Interval`s."""
    breaks = {name: ~keeps for name, keeps in face_rules(drawn).items()}
    breaks["any"] = np.any(list(breaks.values()), axis=0)  # (B,)
    return {name: bootstrap(lambda i, b=b: b[i].mean(), len(b), rng=rng) for name, b in breaks.items()}


def row(name, measured):
    """A line of the table, in text; `header` is its first."""
    values = [f"{measured[m]['value']:9.3f}" for m in ("ratio", "new", "diversity", "frechet")]
    rules = [f"{interval['value']:8.1%}" for interval in measured.get("breaks", {}).values()]
    return f"{name:16}" + "".join(values) + "".join(rules)


def header(job):
    """The names of the columns of `row`; a rule's column is the share that breaks it."""
    rules = ("eyes", "mouth", "skin", "outline", "any") if job.data == "faces" else ()
    return f"{'drawn by':16}  novelty      new diversity  frechet" + "".join(f"{r:>8}" for r in rules)
