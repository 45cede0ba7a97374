"""The training windows that weigh most in each pixel of a run's formulas."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from edudiff import denoisers
from edudiff.denoisers.window_schedule import split
from edudiff.reverse import Step
from edudiff.runs.choices import Choices
from edudiff.runs.run import Run
from edudiff.support.types import Array

SHIFTS = {"els": True, "local": False, "ideal": False}  # the formulas that weigh windows, and whether those may move


def shows(choices: Choices) -> bool:
    """Whether a run of these choices has a formula that weighs windows, so that there is a page of it."""
    return bool(set(SHIFTS) & set(choices.denoisers))


@dataclass(frozen=True)
class Leading:
    """The heaviest windows of each pixel at one step: arrays (B, H, W, K), heaviest first, and of what sizes they are.

    `sizes`: {side: its part of the answer}, one odd side or the two next to a side in between. `size`, `image`, `row`,
    `column`: a window's side, training image and center, -1 where there are fewer than K. `weight`: its share of the
    answer, its part included. `effective`: (B, H, W), how many windows compete, exp of the mean entropy of the sizes.
    """

    sizes: dict[int, float]
    size: Array
    image: Array
    row: Array
    column: Array
    weight: Array
    effective: Array


def leading(run: Run, name: str, table: Any, step: Step, count: int) -> Leading:
    """The `count` heaviest windows of each pixel in the answer of the formula `name` at one `step` of the run's seeds.

    `table`: the window at each noise level. Of a side between two odd ones, windows of both weigh in, with their parts.
    """
    sizes = _sizes(run, name, table, step.alpha, step.sigma)
    shape = (*step.x.shape[:3], count * len(sizes))
    found = {key: np.full(shape, -1) for key in ("size", "image", "row", "column")}
    weight, entropy = np.zeros(shape), np.zeros(shape[:3])  # (B, H, W, K * sizes), (B, H, W)
    for n, (size, part) in enumerate(sizes.items()):
        patch = _patch(run, name, size)
        here = slice(n * count, (n + 1) * count)
        for label in [None] if run.classes is None else np.unique(run.classes).tolist():
            mine = slice(None) if label is None else (run.classes == label).nonzero()[0]
            asked: Any = patch if label is None else patch.conditional(label)
            some = denoisers.provenance(asked, step.x[mine], step.alpha, step.sigma, count)
            for key in ("image", "row", "column"):
                found[key][mine, ..., here] = getattr(some, key)
            found["size"][mine, ..., here] = np.where(some.image < 0, -1, size)
            weight[mine, ..., here] = part * some.weight
            entropy[mine] += part * asked.entropy(step.x[mine], step.alpha, step.sigma)
    best = np.argsort(-weight, axis=-1, kind="stable")[..., :count]  # (B, H, W, K)
    ordered = {key: np.take_along_axis(values, best, axis=-1) for key, values in found.items()}
    return Leading(sizes=sizes, weight=np.take_along_axis(weight, best, axis=-1), effective=np.exp(entropy), **ordered)


def covering(run: Run) -> int:
    """The side of a window that, from every pixel, sees the whole image."""
    return 2 * max(run.images.shape[1:3]) - 1


def _sizes(run: Run, name: str, table: Any, alpha: float, sigma: float) -> dict[int, float]:
    """{odd side: its part} of the windows of a formula at one noise level."""
    narrow, share = split(covering(run) if name == "ideal" else table(alpha, sigma))
    return {narrow: 1 - share, narrow + 2: share} if share else {narrow: 1.0}


def _patch(run: Run, name: str, window: int) -> Any:
    # A window that covers the image and does not move has no use for what is beyond the border.
    padding = "zero" if name == "ideal" else run.choices.padding
    settings: dict[str, Any] = {"shifts": SHIFTS[name], "padding": padding, "labels": run.labels}
    return denoisers.Patch(run.images, window, backend=run.backend, **settings)
