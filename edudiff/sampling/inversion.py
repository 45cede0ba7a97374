"""Inversion: the probability flow the other way, from an image to the noise that draws it."""

from itertools import pairwise
from typing import Any

import numpy as np

from edudiff import reverse
from edudiff.reverse import Level, ddim, heun
from edudiff.schedule import Schedule
from edudiff.support import checks
from edudiff.support.types import Array, Denoiser

METHODS = ("ddim", "heun")


def invert(denoise: Denoiser, schedule: Schedule, x0: Array, times: Array, method: str = "ddim") -> Array:
    """The noisy batch (B, ...) at the last of the strictly rising `times` from which the flow leads to `x0` (B, ...).

    The steps are those of `edudiff.reverse`, taken upwards: each asks the denoiser where it is, not where it will be,
    so that the way back does not retrace it but for small steps; `reconstruct` says by how much. The flow itself is
    the same curve both ways. `times` begin above 0, where the slope of the flow is 0 / 0; there x = alpha * x0, an
    image that is taken for one with this little noise. `method`: "ddim" (Song et al. 2021, section 5.4) or "heun".
    Raises ValueError for times that do not rise, or that begin without noise.
    """
    levels = _rising(schedule, x0, times)
    checks.one_of(method, METHODS, "method")
    x = levels[0].alpha * x0  # (B, ...)
    for i, (now, then) in enumerate(pairwise(levels)):
        x0_hat = denoise(x, now.alpha, now.sigma)  # (B, ...)
        checks.answer(x0_hat, x, i, now)
        x = heun(x, x0_hat, now, then, denoise) if method == "heun" else ddim(x, x0_hat, now, then)  # (B, ...)
    return x


def reconstruct(denoise: Denoiser, schedule: Schedule, x0: Array, times: Array, method: str = "ddim") -> Array:
    """`x0` (B, ...) after inversion up the rising `times` and the walk back down the same times: (B, ...).

    In units of x0: x / alpha at the first time. Its distance to `x0` falls with the number of steps, as its first
    power for "ddim" and at least as the square for "heun"; for one training point it is 0.
    """
    x = invert(denoise, schedule, x0, times, method)  # (B, ...)
    alpha, _ = schedule(float(np.asarray(times)[0]))
    return reverse.sample(denoise, schedule, x, np.asarray(times)[::-1], method) / alpha  # (B, ...)


def _rising(schedule: Schedule, x0: Array, times: Any) -> list[Level]:
    grid = np.asarray(times, dtype="float64")
    if grid.ndim != 1 or len(grid) < 2 or not (np.diff(grid) > 0).all():
        raise ValueError(
            f"times are {times}, expected at least two that rise strictly, from little noise to much, such as"
            " numpy.linspace(0.01, 1, 21)"
        )
    levels = [Level(*level) for level in checks.grid(x0, schedule, grid[::-1])][::-1]
    if levels[0].sigma == 0:
        raise ValueError(
            f"times begin at {grid[0]}, where there is no noise and no slope; begin above, such as at 0.01"
        )
    return levels
