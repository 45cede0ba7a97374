"""Architecture decides what is invented, in the plane: the same points and the same noise through seven denoisers.

Each denoiser knows something else of the data: the ideal one all points, the linear one mean and covariance, a
polynomial the first moments, a bottleneck of rank 1 one direction, a network what its size lets it learn.
"""

import time
from dataclasses import dataclass

import numpy as np

from edudiff import denoisers, nn, schedule
from edudiff.compare.distances import distances
from edudiff.compare.novelty import novelty
from edudiff.data import toys
from edudiff.reverse import sample, start
from edudiff.support.random import streams

SETS = {
    "ring": toys.ring,
    "moons": toys.two_moons,
    "eight_gaussians": toys.eight_gaussians,
    "checkerboard": toys.checkerboard,
}
NETWORKS = {"mlp_small": {"width": 16, "depth": 1}, "mlp_large": {"width": 128, "depth": 2}}
STOP = 10.0  # standard deviations at which a polynomial's diverging paths are held and counted
MEASURES = ("sliced_wasserstein", "energy", "frechet", "ratio", "new")


@dataclass(frozen=True)
class Points:
    """Every choice of the experiment. `points`: of each training set, and as many are drawn. `steps`: reverse steps."""

    points: int = 1000
    steps: int = 50
    train_steps: int = 2000
    batch: int = 128
    rate: float = 3e-3
    seed: int = 0
    draws: int = 50

    def __post_init__(self):
        for name, least in (("points", 10), ("steps", 1), ("train_steps", 1), ("batch", 1), ("draws", 20)):
            value = getattr(self, name)
            if not hasattr(value, "__index__") or value < least:
                raise ValueError(f"{name} is {value!r}, expected an integer >= {least}")


def run(job, sets=tuple(SETS), say=lambda line: None):
    """Train, draw and measure: (results, a dict of plain values; samples {set: {name: (B, 2)}}, "data" among them).

    `say`: is told each line of the table as it is measured.
    """
    begun = time.perf_counter()
    table, samples = {}, {}
    for number, name in enumerate(sets):
        rng = np.random.default_rng((job.seed, number))
        data, fresh, other = (SETS[name](job.points, rng) for _ in range(3))  # (N, 2) each
        samples[name] = {"data": data}
        table[name] = {"data": measure(other, data, fresh, None, job)}
        say(row(name, "data", table[name]["data"]))
        for denoiser, denoise in denoisers_of(data, job).items():
            samples[name][denoiser] = draw(denoise, job)
            table[name][denoiser] = measure(samples[name][denoiser], data, fresh, denoise, job)
            say(row(name, denoiser, table[name][denoiser]))
    return {"table": table, "seconds": time.perf_counter() - begun}, samples


def denoisers_of(data, job):
    """{name: denoiser} of the training points (N, 2): closed forms, and two networks trained alike."""
    return {
        "ideal": denoisers.Ideal(data),
        "linear": denoisers.Linear.fit(data),
        "polynomial_3": denoisers.Polynomial.fit(data, 3, stop=STOP),
        "polynomial_5": denoisers.Polynomial.fit(data, 5, stop=STOP),
        "bottleneck_1": denoisers.Bottleneck.fit(data, 1),
        **{name: trained(data, job, **size) for name, size in NETWORKS.items()},
    }


def trained(data, job, width, depth):
    """A multilayer perceptron trained on the points (N, 2): its averaged weights."""
    scale = float(np.sqrt((data**2).mean()))
    net = nn.MLP(2, width, depth, sigma_data=scale, rng=np.random.default_rng((job.seed, 1)))
    rng = np.random.default_rng((job.seed, 2))
    images = data.astype(np.float32)  # (N, 2)
    *_, state = nn.train(net, images, schedule.cosine(), rng, job.train_steps, batch=job.batch, rate=job.rate)
    return state.ema


def draw(denoise, job):
    """As many points as there are training points, from the same noise for every denoiser: (N, 2).

    The times fall as squares, so that the last step begins where the noise is smaller than the points are apart.
    """
    chosen = schedule.cosine()
    x = start(chosen, (job.points, 2), streams(job.seed, job.points))  # (N, 2)
    return sample(denoise, chosen, x, chosen.times(job.steps) ** 2, method="heun")


def measure(points, data, fresh, denoise, job):
    """One row of the table: distances to `fresh` points of the law, novelty against the training `data`, moments.

    With a `denoise` whose law is known, also how far the sample is from it: its `Difference`.
    """
    rng = np.random.default_rng((job.seed, 3))
    found = distances(points, fresh, rng, job.draws) | novelty(points, data, rng, job.draws)
    kept = {name: interval._asdict() for name, interval in found.items()}
    kept |= {"mean": points.mean(0).tolist(), "covariance": np.cov(points.T, bias=True).tolist()}
    if isinstance(denoise, denoisers.Linear):  # the bottleneck too
        law = denoise.generated(first=schedule.cosine()(1.0))
        kept["law"] = {"mean": law.mean.tolist(), "covariance": law.covariance.tolist()}
        kept["off_the_law"] = law.difference(points)._asdict()
    if isinstance(denoise, denoisers.Polynomial):
        kept["diverged"] = float(denoise.stopped(points).mean())
    return kept


def row(name, denoiser, measured):
    """A line of the table, in text; `header` is its first."""
    values = " ".join(f"{measured[m]['value']:>{len(m)}.3f}" for m in MEASURES)
    return f"{name:16} {denoiser:13} {values}" + (f"  diverged {d:.1%}" if (d := measured.get("diverged", 0)) else "")


def header():
    """The names of the columns of `row`."""
    return f"{'points':16} {'drawn by':13} " + " ".join(MEASURES)
