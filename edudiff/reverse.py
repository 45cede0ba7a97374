"""The reverse process: from noise to a picture, one step at a time.

`steps` is the loop, a generator: a `for` over it is the stepper, the progress bar, the plot and the test. Each method
below is one step, from the noisy batch `x` (B, ...) at the `Level` `now` to the batch at `then`, which is less noisy:
`x0_hat` (B, ...) is what the denoiser answers at `now`, and `draw()` gives fresh standard normal noise (B, ...). The
methods check nothing; `steps` checks the grid, the batch and every answer.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from edudiff.support import checks
from edudiff.support.arrays import array_namespace
from edudiff.support.random import as_streams, standard_normal


class Level(NamedTuple):
    """Signal scale, noise scale and time of one point of the grid."""

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
    x: Any
    x0_hat: Any
    x_next: Any


def ddim(x, x0_hat, now, then, draw=None, eta=0.0):
    """Keep the noise that the denoiser sees; carry it to the next noise level (Song et al. 2021, eq. 12).

    `eta` replaces a part of that noise by fresh noise from `draw()`: 0 replaces none, 1 is ancestral sampling.
    """
    noise_hat = (x - now.alpha * x0_hat) / now.sigma  # (B, ...)
    fresh = eta * posterior_sigma(now, then) if eta > 0 else 0.0  # without it, steps towards noise work too
    kept = math.sqrt(then.sigma**2 - fresh**2)
    x_next = then.alpha * x0_hat + kept * noise_hat  # (B, ...)
    return x_next + fresh * draw() if fresh > 0 else x_next


def ddpm(x, x0_hat, now, then, draw):
    """Draw from the Gaussian q(x_then | x_now, x0 = x0_hat): ancestral sampling (Ho et al. 2020, eq. 6-7)."""
    return ddim(x, x0_hat, now, then, draw, eta=1.0)


def posterior_sigma(now, then):
    """Standard deviation of q(x_then | x_now, x0), sigma' sqrt(1 - (alpha sigma' / alpha' sigma)**2), any schedule."""
    if then.sigma == 0:
        return 0.0
    return then.sigma * math.sqrt(1 - (now.alpha * then.sigma / (then.alpha * now.sigma)) ** 2)


def heun(x, x0_hat, now, then, denoise):
    """Second order step of the probability-flow ODE dy/ds = noise_hat, y = x / alpha, s = sigma / alpha.

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


def euler_maruyama(x, x0_hat, now, then, draw, sde):
    """One Euler-Maruyama step of the reverse SDE dx = (f x - g2 score) dt + sqrt(g2) dw (Song et al. 2021, eq. 6)."""
    drift, g2 = sde(now.t)
    dt = then.t - now.t
    score = (now.alpha * x0_hat - x) / now.sigma**2  # (B, ...)
    return x + (drift * x - g2 * score) * dt + math.sqrt(-g2 * dt) * draw()  # (B, ...)


METHODS = ("ddim", "ddpm", "heun", "euler_maruyama")


def steps(denoise, schedule, x, times, method="ddim", eta=0.0, rng=None) -> Iterator[Step]:
    """Walk the noisy batch `x` down the grid `times`; yields a `Step` for each.

    `denoise`: any `denoise(x, alpha, sigma) -> x0_hat` of the same shape. `x`: (B, ...) at time times[0], never
    written to. `times`: strictly falling, in [0, 1]. `method`: one of METHODS. `rng`: for the methods that draw noise,
    a Generator or one for each picture (`edudiff.support.random.streams`).

    Raises ValueError for a bad grid, an unknown method, a missing rng, or an answer of another shape or with NaN.
    """
    checks.one_of(method, METHODS, "method")
    checks.batch(x)
    levels = _grid(schedule, times)
    if not 0 <= eta <= 1:
        raise ValueError(f"eta is {eta}, expected 0 <= eta <= 1: 0 is deterministic, 1 is ancestral sampling")
    if eta > 0 and method != "ddim":
        raise ValueError(f"eta is {eta} with method {method!r}, which has none; use method 'ddim', or leave eta out")
    random = method in ("ddpm", "euler_maruyama") or eta > 0
    if random and rng is None:
        name = f"ddim with eta = {eta:g}" if method == "ddim" else repr(method)
        raise ValueError(f"method {name} draws noise: pass rng=numpy.random.default_rng(seed)")
    streams = as_streams(rng, len(x)) if random else None
    draw = partial(standard_normal, streams, x.shape, like=x)
    advance = {
        "ddim": partial(ddim, draw=draw, eta=eta),
        "ddpm": partial(ddpm, draw=draw),
        "heun": partial(heun, denoise=denoise),
        "euler_maruyama": partial(euler_maruyama, draw=draw, sde=schedule.sde),
    }[method]
    return _walk(denoise, advance, x, levels)


def _walk(denoise, advance, x, levels):
    for i, (now, then) in enumerate(pairwise(levels)):
        x0_hat = denoise(x, now.alpha, now.sigma)  # (B, ...)
        _check_answer(x, x0_hat, i, now)
        x_next = advance(x, x0_hat, now, then)  # (B, ...)
        yield Step(i, now.t, then.t, now.alpha, now.sigma, x, x0_hat, x_next)
        x = x_next


def sample(denoise, schedule, x, times, method="ddim", eta=0.0, rng=None):
    """The last batch of `steps`, (B, ...): the same loop, exhausted."""
    for step in steps(denoise, schedule, x, times, method, eta, rng):
        x = step.x_next
    return x


def start(schedule, shape, rng, like=None):
    """Where the reverse process starts: sigma(1) * noise, (B, ...). Arguments as for `forward.standard_normal`."""
    _, sigma = schedule(1.0)
    return sigma * standard_normal(rng, shape, like)  # (B, ...)


def _grid(schedule, times):
    times = np.asarray(times, dtype=np.float64)
    if times.ndim != 1 or len(times) < 2:
        raise ValueError(f"times has shape {times.shape}, expected at least two times, such as schedule.times(20)")
    if not np.all(np.diff(times) < 0):
        raise ValueError("times must fall strictly from noise (1) to the picture (0), such as schedule.times(20)")
    levels = []
    for t in times.tolist():
        alpha, sigma = schedule(t)
        levels.append(Level(alpha, sigma, t))
    if levels[-2].sigma <= 0:
        raise ValueError(f"sigma is 0 at t = {levels[-2].t}, before the last time; only the last may be free of noise")
    return levels


def _check_answer(x, x0_hat, i, now):
    if getattr(x0_hat, "shape", None) != x.shape or x0_hat.dtype != x.dtype:
        raise ValueError(
            f"step {i}: the denoiser returned {getattr(x0_hat, 'dtype', type(x0_hat).__name__)}"
            f" {getattr(x0_hat, 'shape', '')}, expected {x.dtype} {x.shape} as x"
        )
    if not bool(array_namespace(x0_hat).isfinite(x0_hat).all()):
        raise ValueError(f"step {i} (t = {now.t:.3f}, sigma = {now.sigma:.3g}): the denoiser returned NaN or infinity")
