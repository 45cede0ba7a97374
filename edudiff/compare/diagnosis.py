"""What did I do wrong? Checks of a learner's own denoiser, loop and training, each of which names a mistake.

The closed forms make it possible: what the best denoisers of the training set answer is known at every noise level, and
so is where a right loop ends if the denoiser is told to answer one image.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from edudiff.compare import symptoms
from edudiff.compare.symptoms import Finding, Sampler
from edudiff.denoisers import Ideal, Linear
from edudiff.schedule import Schedule
from edudiff.support import checks
from edudiff.support.arrays import to_numpy
from edudiff.support.random import streams
from edudiff.support.types import Array, Denoiser

RATIOS = (0.15, 0.3, 0.6, 1.0, 1.7, 3.0, 5.0)  # sigma / alpha, about where the denoiser is asked
QUERIES = 16


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found: `findings`, none if nothing looks wrong, and the errors behind them.

    `errors`: {name: one for each of `ratios`}, the mean squared error of "denoise", "ideal", "linear" and "simplest"
    (which moves x / alpha towards the mean color, by the same share everywhere) on the same noisy training images.
    `ratios`: sigma / alpha.
    """

    findings: list[Finding]
    ratios: list[float]
    errors: dict[str, list[float]] = field(repr=False)

    @property
    def causes(self) -> list[str]:
        """The mistakes by name."""
        return [finding.cause for finding in self.findings]

    def __str__(self) -> str:
        lines = [str(finding) for finding in self.findings] or ["nothing looks wrong"]
        lines += ["", "mean squared error".ljust(20) + " ".join(f"{ratio:8.2f}" for ratio in self.ratios)]
        lines += [name.ljust(20) + " ".join(f"{v:8.4f}" for v in values) for name, values in self.errors.items()]
        return "\n".join(lines)


def diagnose(
    denoise: Denoiser,
    images: Array,
    schedule: Schedule,
    sampler: Sampler | None = None,
    state: Any = None,
    seed: int = 0,
) -> Diagnosis:
    """Run every check on a denoiser, and say in words what looks wrong.

    `images`: the training set, (N, H, W, C) or (N, D), floats. `schedule`: the one it is used with. `sampler`: the
    learner's own loop, a function (denoise, schedule, x, times) -> images; None is not checked. `state`: of its
    training, with `net`, `ema` and `losses` (see `edudiff.nn.train`). `seed`: of the noise that it is asked about.

    It is silent about what is right: every closed form, and a network that was trained. A mistake is named if undoing
    it helps; what only shows as a large error is called that. Raises TypeError or ValueError for images that no
    denoiser can be asked about.
    """
    checks.training_set(images)
    data = to_numpy(images).astype("float64")  # (N, ...)
    some = np.linspace(0, len(images) - 1, min(QUERIES, len(images))).round().astype(int)  # (B,)
    x0, truth = images[some], data[some]  # (B, ...), (B, ...)
    asked = [
        (alpha, sigma, symptoms.noisy(x0, alpha, sigma, streams(seed, range(i * QUERIES, i * QUERIES + len(x0)))))
        for i, (alpha, sigma) in enumerate(_levels(schedule))
    ]
    ratios = [round(sigma / alpha, 3) for alpha, sigma, _ in asked]
    found, errors = [*symptoms.of_schedule(schedule)], {}
    if form := symptoms.of_form(denoise, asked):
        found += form  # what it answers cannot be compared
    else:
        error = partial(_errors, asked=asked, truth=truth)
        spread = float((data - _color(data)).std()) or 1.0
        simplest = partial(_simplest, _color(data), spread)
        known: dict[str, Any] = {"denoise": denoise, "ideal": Ideal(images), "linear": Linear.fit(images)}
        errors = {name: error(answer) for name, answer in (known | {"simplest": simplest}).items()}
        # Of images that are all alike the right answer is that image, at every level.
        wrong = symptoms.of_level(denoise, asked) if bool((data != data[:1]).any()) else []
        wrong = wrong or symptoms.of_range([to_numpy(denoise(x, alpha, sigma)) for alpha, sigma, x in asked], data)
        wrong = wrong or symptoms.of_mistakes(denoise, error, errors, spread)
        wrong += [] if state is None else symptoms.of_state(denoise, state, error, asked)
        found += wrong or symptoms.of_error(errors, ratios)
    if sampler is not None:
        found += symptoms.of_sampler(sampler, schedule, x0[:4], seed)
    return Diagnosis(found, ratios, errors)


def _color(data: Array) -> Array:
    """The mean over all images and pixels, (C,); of flat data over all items, (D,)."""
    return data.mean(tuple(range(data.ndim - 1)))


def _simplest(color: Array, spread: float, x: Array, alpha: float, sigma: float) -> Array:
    """The best denoiser that treats all pixels alike and looks at no other: (B, ...) -> (B, ...)."""
    share = alpha * spread**2 / (alpha**2 * spread**2 + sigma**2)
    return color + share * (to_numpy(x) - alpha * color)  # (B, ...)


def _errors(answer: Callable[[Array, float, float], Array], asked: list[Any], truth: Array) -> list[float]:
    """Mean squared error at each noise level: infinite where an answer has no form, or the level is refused."""
    found = []
    for alpha, sigma, x in asked:
        try:
            x0_hat: Any = answer(x, alpha, sigma)
        except ValueError:
            x0_hat = None
        if getattr(x0_hat, "shape", None) != truth.shape:
            found.append(math.inf)
            continue
        value = float(((to_numpy(x0_hat).astype("float64") - truth) ** 2).mean())
        found.append(value if math.isfinite(value) else math.inf)
    return found


def _levels(schedule: Schedule) -> list[tuple[float, float]]:
    """(alpha, sigma) of the schedule, those nearest to RATIOS."""
    alpha, sigma = schedule(np.linspace(0.0, 1.0, 401))  # (T,), (T,)
    use = (alpha > 0) & (sigma > 0)
    alpha, sigma = alpha[use], sigma[use]
    if not len(alpha):
        raise ValueError(f"schedule {schedule.name} has no time with signal and noise")
    at = {int(abs(np.log(sigma / alpha) - math.log(ratio)).argmin()) for ratio in RATIOS}
    return [(float(alpha[i]), float(sigma[i])) for i in sorted(at, key=lambda i: sigma[i] / alpha[i])]
