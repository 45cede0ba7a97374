"""Training as a generator: each `next` is one step of gradient descent on the denoising error."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edudiff.nn.adam import Adam, clip, gradient_norm, learning_rate, update_ema
from edudiff.nn.loss import denoising_loss
from edudiff.nn.net import Net
from edudiff.nn.noise_level import TIMES, WEIGHTINGS
from edudiff.schedule import Schedule
from edudiff.support import checks
from edudiff.support.arrays import array_namespace, to_numpy
from edudiff.support.memory import check_room, keep_freed_memory
from edudiff.support.types import Array

USUAL: dict[str, Any] = {  # what `train` does if it is told nothing else
    "steps": 2000,
    "batch": 64,
    "rate": 2e-3,
    "warmup": 100,
    "decay": "cosine",
    "weight_decay": 0.0,
    "clip_norm": None,
    "ema_decay": 0.999,
    "weighting": "edm",
    "drop_label": 0.1,
    "shift": 0,
    "flip": False,
    "times": "uniform",
}
MOST_STEPS, MOST_BATCH, MOST_RATE = 10**12, 10**8, 1e6  # beyond what anybody can train: a damaged or a mistyped number
FETCH = 32  # steps on a GPU whose losses come to the host together: it waits for none between


@dataclass
class History:
    """The losses of all steps of a run, the lengths of their gradients and the learning rates.

    `waiting`: on a GPU, loss and length of each of the last steps, (2,), which nobody has waited for yet.
    """

    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    waiting: list[Array] = field(default_factory=list, repr=False)


@dataclass(repr=False)
class State:
    """Where a training run stands after `step` steps; all that is needed to go on, bit for bit.

    `net`: the network being trained. `ema`: the same architecture with averaged weights: draw with this one.
    `loss`: of the last step. `losses`, `norms`, `rates`: of all steps, the last two the length of the gradient and the
    learning rate; see `edudiff.plot.history`. `rng`: where the random numbers stand. `seconds`: spent on them.
    `saved`: where its last checkpoint is, and of which step, in words.

    On a GPU the host waits for the losses of `FETCH` steps at once, or when somebody asks for them. If one is not
    finite, it then raises FloatingPointError, and is again where it was when it waited last.
    """

    net: Net
    ema: Net
    adam: Adam
    rng: np.random.Generator
    step: int = 0
    seconds: float = 0.0
    history: History = field(default_factory=History)
    settings: dict[str, Any] = field(default_factory=dict)
    saved: str = ""
    sound: Any = field(default=None, init=False)  # on a GPU, what `_go_back` needs: as of the last wait

    def to(self, like: Array) -> "State":
        """A copy whose networks and Adam live where the array `like` lives."""
        self.fetch()
        return replace(self, net=self.net.to(like), ema=self.ema.to(like), adam=self.adam.to(like))

    @property
    def losses(self) -> list[float]:
        """The losses of all steps."""
        return self.fetch().losses

    @property
    def norms(self) -> list[float]:
        """The lengths of the gradients of all steps, before they were shortened."""
        return self.fetch().norms

    @property
    def rates(self) -> list[float]:
        """The learning rates of all steps."""
        return self.history.rates

    @property
    def loss(self) -> float:
        """The loss of the last step; NaN before the first."""
        return self.losses[-1] if self.losses else math.nan

    def fetch(self) -> History:
        """The history, when the losses of all steps have arrived. Raises FloatingPointError if one is not finite."""
        history, waiting = self.history, self.history.waiting
        if waiting:
            begun = time.perf_counter()
            history.waiting = []
            pairs = to_numpy(array_namespace(*waiting).stack(waiting)).tolist()  # (waiting, 2)
            for step, (loss, norm) in enumerate(pairs, self.step - len(pairs) + 1):
                if not (math.isfinite(loss) and math.isfinite(norm)):
                    raise self._diverged(step, loss, norm)
                history.losses.append(loss)
                history.norms.append(norm)
            self.seconds += time.perf_counter() - begun
            self._keep()
        return history

    def _diverged(self, step, loss, norm):
        """The error for a step whose loss or gradient is not finite; the state is again what was kept last, if any."""
        what = f"the loss is {loss}" if not math.isfinite(loss) else f"the gradient's length is {norm}"
        text = f"{what} at step {step}: training has diverged;"
        if self.sound:
            self._go_back()
            text += f" the weights are again those of step {self.step}, when losses were last looked at;"
        return FloatingPointError(
            f"{text} {self.saved or 'no checkpoint was saved'}. Go back to it or start afresh with a rate below"
            f" {self.settings['rate']:g}, a longer warmup than {self.settings['warmup']}, or clip_norm=1.0"
        )

    def _arrays(self):
        return self.net.parameters, self.ema.parameters, self.adam.m, self.adam.v

    def _histories(self):
        return self.history.losses, self.history.norms, self.history.rates

    def _keep(self):
        """Remember this state: references are enough, as on a GPU each step makes new arrays (`adam.in_one`)."""
        lengths = [len(values) for values in self._histories()]
        numbers = self.step, self.adam.count, self.rng.bit_generator.state
        self.sound = numbers, lengths, [dict(arrays) for arrays in self._arrays()]

    def _go_back(self):
        (self.step, self.adam.count, self.rng.bit_generator.state), lengths, kept = self.sound
        for arrays, before in zip(self._arrays(), kept, strict=True):
            arrays.update(before)
        for values, length in zip(self._histories(), lengths, strict=True):
            del values[length:]

    def __repr__(self) -> str:
        loss = self.history.losses[-1] if self.history.losses else math.nan  # the last that is known
        return f"State(step={self.step}, loss={loss:.4g}, net={self.net!r})"


def train(
    net: Net,
    images: Array,
    schedule: Schedule,
    rng: np.random.Generator | None = None,
    steps: int | None = None,
    *,
    batch: int | Sequence[int] | None = None,
    rate: float | None = None,
    warmup: int | None = None,
    decay: str | float | None = None,
    weight_decay: float | None = None,
    clip_norm: float | None = None,
    ema_decay: float | None = None,
    weighting: str | None = None,
    labels: Array | None = None,
    drop_label: float | None = None,
    shift: int | None = None,
    flip: bool | None = None,
    times: str | None = None,
    state: State | None = None,
) -> Iterator[State]:
    """Train `net` in place on `images` (N, H, W, C) or (N, D) until step `steps`; yields the `State` after each step.

    `rng`: a `numpy.random.Generator` for images, times and noise. `steps`: 2000 if not told. `batch` (64): images a
    step, or a list of such numbers, taken in turn. `rate` (2e-3), `warmup` (100), `decay` ("cosine"): peak learning
    rate, the steps that lead up to it, and how it falls, "cosine" or a factor for each step (see `learning_rate`).
    `weight_decay` (0): see `Adam`. `clip_norm`: None, or the length beyond which a gradient is shortened. `ema_decay`
    (0.999): of the weights' moving average. `weighting` ("edm"): how the squared error of x0_hat counts at each noise
    level, see `noise_level.loss_weight`. `labels`: the class of each image, (N,) integers, for a network with classes;
    `drop_label` (0.1): how often one is hidden, so that the network learns to do without (see
    `Net.conditional`). `shift` (0), `flip` (False): see `loss.augment`. `times` ("uniform"): where the noise
    levels of a batch lie, see `loss.random_times`.

    `state`: go on from there (see `edudiff.nn.checkpoint`), with its rng and, of the settings, those that are not
    given here. Only `steps` may differ from before: with as many, the run is the uninterrupted one, bit for bit; with
    another number, the learning rate goes on along the course of a run that was planned for `steps` from its start,
    so that a cosine that had come down to zero rises again, for twice the steps to half the peak.

    Raises ValueError for bad settings or images, or for those that contradict the state's, FloatingPointError with the
    step, the last checkpoint and advice if the loss or the gradient is not finite; the weights are then still those of
    the step before, or, on a GPU, of when losses were last looked at, at most `FETCH` steps before.
    """
    checks.training_set(images)
    given = {"steps": steps, "batch": batch, "rate": rate, "warmup": warmup, "decay": decay, "flip": flip}
    given |= {"weight_decay": weight_decay, "clip_norm": clip_norm, "ema_decay": ema_decay, "weighting": weighting}
    given |= {"drop_label": drop_label, "shift": shift, "times": times}
    before = {} if state is None else state.settings
    settings = checked({name: before.get(name, USUAL[name]) if v is None else v for name, v in given.items()})
    settings |= {"schedule": schedule.name, "shape": list(images.shape), "labels": labels is not None}
    if (settings["shift"] or settings["flip"]) and images.ndim != 4:
        raise ValueError(f"shift and flip are for images (N, H, W, C), but images has shape {images.shape}")
    if settings["shift"] and settings["shift"] >= min(images.shape[1:3]):
        raise ValueError(f"shift is {settings['shift']}, expected less than the sides of images of {images.shape[1:3]}")
    largest = max(_in_turn(settings))
    check_room("batch", largest, largest * images[0].nbytes)
    labels = _labels(labels, net, len(images))
    if state is None:
        state = _begin(net, rng, settings)
    else:
        _check_same(state, net, settings)
        state.settings = settings
    keep_freed_memory()
    net.forward(images[:1], *schedule(0.5))  # fails now, not after hours, if the images do not fit the network
    return _loop(state, images, schedule, labels)


def checked(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of `USUAL`, each as a plain value. Raises TypeError or ValueError that names one out of range."""
    clip_norm, decay = settings["clip_norm"], settings["decay"]
    return {
        "steps": checks.integer(settings["steps"], "steps", most=MOST_STEPS),
        "batch": _batches(settings["batch"]),
        "rate": checks.positive(settings["rate"], "rate", MOST_RATE),
        "warmup": checks.integer(settings["warmup"], "warmup", least=0, most=MOST_STEPS),
        "ema_decay": checks.share(settings["ema_decay"], "ema_decay"),
        "weighting": checks.one_of(settings["weighting"], WEIGHTINGS, "weighting"),
        "decay": decay if isinstance(decay, str) and decay == "cosine" else _factor(decay),
        "weight_decay": checks.share(settings["weight_decay"], "weight_decay"),
        "clip_norm": None if clip_norm is None else checks.positive(clip_norm, "clip_norm"),
        "drop_label": checks.share(settings["drop_label"], "drop_label"),
        "shift": checks.integer(settings["shift"], "shift", least=0),
        "flip": bool(settings["flip"]),
        "times": checks.one_of(settings["times"], TIMES, "times"),
    }


def _loop(state, images, schedule, labels):
    settings, net, history = state.settings, state.net, state.history
    batches = _in_turn(settings)
    how = {name: settings[name] for name in ("weighting", "drop_label", "shift", "flip", "times")}
    xp = array_namespace(images)
    if xp is not np:
        state.fetch()
        state._keep()
    while state.step < settings["steps"]:
        begun = time.perf_counter()
        batch = batches[state.step % len(batches)]
        loss, gradients = denoising_loss(net, images, schedule, state.rng, batch, labels=labels, **how)
        norm = gradient_norm(gradients)
        if xp is not np:
            history.waiting.append(xp.stack([loss, norm]))  # (2,)
        elif math.isfinite(loss) and math.isfinite(norm):
            history.losses.append(loss)
            history.norms.append(norm)
        else:
            raise state._diverged(state.step + 1, loss, norm)
        if settings["clip_norm"] is not None:
            gradients = clip(gradients, norm, settings["clip_norm"])
        rate = learning_rate(state.step, settings["steps"], settings["rate"], settings["warmup"], settings["decay"])
        state.adam.step(net.parameters, gradients, rate)
        update_ema(state.ema.parameters, net.parameters, settings["ema_decay"], state.step)
        state.step += 1
        history.rates.append(rate)
        state.seconds += time.perf_counter() - begun
        if len(history.waiting) == FETCH or state.step == settings["steps"]:
            state.fetch()
        yield state


def _begin(net, rng, settings):
    """The `State` before the first step."""
    if rng is None:
        raise ValueError("pass rng=numpy.random.default_rng(seed): training draws images, times and noise")
    ema = net.with_parameters({name: value.copy() for name, value in net.parameters.items()})
    return State(net, ema, Adam(net.parameters, weight_decay=settings["weight_decay"]), rng, settings=settings)


def _check_same(state, net, settings):
    """Raise ValueError unless the saved state is of a network like `net`, trained with these settings."""
    if net is not state.net and net.config != state.net.config:
        raise ValueError("net is another network than the saved state's; pass state.net, or train net without a state")
    old = state.settings
    changed = [
        f"{name}: {old[name]!r} -> {value!r}"
        for name, value in settings.items()
        if name != "steps" and name in old and old[name] != value
    ]
    if changed:
        raise ValueError(f"the saved run had other settings ({'; '.join(changed)}); use the same, or start afresh")
    if settings["steps"] < state.step:
        raise ValueError(
            f"steps is {settings['steps']}, but the saved run has done {state.step} already; expected at least as many"
        )


def _batches(batch):
    if not isinstance(batch, list | tuple):
        return checks.integer(batch, "batch", most=MOST_BATCH)
    if len(batch) == 0:
        raise ValueError("batch is an empty list, expected how many images a step takes, such as [32, 64]")
    return list(checks.integers(batch, "batch", most=MOST_BATCH))


def _in_turn(settings):
    """How many images the steps take, in turn: a list."""
    return settings["batch"] if isinstance(settings["batch"], list) else [settings["batch"]]


def _factor(decay):
    if not hasattr(decay, "__float__") or not 0 < decay <= 1:
        raise ValueError(f"decay is {decay!r}, expected 'cosine', or a factor for each step, above 0 and at most 1")
    return float(decay)


def _labels(labels, net, count):
    """The labels as host integers (N,), checked against the network and the number of images; None for none."""
    if (labels is None) != (net.classes is None):
        have, lack = ("classes", "labels") if labels is None else ("labels", "classes")
        raise ValueError(f"there are {have} but no {lack}: a network made with classes=K is trained with labels=(N,)")
    return None if labels is None else checks.labels(labels, net.classes, count)
