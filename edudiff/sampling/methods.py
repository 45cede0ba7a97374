"""All ways back by name: those of `edudiff.reverse`, and the faster and the noisier ones of this folder."""

from collections.abc import Iterator
from typing import Any

from edudiff import reverse
from edudiff.reverse import Step
from edudiff.sampling.churn import churn_steps
from edudiff.sampling.langevin import annealed_steps
from edudiff.sampling.multistep import multistep_steps
from edudiff.schedule import Schedule
from edudiff.support import checks
from edudiff.support.types import Array, Denoiser, Rng

METHODS = (*reverse.METHODS, "multistep", "churn", "langevin")
DRAWING = ("ddpm", "euler_maruyama", "churn", "langevin")  # methods that draw noise


def steps(
    denoise: Denoiser,
    schedule: Schedule,
    x: Array,
    times: Array,
    method: str = "multistep",
    rng: Rng = None,
    **settings: Any,
) -> Iterator[Step]:
    """As `edudiff.reverse.steps`, with more methods: walks `x` (B, ...) down the falling `times`.

    `method`: one of METHODS. "multistep": second order for one question a step (`multistep_steps`). "churn": Heun with
    fresh noise (`churn_steps`). "langevin": annealed Langevin dynamics (`annealed_steps`). `settings`: what the method
    takes beside these, such as `churn` or `size`, or `eta` of "ddim". Raises ValueError for another method, or one that
    draws noise without an `rng`.
    """
    checks.one_of(method, METHODS, "method")
    if method in DRAWING and rng is None:
        raise ValueError(f"method {method!r} draws noise: pass rng=numpy.random.default_rng(seed)")
    if method == "multistep":
        return multistep_steps(denoise, schedule, x, times, **settings)
    if method == "churn":
        return churn_steps(denoise, schedule, x, times, rng, **settings)
    if method == "langevin":
        return annealed_steps(denoise, schedule, x, times, rng, **settings)
    return reverse.steps(denoise, schedule, x, times, method, rng=rng, **settings)


def sample(
    denoise: Denoiser,
    schedule: Schedule,
    x: Array,
    times: Array,
    method: str = "multistep",
    rng: Rng = None,
    **settings: Any,
) -> Array:
    """The last batch of `steps`, (B, ...): the same loop, exhausted."""
    for step in steps(denoise, schedule, x, times, method, rng, **settings):
        x = step.x_next
    return x
