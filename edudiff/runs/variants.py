"""Architecture decides what is invented, in pictures: UNets that differ in one thing only, trained and drawn alike.

Every variant sees the same pictures, in the same order, with the same noise, for the same number of steps, and draws
from the same noise. Each is kept in a folder of its own, so a run that was stopped goes on where it was.
"""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from edudiff import data, denoisers, nn, plot, schedule
from edudiff.compare.bootstrap import Interval, bootstrap
from edudiff.compare.distances import distances
from edudiff.compare.novelty import diversity, novelty
from edudiff.compare.rules import face_rules
from edudiff.data.files import NAMES
from edudiff.nn.training import MOST_BATCH, MOST_RATE, MOST_STEPS
from edudiff.reverse import METHODS, sample, start
from edudiff.runs import folder as folders
from edudiff.runs import report
from edudiff.runs.choices import DATA, DRAWING, MEASURING, NETWORK, data_set
from edudiff.runs.report import Say, silent
from edudiff.runs.training import keep
from edudiff.support.files import open_folder, remove_leftovers, write_arrays, write_results
from edudiff.support.random import streams
from edudiff.support.settings import Settings, setting
from edudiff.support.tables import TextTable
from edudiff.support.types import Array, Denoiser

BASE: dict[str, Any] = {"channels": (16, 32, 64, 64, 64), "depth": 1, "pooling": "average"}
BASE |= {"attention": (), "skips": True}
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
    "no_skips": {"skips": False},
    "channels_64": {"channels": (64, 128, 256, 256, 256)},
}
USUAL = tuple(VARIANTS)[:11]  # the last, and widest, takes as long as all others
PART = 64  # images drawn at once


MEASURES = {"ratio": "novelty", "new": "new", "diversity": "diversity", "frechet": "frechet"}  # as the table calls them
RULES = ("eyes", "mouth", "skin", "outline", "any")  # the share of faces that breaks each, and any


@dataclass(frozen=True, repr=False)
class Variants(Settings):
    """Every choice of the experiment; the help of each is its explanation.

    With fresh noise in each step (ddpm) a network mends what it drew wrong: with ddim, more eyes fail.
    """

    data: str = setting(
        "faces",
        f"faces (drawn by code, with rules to check), {', '.join(NAMES)}, or a folder of images",
        check=partial(data_set, drawn=("faces",)),
        group=DATA,
    )
    images: int = setting(
        1000, "training images (default: 1000; of a folder or file of yours, all but --drawn)", least=2, group=DATA
    )
    size: int = setting(32, "side of the images in pixels", least=8, group=DATA)
    root: str | None = setting(
        None, "the folder that holds fashion_mnist/, cifar10/ (default: EDUDIFF_DATA)", metavar="DIR", group=DATA
    )
    train_steps: int = setting(6000, "steps of training of each network", least=1, most=MOST_STEPS, group=NETWORK)
    batch: int = setting(8, "images in a step of training", least=1, most=MOST_BATCH, group=NETWORK)
    rate: float = setting(2e-3, "peak learning rate", most=MOST_RATE, group=NETWORK)
    drawn: int = setting(256, "images drawn by each variant", least=2, group=DRAWING)
    steps: int = setting(40, "reverse steps", least=1, group=DRAWING)
    method: str = setting("ddpm", "how to go back", choices=METHODS, group=DRAWING)
    seed: int = setting(0, "seed of everything random", least=0, group=DRAWING)
    draws: int = setting(50, "resamples of each bootstrap interval", least=20, group=MEASURING)
    variants: tuple[str, ...] = setting(
        USUAL,
        f"which UNets: {', '.join(VARIANTS)} (default: all but the last two)",
        choices=VARIANTS,
        metavar="NAME",
        group=NETWORK,
    )


def experiment(
    choices: Variants,
    work: str | Path,
    out: str | Path,
    command: str,
    name: str = "results",
    say: Say = silent,
    images: tuple[Array, Array] | None = None,
) -> dict[str, Any]:
    """`run`, kept in the folder `work`, and write `name`.json and `name`.png to `out`. Returns the results.

    A run that was stopped goes on where it was, if it is started again with the same `work`. `say`: as for `run`.
    `images`: from `load_images`, if they are there already.
    """
    seen, unseen = load_images(choices) if images is None else images
    work, out = open_folder(work), open_folder(out)
    results, drawn = run(choices, work, seen, unseen, say)
    shown = {"training": seen} | {k.replace("_", " "): v for k, v in drawn.items() if k != "unseen"}
    title = f"{report.as_title(choices.data)}: below the training pictures, each column is the same noise"
    figure = lambda: plot.rows(shown, columns=12, title=title)  # noqa: E731
    return report.write_experiment(out / name, command, choices, results, figure)


def load_images(choices: Variants) -> tuple[Array, Array]:
    """The training set and as many unseen images as are drawn: (N, H, W, C), (drawn, H, W, C), float32."""
    count, rng = choices.images + choices.drawn, np.random.default_rng(choices.seed)
    if choices.data == "faces":
        both = data.shapes.faces(count, choices.size, rng)  # (N + drawn, H, W, 3)
    else:
        both = data.load(choices.data, count, choices.size, choices.root, rng=rng)  # (N + drawn, H, W, C)
    return both[: choices.images], both[choices.images :]


def run(
    choices: Variants, folder: Path, images: Array, unseen: Array, say: Say = silent
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Train, draw and measure every variant: (results, a dict of plain values; {name: drawn images}).

    `images`, `unseen`: from `load_images`. What is done already in `folder` is not done again. `say`: is told each line
    of the table as it is measured. Raises ValueError if the folder holds a run with other choices, KeyboardInterrupt
    after Ctrl-C.
    """
    columns = {"drawn by": "<16", **dict.fromkeys(MEASURES.values(), ">9.3f")}
    text = TextTable(columns | dict.fromkeys(RULES if choices.data == "faces" else (), ">8.1%"))
    folders.remember(folder / folders.CHOICES, asdict(choices) | {"variants": None})
    say(text.header)
    table, shown = {}, {}
    for name in ("unseen", "ideal", *choices.variants):
        place = open_folder(folder / name)
        remove_leftovers(place)
        if not (place / folders.RESULTS).exists():
            about: dict[str, Any] = {}
            if name == "unseen":
                drawn = unseen
            elif name == "ideal":
                drawn = draw(denoisers.Ideal(images), choices, images)
            else:
                net, about = train(choices, name, images, place)
                drawn = draw(net, choices, images)
            write_arrays(place / folders.ARRAYS, {"drawn": drawn})
            write_results(place / folders.RESULTS, about | measure(drawn, images, choices))
        table[name] = json.loads((place / folders.RESULTS).read_text())
        with np.load(place / folders.ARRAYS) as file:
            shown[name] = file["drawn"]
        rules = [interval["value"] for interval in table[name].get("breaks", {}).values()]
        say(text.row(name, *(table[name][measure]["value"] for measure in MEASURES), *rules))
    return {"table": table, "seconds": sum(line.get("seconds", 0) for line in table.values())}, shown


def new_network(name: str, images: Array, seed: int = 1) -> Any:
    """An untrained variant; all begin from the same seed, if no other is told."""
    settings: dict[str, Any] = BASE | VARIANTS[name]
    rms = math.sqrt(float((images**2).mean()))
    return nn.UNet(**settings, image_channels=images.shape[3], sigma_data=rms, rng=np.random.default_rng(seed))


def train(
    choices: Variants,
    name: str,
    images: Array,
    place: Path,
    make: Callable[[str, Array], Any] = new_network,
    **more: Any,
) -> tuple[Any, dict[str, Any]]:
    """Train a variant, or go on from its checkpoint: (the averaged network, what to report of it).

    `images`: (N, H, W, C), or (N, D) for a network of flat data. `make`: makes the untrained network, as `new_network`.
    `more`: what else `nn.train` is told.
    """
    path = place / folders.NETWORK
    state: Any = nn.checkpoint.load(path) if path.exists() else None
    net = state.net if state else make(name, images)
    rng = np.random.default_rng((choices.seed, 2))
    settings = {"batch": choices.batch, "rate": choices.rate, "state": state}
    states = nn.train(net, images, schedule.cosine(), rng, choices.train_steps, **settings, **more)
    state = keep(states, path, choices.train_steps - (state.step if state else 0), name[:12], state)
    count = sum(value.size for value in state.ema.parameters.values())
    about = {"settings": asdict(state.ema.config), "parameters": count, "loss": float(np.mean(state.losses[-100:]))}
    return state.ema, about | {"seconds": state.seconds}


def draw(denoise: Denoiser, choices: Variants, images: Array, begin: int = 0) -> Array:
    """The chosen number of images, each from its own stream of noise, the same for every variant: (drawn, H, W, C).

    `begin`: those before it are left out.
    """
    chosen, parts = schedule.cosine(), []
    for first in range(begin, choices.drawn, PART):
        rngs = streams(choices.seed, range(first, min(first + PART, choices.drawn)))
        x = start(chosen, (len(rngs), *images.shape[1:]), rngs, like=images)  # (n, H, W, C)
        parts.append(sample(denoise, chosen, x, chosen.times(choices.steps), choices.method, rng=rngs))  # (n, H, W, C)
    return np.concatenate(parts)


def measure(drawn: Array, images: Array, choices: Variants) -> dict[str, Any]:
    """Novelty, diversity, distances to the training set and, for faces, the share that breaks each rule."""
    rng = np.random.default_rng((choices.seed, 3))
    found = novelty(drawn, images, rng, choices.draws) | {"diversity": diversity(drawn, images, rng, choices.draws)}
    found |= distances(drawn, images, rng, choices.draws)
    kept = {name: interval._asdict() for name, interval in found.items()}
    if choices.data == "faces":
        kept["breaks"] = {name: interval._asdict() for name, interval in broken(drawn, rng).items()}
    return kept


def broken(drawn: Array, rng: np.random.Generator) -> dict[str, Interval]:
    """The share of face pictures that break each rule, and "any": a dict of bootstrap `Interval`s."""
    breaks = {name: ~keeps for name, keeps in face_rules(drawn).items()}
    breaks["any"] = np.any(list(breaks.values()), axis=0)  # (B,)
    return {name: bootstrap(lambda i, b=b: b[i].mean(), len(b), rng=rng) for name, b in breaks.items()}
