"""Architecture decides what is invented, in the plane: the same points and the same noise through eight denoisers.

Each denoiser knows something else of the data: the ideal one all points, the linear one mean and covariance, a
polynomial the first moments, a bottleneck of rank 1 one direction (of the points, or of the noise in them), a network
what its size lets it learn.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edudiff import denoisers, nn, plot, schedule
from edudiff.compare.distances import distances
from edudiff.compare.novelty import novelty
from edudiff.data import toys
from edudiff.nn.training import MOST_BATCH, MOST_RATE, MOST_STEPS
from edudiff.reverse import sample, start
from edudiff.runs import report
from edudiff.runs.choices import DATA, DRAWING, MEASURING, NETWORK
from edudiff.runs.report import Say, silent
from edudiff.support.files import open_folder
from edudiff.support.random import streams
from edudiff.support.settings import Settings, setting
from edudiff.support.tables import TextTable
from edudiff.support.types import Array, Denoiser

SETS = {
    "ring": toys.ring,
    "moons": toys.two_moons,
    "eight_gaussians": toys.eight_gaussians,
    "checkerboard": toys.checkerboard,
}
NETWORKS: dict[str, dict[str, int]] = {"mlp_small": {"width": 16, "depth": 1}, "mlp_large": {"width": 128, "depth": 2}}
STOP = 10.0  # standard deviations at which a polynomial's diverging paths are held and counted
MEASURES = ("sliced_wasserstein", "energy", "frechet", "ratio", "new")


TABLE = TextTable({"points": "<16", "drawn by": "<15", **dict.fromkeys(MEASURES, ">.3f"), "diverged": ">.1%"})


@dataclass(frozen=True, repr=False)
class Points(Settings):
    """Every choice of the experiment; the help of each is its explanation."""

    points: int = setting(1000, "training points, and points drawn by each denoiser", least=10, group=DATA)
    steps: int = setting(50, "reverse steps", least=1, group=DRAWING)
    train_steps: int = setting(2000, "steps of training of each network", least=1, most=MOST_STEPS, group=NETWORK)
    batch: int = setting(128, "points in a step of training", least=1, most=MOST_BATCH, group=NETWORK)
    rate: float = setting(3e-3, "peak learning rate", most=MOST_RATE, group=NETWORK)
    seed: int = setting(0, "seed of everything random", least=0, group=DRAWING)
    draws: int = setting(50, "resamples of each bootstrap interval", least=20, group=MEASURING)


def experiment(
    choices: Points, out: str | Path, command: str, name: str = "results", say: Say = silent
) -> dict[str, Any]:
    """`run`, and write `name`.json and `name`.png to the folder `out`. Returns the results with all choices.

    `say`: is told each line of the table as it is measured.
    """
    out = open_folder(out)
    results, samples = run(choices, say=say)
    return report.write_experiment(out / name, command, choices, results, lambda: plot.clouds(samples))


def run(
    choices: Points, sets: tuple[str, ...] = tuple(SETS), say: Say = silent
) -> tuple[dict[str, Any], dict[str, dict[str, Array]]]:
    """Train, draw and measure: (results, a dict of plain values; samples {set: {name: (B, 2)}}, "data" among them).

    `say`: is told each line of the table as it is measured.
    """
    begun = time.perf_counter()
    table: dict[str, Any] = {}
    samples: dict[str, dict[str, Array]] = {}
    say(TABLE.header)
    for number, name in enumerate(sets):
        rng = np.random.default_rng((choices.seed, number))
        data, fresh, other = (SETS[name](choices.points, rng) for _ in range(3))  # (N, 2) each
        samples[name] = {"data": data}
        table[name] = {"data": measure(other, data, fresh, None, choices)}
        say(row(name, "data", table[name]["data"]))
        for denoiser, denoise in denoisers_of(data, choices).items():
            samples[name][denoiser] = draw(denoise, choices)
            table[name][denoiser] = measure(samples[name][denoiser], data, fresh, denoise, choices)
            say(row(name, denoiser, table[name][denoiser]))
    return {"table": table, "seconds": time.perf_counter() - begun}, samples


def denoisers_of(data: Array, choices: Points) -> dict[str, Denoiser]:
    """{name: denoiser} of the training points (N, 2): closed forms, and two networks trained alike."""
    return {
        "ideal": denoisers.Ideal(data),
        "linear": denoisers.Linear.fit(data),
        "polynomial_3": denoisers.Polynomial.fit(data, 3, stop=STOP),
        "polynomial_5": denoisers.Polynomial.fit(data, 5, stop=STOP),
        "bottleneck_1": denoisers.Bottleneck.fit(data, 1),
        "bottleneck_eps": denoisers.Bottleneck.fit(data, 1, predict="eps"),
        **{name: trained(data, choices, **size) for name, size in NETWORKS.items()},
    }


def trained(data: Array, choices: Points, width: int, depth: int) -> Denoiser:
    """A multilayer perceptron trained on the points (N, 2): its averaged weights."""
    scale = float(np.sqrt((data**2).mean()))
    net = nn.MLP(2, width, depth, sigma_data=scale, rng=np.random.default_rng((choices.seed, 1)))
    rng = np.random.default_rng((choices.seed, 2))
    images = data.astype(np.float32)  # (N, 2)
    *_, state = nn.train(
        net, images, schedule.cosine(), rng, choices.train_steps, batch=choices.batch, rate=choices.rate
    )
    return state.ema


def draw(denoise: Denoiser, choices: Points) -> Array:
    """As many points as there are training points, from the same noise for every denoiser: (N, 2).

    The times fall as squares, so that the last step begins where the noise is smaller than the points are apart.
    """
    chosen = schedule.cosine()
    x = start(chosen, (choices.points, 2), streams(choices.seed, choices.points))  # (N, 2)
    return sample(denoise, chosen, x, chosen.times(choices.steps) ** 2, method="heun")


def measure(points: Array, data: Array, fresh: Array, denoise: Denoiser | None, choices: Points) -> dict[str, Any]:
    """One row of the table: distances to `fresh` points of the law, novelty against the training `data`, moments.

    With a `denoise` whose law is known, also how far the sample is from it: its `Difference`.
    """
    rng = np.random.default_rng((choices.seed, 3))
    found = distances(points, fresh, rng, choices.draws) | novelty(points, data, rng, choices.draws)
    kept: dict[str, Any] = {name: interval._asdict() for name, interval in found.items()}
    kept |= {"mean": points.mean(0).tolist(), "covariance": np.cov(points.T, bias=True).tolist()}
    if isinstance(denoise, denoisers.Linear):  # the bottleneck too
        law = denoise.generated(first=schedule.cosine()(1.0))
        kept["law"] = {"mean": law.mean.tolist(), "covariance": law.covariance.tolist()}
        kept["off_the_law"] = law.difference(points)._asdict()
    if isinstance(denoise, denoisers.Polynomial):
        kept["diverged"] = float(denoise.stopped(points).mean())
    return kept


def row(name: str, denoiser: str, measured: dict[str, Any]) -> str:
    """A line of the table."""
    return TABLE.row(name, denoiser, *(measured[m]["value"] for m in MEASURES), measured.get("diverged"))
