"""The network of a run, trained and kept: a checkpoint now and then, and nothing lost after Ctrl-C."""

import math
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from edudiff import nn
from edudiff.runs import folder as folders
from edudiff.runs import training_set
from edudiff.runs.choices import LEARNED, SCALES
from edudiff.runs.run import Run
from edudiff.support.interrupt import deferred
from edudiff.support.memory import blamed
from edudiff.support.progress import bar

SAVE_EVERY = 30.0  # seconds between checkpoints


def train(
    run: Run, resume: bool = False, marks: Collection[int] = (), each: Callable[[nn.State], None] | None = None
) -> nn.State:
    """Train the run's network, or go on from its folder's checkpoint; returns the final `State`.

    `marks`: training steps whose states are kept too, each as STEP.npz. `each`: is called with the state after every
    step.

    Raises FileExistsError if the folder holds a network and `resume` is not set, ValueError if that has learned other
    choices or images than the run's or more steps, KeyboardInterrupt after Ctrl-C, when the network so far is kept.
    """
    choices, path = run.choices, run.folder / folders.NETWORK
    made = training_set.fingerprint(run.images, run.labels)
    before, state = {}, None
    check_network(run.folder, resume)
    if resume:
        before = folders.recall(run.folder)
        folders.refuse_changes(run.folder, before, {name: getattr(choices, name) for name in LEARNED})
        training_set.refuse_another(run.folder, choices.data, before.get("training_set"), made)
        nn.checkpoint.load_net(path, like=new_network(run))
        state = nn.checkpoint.load(path, run.backend).to(run.images)
        if choices.train_steps < state.step:
            told = f"train_steps is {choices.train_steps}, but the saved run has done {state.step} already"
            raise ValueError(f"{told}; expected at least as many")
    net, rng = state.net if state else new_network(run), np.random.default_rng((choices.seed, 2))
    settings: dict[str, Any] = {"batch": choices.batch, "rate": choices.rate, "labels": run.labels, "state": state}
    states = nn.train(net, run.images, run.schedule, rng, choices.train_steps, **settings)
    if not resume:
        training_set.keep(run.folder, choices.data, run.images, run.labels)
    folders.write_down(run.folder, before, asdict(choices) | {"training_set": made})
    left = choices.train_steps - (state.step if state else 0)

    def mark(now: nn.State) -> None:
        if now.step in marks:
            nn.checkpoint.save(run.folder / f"{now.step}.npz", now)
        if each:
            each(now)

    with blamed("batch", "channels", "depth"):
        return keep(states, path, left, "training", state, mark)


def check_network(folder: Path, resume: bool) -> None:
    """Raise FileExistsError if the folder holds a network and `resume` is not set, FileNotFoundError the other way."""
    there = (folder / folders.NETWORK).exists()
    if resume and not there:
        raise FileNotFoundError(f"{folder} holds no trained network to go on with; leave out --resume")
    if there and not resume:
        raise FileExistsError(f"{folder} holds a trained network; add --resume to go on with it, or name another --out")


def new_network(run: Run) -> Any:
    """An untrained network of the run's architecture, where its images are."""
    choices, images, labels = run.choices, run.images, run.labels
    settings: dict[str, Any] = {"padding": choices.padding, "embedding": choices.embedding, "target": choices.target}
    settings |= {"depth": choices.depth, "attention": choices.attention, "backend": run.backend}
    settings |= {"image_channels": images.shape[3], "sigma_data": math.sqrt(float((images**2).mean()))}
    settings |= {"classes": None if labels is None else int(labels.max()) + 1}
    rng = np.random.default_rng((choices.seed, 1))
    if choices.net == "resnet":
        return nn.ResNet(choices.channels, rng=rng, **settings).to(images)
    return nn.UNet([choices.channels << scale for scale in range(SCALES)], rng=rng, **settings).to(images)


def keep(
    states: Iterable[nn.State],
    path: Path,
    total: int,
    label: str,
    state: nn.State | None = None,
    each: Callable[[nn.State], None] | None = None,
) -> Any:
    """Go through the `states` of `nn.train` and keep the last at `path`; returns it.

    A checkpoint is written every half minute, at the end, and after Ctrl-C, which here stops between two steps and
    raises KeyboardInterrupt. `total`: how many states there will be; `label`: what the progress bar says. `state`: what
    is returned if there are none. `each`: is called with every state.
    """
    saved = time.perf_counter()
    with deferred() as stop:
        for state in bar(states, total, label):
            if each:
                each(state)
            if stop.is_set():
                break
            if time.perf_counter() - saved > SAVE_EVERY:
                nn.checkpoint.save(path, state)
                saved = time.perf_counter()
        if total and state:
            nn.checkpoint.save(path, state)
    if stop.is_set():
        raise KeyboardInterrupt
    return state


def results(run: Run, state: nn.State) -> dict[str, Any]:
    """What is reported of a training that is done."""
    found = {"data": run.choices.data, "images": len(run.images), "size": run.images.shape[1]}
    found |= {"train_steps": state.step, "seed": run.choices.seed}
    return found | {"loss": float(np.mean(state.losses[-100:])), "train_seconds": state.seconds}
