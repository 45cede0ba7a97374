"""The experiment: the same noise through every denoiser, and how alike the pictures are."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from edudiff.compare import metrics
from edudiff.reverse import start
from edudiff.reverse import steps as reverse_steps
from edudiff.schedule import Schedule
from edudiff.support.arrays import to_numpy
from edudiff.support.random import streams
from edudiff.support.types import Array, Denoiser

Denoisers: TypeAlias = Mapping[Any, Denoiser]  # by name
Images: TypeAlias = Mapping[Any, Array]
Progress: TypeAlias = Callable[..., Iterable] | None  # (iterable, total, label), and shows how far it is


def draw(
    denoisers: Denoisers, schedule: Schedule, x: Array, times: Array, method: str = "ddim", progress: Progress = None
) -> tuple[dict[Any, Array], dict[Any, float]]:
    """Send the noise `x` (B, ...) through each denoiser along the same `times`.

    `denoisers`: {name: denoise}. `progress`: such as a progress bar.
    Returns {name: pictures (B, ...)} and {name: seconds}.
    """
    images, seconds = {}, {}
    for name, denoise in denoisers.items():
        walk = reverse_steps(denoise, schedule, x, times, method)
        begun = time.perf_counter()
        for step in progress(walk, len(times) - 1, name) if progress else walk:
            images[name] = step.x_next
        seconds[name] = time.perf_counter() - begun
    return images, seconds


def experiment(
    denoisers: Denoisers,
    schedule: Schedule,
    times: Array,
    shape: Sequence[int],
    seed: int = 0,
    count: int | Sequence[int] = 32,
    like: Array | None = None,
    method: str = "ddim",
    progress: Progress = None,
) -> tuple[dict[str, Array], dict[str, float], dict[str, dict[str, Any]]]:
    """The whole comparison: noise from `seed`, drawn through every denoiser, and how well each predicts the network.

    `denoisers`: {name: denoise}, among them "network", the one to be predicted. `shape`: of one picture, (H, W, C).
    `count`: how many pictures, or their numbers. `like`: an array whose dtype and device the noise takes.
    Returns {name: pictures (B, H, W, C)}, {name: seconds} and the table of `agreement`.
    """
    rng = streams(seed, count)
    x = start(schedule, (len(rng), *shape), rng, like)  # (B, H, W, C)
    drawn, seconds = draw(denoisers, schedule, x, times, method, progress)
    return drawn, seconds, agreement(drawn)


def agreement(images: Images, reference: str = "network", baseline: str = "ideal") -> dict[str, dict[str, Any]]:
    """How well each denoiser's pictures predict those of `reference`, from the same noise.

    `images`: {name: (B, ...)}. Returns {name: {...}} for every other name: `pearson_r`, `r_squared` and `r2_score`,
    medians over the B seeds, `beats_ideal`, the share of seeds on which it is closer to the reference than `baseline`
    is, by Pearson r (if `baseline` was drawn), and `per_seed`, the r of each seed.
    """
    truth = images[reference]
    r = {name: to_numpy(metrics.pearson_r(truth, batch)) for name, batch in images.items() if name != reference}
    table = {}
    for name, values in r.items():
        table[name] = {
            "pearson_r": float(np.median(values)),
            "r_squared": float(np.median(values**2)),
            "r2_score": float(np.median(to_numpy(metrics.r2_score(truth, images[name])))),
            "per_seed": [round(float(v), 6) for v in values],
        }
        if baseline in r:
            table[name]["beats_ideal"] = float(np.mean(values > r[baseline]))
    return table


def stepwise(
    denoisers: Denoisers, schedule: Schedule, x: Array, times: Array, reference: str = "network"
) -> dict[str, dict[str, list[float]]]:
    """How well each denoiser predicts `reference` at every step: {name: {"answers": [...], "paths": [...]}}.

    Medians over the batch of Pearson's r between answers x0_hat, one for each step. "answers": both are asked about the
    same noisy image, that of the reference's own way from the noise `x` (B, ...) along `times`. "paths": each is asked
    about the image of its own way. Where the two part, single answers agree, and their small differences have added up.
    """
    table: dict[str, dict[str, list[float]]] = {}
    walks = {name: reverse_steps(denoise, schedule, x, times) for name, denoise in denoisers.items()}
    for steps in zip(*walks.values(), strict=True):
        at = dict(zip(walks, steps, strict=True))
        now = at[reference]
        for name, step in at.items():
            if name != reference:
                line = table.setdefault(name, {"answers": [], "paths": []})
                asked = denoisers[name](now.x, now.alpha, now.sigma)  # (B, ...)
                for kind, x0_hat in (("answers", asked), ("paths", step.x0_hat)):
                    line[kind].append(float(np.median(to_numpy(metrics.pearson_r(now.x0_hat, x0_hat)))))
    return table
