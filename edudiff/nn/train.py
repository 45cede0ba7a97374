"""Training as a generator: each `next` is one step of gradient descent on the denoising error."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edudiff import check
from edudiff.backend import array_module, move
from edudiff.forward import add_noise
from edudiff.nn.adam import Adam, learning_rate, update_average
from edudiff.threads import map_threads

PART = 8  # pictures that one core takes at a time
WEIGHTINGS = ("karras", "noise", "x0")


@dataclass
class State:
    """Where a training run stands after `step` steps; all that is needed to go on, bit for bit.

    `net`: the network being trained. `average`: the same architecture with averaged weights: draw with this one.
    `loss`: of the last step. `losses`: of all steps. `rng`: where the random numbers stand. `seconds`: spent on them.
    """

    net: Any
    average: Any
    adam: Adam
    rng: np.random.Generator
    step: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)

    def to(self, like):
        """A copy whose networks and Adam live where the array `like` lives."""
        adam = Adam({})
        adam.__dict__ |= vars(self.adam)
        adam.m, adam.v = ({name: move(value, like) for name, value in d.items()} for d in (self.adam.m, self.adam.v))
        return replace(self, net=self.net.to(like), average=self.average.to(like), adam=adam)

    @property
    def loss(self):
        return self.losses[-1] if self.losses else math.nan


def train(
    net,
    images,
    schedule,
    rng=None,
    steps=2000,
    *,
    batch=64,
    rate=2e-3,
    warmup=100,
    average_decay=0.999,
    weighting="karras",
    state=None,
) -> Iterator[State]:
    """Train `net` in place on `images` (N, H, W, C) until step `steps`; yields the `State` after each step.

    `rng`: a `numpy.random.Generator` for pictures, times and noise. `batch`: pictures a step. `rate`, `warmup`: peak
    learning rate and the steps that lead up to it; it falls to zero at `steps`. `weighting`: how the squared error of
    x0_hat is weighted over noise levels: "karras" (Karras et al. 2022), "noise" (Ho et al. 2020: the error of
    noise_hat) or "x0" (none). `state`: go on from there, with its rng (see `edudiff.nn.checkpoint`).

    Raises ValueError for bad settings or images, FloatingPointError with the step and advice if the loss is not finite.
    """
    check.one_of(weighting, WEIGHTINGS, "weighting")
    check.training_set(images)
    settings = {
        "steps": steps,
        "batch": batch,
        "rate": rate,
        "warmup": warmup,
        "average_decay": average_decay,
        "weighting": weighting,
        "schedule": schedule.name,
        "shape": list(images.shape),
    }
    for name in ("steps", "batch", "warmup"):
        if not hasattr(settings[name], "__index__") or settings[name] < (0 if name == "warmup" else 1):
            raise ValueError(f"{name} is {settings[name]!r}, expected a positive integer")
    if not (rate > 0 and math.isfinite(rate)):
        raise ValueError(f"rate is {rate}, expected a finite number > 0")
    if state is None:
        if rng is None:
            raise ValueError("pass rng=numpy.random.default_rng(seed): training draws pictures, times and noise")
        average = net.with_parameters({name: value.copy() for name, value in net.parameters.items()})
        state = State(net, average, Adam(net.parameters), rng, settings=settings)
    elif state.settings != settings:
        old = state.settings
        changed = [f"{k}: {old.get(k)!r} -> {v!r}" for k, v in settings.items() if old.get(k) != v]
        raise ValueError(f"the saved run had other settings ({'; '.join(changed)}); use the same, or start afresh")
    net.forward(images[:1], *schedule(0.5))  # fails now, not after hours, if the pictures do not fit the network
    return _loop(state, images, schedule)


def _loop(state, images, schedule):
    settings, net = state.settings, state.net
    while state.step < settings["steps"]:
        begun = time.perf_counter()
        loss, gradients = denoising_loss(net, images, schedule, state.rng, settings["batch"], settings["weighting"])
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"the loss is {loss} at step {state.step + 1}: training has diverged; go back to the last checkpoint or"
                f" start afresh with a rate below {settings['rate']:g} or a longer warmup than {settings['warmup']}"
            )
        rate = learning_rate(state.step, settings["steps"], settings["rate"], settings["warmup"])
        state.adam.step(net.parameters, gradients, rate)
        update_average(state.average.parameters, net.parameters, settings["average_decay"], state.step)
        state.step += 1
        state.losses.append(loss)
        state.seconds += time.perf_counter() - begun
        yield state


def denoising_loss(net, images, schedule, rng, batch, weighting):
    """Weighted squared error of x0_hat on a fresh random batch, and its gradients in the parameters of `net`.

    Returns a float and a dict of arrays. The times are stratified: one in each of `batch` equal slices of [0, 1].
    Each core takes parts of PART pictures; they are added up in order, so the sum does not depend on the cores.
    """
    x0 = images[move(rng.integers(len(images), size=batch), images)]  # (B, H, W, C)
    t = (np.arange(batch) + rng.random(batch)) / batch  # (B,)
    noise = move(rng.standard_normal(x0.shape).astype(images.dtype), images)  # (B, H, W, C)
    alpha, sigma = schedule(t)  # (B,) each
    weight = loss_weight(alpha, sigma, weighting, net.config["data_scale"]) / x0.size  # (B,)
    alpha, sigma, weight = (move(v.astype(images.dtype), images) for v in (alpha, sigma, weight))
    x = add_noise(x0, alpha, sigma, noise)  # (B, H, W, C)

    def part(some):
        x0_hat, cache = net.forward(x[some], alpha[some], sigma[some])  # (b, H, W, C)
        error = x0_hat - x0[some]  # (b, H, W, C)
        dout = 2 * weight[some, None, None, None] * error  # (b, H, W, C)
        return float((dout * error).sum() / 2), net.backward(dout, cache)

    size = PART if array_module(images) is np else batch
    losses, gradients = zip(*map_threads(part, [slice(i, i + size) for i in range(0, batch, size)]), strict=True)
    return sum(losses), {name: sum(g[name] for g in gradients) for name in gradients[0]}


def loss_weight(alpha, sigma, weighting, data_scale):
    """Weight of the squared error of x0_hat at each noise level: (B,) host arrays -> (B,).

    "karras": 1 / out**2, so that the network's own answer counts alike at every level (Karras et al. 2022, table 1).
    "noise": (alpha / sigma)**2, which makes it the squared error of noise_hat (Ho et al. 2020, eq. 14). "x0": 1.
    """
    sigma = np.maximum(sigma, 1e-4)  # t = 0 exactly would weigh infinitely
    if weighting == "karras":
        return (alpha**2 * data_scale**2 + sigma**2) / (sigma * data_scale) ** 2
    return (alpha / sigma) ** 2 if weighting == "noise" else np.ones_like(alpha)
