"""The reverse process: from noise to an image, one step at a time.

`steps` is the loop, a generator: a `for` over it is the stepper, the progress bar, the plot and the test. Each method
below is one step, from the noisy batch `x` (B, ...) at the `Level` `now` to the batch at `then`, which is less noisy:
`x0_hat` (B, ...) is what the denoiser answers at `now`, and `draw()` gives fresh standard normal noise (B, ...).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from edudiff.forward import sde
from edudiff.schedule import Schedule
from edudiff.support import checks
from edudiff.support.random import as_streams, standard_normal
from edudiff.support.types import Array, Denoiser, Rng

METHODS = ("ddim", "ddpm", "heun", "euler_maruyama")
Draw: TypeAlias = Callable[[], Array]


class Level(NamedTuple):
    """One point of the grid: signal scale, noise scale, time."""

    alpha: float
    sigma: float
    t: float


@dataclass(frozen=True)
class Step:
    """One reverse step: at `t` the batch was `x` and the denoiser answered `x0_hat`; at `t_next` it is `x_next`."""

    i: int
    t: float
    t_next: float
    alpha: float
    sigma: float
    x: Array = field(repr=False)  # (B, ...), as the next two
    x0_hat: Array = field(repr=False)
    x_next: Array = field(repr=False)


def ddim(x: Array, x0_hat: Array, now: Level, then: Level, draw: Draw | None = None, eta: float = 0.0) -> Array:
    """Keep the noise that the denoiser sees; carry it to the next noise level (Song et al. 2021, eq. 12).

    `eta` replaces a part of that noise by fresh noise from `draw()`: 0 replaces none, 1 is ancestral sampling.
    """
    noise_hat = (x - now.alpha * x0_hat) / now.sigma  # (B, ...)
    fresh = eta * posterior_sigma(now, then) if draw and eta > 0 else 0.0  # 0: towards noise too
    x_next = then.alpha * x0_hat + math.sqrt(then.sigma**2 - fresh**2) * noise_hat  # (B, ...)
    return x_next + fresh * draw() if draw and fresh > 0 else x_next


def ddpm(x: Array, x0_hat: Array, now: Level, then: Level, draw: Draw) -> Array:
    """Draw from the Gaussian q(x_then | x_now, x0 = x0_hat): ancestral sampling (Ho et al. 2020, eq. 6-7)."""
    return ddim(x, x0_hat, now, then, draw, eta=1.0)


def posterior_sigma(now: Level, then: Level) -> float:
    """Standard deviation of q(x_then | x_now, x0), sigma' sqrt(1 - (alpha sigma' / alpha' sigma)**2), any schedule."""
    return then.sigma * math.sqrt(1 - (now.alpha * then.sigma / (then.alpha * now.sigma)) ** 2)


def heun(x: Array, x0_hat: Array, now: Level, then: Level, denoise: Denoiser) -> Array:
    """Second-order step of the probability-flow ODE dy/ds = noise_hat, y = x / alpha, s = sigma / alpha.

    Averages the noise seen at both ends (Karras et al. 2022, algorithm 1). The step to sigma = 0 and a step from
    alpha = 0 have one end without a slope and are Euler steps, which are DDIM steps.
    """
    x_next = ddim(x, x0_hat, now, then)  # (B, ...)
    if then.sigma == 0 or now.alpha == 0:
        return x_next
    noise_now = (x - now.alpha * x0_hat) / now.sigma  # (B, ...)
    noise_then = (x_next - then.alpha * denoise(x_next, then.alpha, then.sigma)) / then.sigma  # (B, ...)
    change = then.sigma / then.alpha - now.sigma / now.alpha
    return then.alpha * (x / now.alpha + change * (noise_now + noise_then) / 2)  # (B, ...)


def euler_maruyama(x: Array, x0_hat: Array, now: Level, then: Level, draw: Draw, sde: Callable[..., Any]) -> Array:
    """One Euler-Maruyama step of the reverse SDE dx = (f x - g2 score) dt + sqrt(g2) dw (Song et al. 2021, eq. 6)."""
    (f, g2), dt = sde(now.t), then.t - now.t
    score = (now.alpha * x0_hat - x) / now.sigma**2  # (B, ...)
    return x + (f * x - g2 * score) * dt + math.sqrt(-g2 * dt) * draw()  # (B, ...)


def steps(
    denoise: Denoiser, schedule: Schedule, x: Array, times: Array, method: str = "ddim", eta: float = 0, rng: Rng = None
) -> Iterator[Step]:
    """Walk the noisy batch `x` (B, ...), never written to, down the strictly falling `times`; yields a `Step` for each.

    `method`: one of METHODS. `rng`: for those that draw noise. Raises ValueError for a bad grid, method or answer.
    """
    draws, levels = checks.method(method, METHODS, eta, rng), checks.grid(x, schedule, times)
    draw = partial(standard_normal, as_streams(rng, len(x)) if draws else None, x.shape, like=x)
    advance: Callable[..., Array] = {
        "ddim": partial(ddim, draw=draw, eta=float(eta)),
        "ddpm": partial(ddpm, draw=draw),
        "heun": partial(heun, denoise=denoise),
        "euler_maruyama": partial(euler_maruyama, draw=draw, sde=partial(sde, schedule)),
    }[method]
    return _walk(denoise, advance, x, [Level(*level) for level in levels])


def _walk(denoise, advance, x, levels):
    for i, (now, then) in enumerate(pairwise(levels)):
        x0_hat = denoise(x, now.alpha, now.sigma)  # (B, ...)
        checks.answer(x0_hat, x, i, now)
        x_next = advance(x, x0_hat, now, then)  # (B, ...)
        yield Step(i, now.t, then.t, now.alpha, now.sigma, x, x0_hat, x_next)
        x = x_next


def sample(
    denoise: Denoiser, schedule: Schedule, x: Array, times: Array, method: str = "ddim", eta: float = 0, rng: Rng = None
) -> Array:
    """The last batch of `steps`, (B, ...): the same loop, exhausted."""
    for step in steps(denoise, schedule, x, times, method, eta, rng):
        x = step.x_next
    return x


def start(schedule: Schedule, shape: tuple[int, ...], rng: Rng, like: Array | None = None) -> Array:
    """Where the reverse process starts: sigma(1) * noise of `shape` (B, ...), in the dtype and place of `like`."""
    _, sigma = schedule(1.0)
    return sigma * standard_normal(rng, shape, like)  # (B, ...)
