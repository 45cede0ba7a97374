"""Checkpoints: the whole state of a training run in one `.npz`, without pickle, written whole or not at all."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edudiff.nn.adam import Adam
from edudiff.nn.flat import Bottleneck, Linear, Polynomial
from edudiff.nn.mlp import MLP
from edudiff.nn.net import Net
from edudiff.nn.resnet import ResNet
from edudiff.nn.training import State
from edudiff.nn.unet import UNet
from edudiff.support import checks
from edudiff.support.arrays import to_numpy
from edudiff.support.files import atomic

FORMAT = "edudiff checkpoint 1"
KINDS = (ResNet, UNet, Linear, Polynomial, Bottleneck, MLP)
ADAM = ("count", "beta1", "beta2", "epsilon", "weight_decay")
OLDER = {  # the settings that a run had before it could be told
    "decay": "cosine",
    "weight_decay": 0.0,
    "clip_norm": None,
    "labels": False,
    "drop_label": 0.1,
    "shift": 0,
    "flip": False,
}


def save(path: str | Path, state: State) -> None:
    """Write `state` to `path`: first to a file beside it, then renamed, so that `path` always holds a whole checkpoint.

    Raises OSError if the folder cannot be written or the disk is full; an older file at `path` is then untouched.
    """
    header = {
        "format": FORMAT,
        "kind": type(state.net).__name__,
        "net": dataclasses.asdict(state.net.config),
        "step": state.step,
        "seconds": state.seconds,
        "settings": state.settings,
        "rng": _lists(state.rng.bit_generator.state),
        "adam": {name: getattr(state.adam, name) for name in ADAM},
    }
    arrays: dict[str, Any] = {"header": np.array(json.dumps(header))}
    arrays |= {"losses": np.array(state.losses), "norms": np.array(state.norms)}
    groups = {"net": state.net.parameters, "ema": state.ema.parameters, "m": state.adam.m, "v": state.adam.v}
    for group, values in groups.items():
        arrays |= {f"{group}/{name}": to_numpy(value) for name, value in values.items()}
    with atomic(path) as file:
        np.savez(file, **arrays)
    state.saved = _place(path, state.step)


def load(path: str | Path, backend: str | None = None, kinds: Sequence[type[Net]] = ()) -> State:
    """Read a checkpoint: a `State` on the host, equal bit for bit to the one that was saved.

    `kinds`: classes of networks beside those of `edudiff.nn`, where a checkpoint may hold one of your own.

    Raises FileNotFoundError, or ValueError if the file is not a whole edudiff checkpoint. No code in it is ever run.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at {path}; expected a file that edudiff.nn.checkpoint.save wrote")
    try:
        with np.load(path, allow_pickle=False) as file:
            header = json.loads(str(file["header"]))
            if header["format"] != FORMAT:
                raise ValueError(f"its format is {header['format']!r}, expected {FORMAT!r}")
            net = _kind(header.get("kind", "ResNet"), kinds)(**header["net"], backend=backend)
            wanted = {name: value.shape for name, value in net.parameters.items()}
            groups = {group: _group(file, group, wanted) for group in ("net", "ema", "m", "v")}
            rng = np.random.Generator(getattr(np.random, _known(header["rng"]["bit_generator"]))())
            rng.bit_generator.state = header["rng"]
            adam = Adam({})
            adam.m, adam.v = groups["m"], groups["v"]
            for name in ADAM:
                setattr(adam, name, header["adam"].get(name, getattr(adam, name)))
            numbers: dict[str, Any] = {"step": int(header["step"]), "seconds": float(header["seconds"])}
            numbers |= {"losses": file["losses"].tolist(), "settings": {**OLDER, **header["settings"]}}
            numbers |= {
                "norms": file["norms"].tolist() if "norms" in file else [],
                "saved": _place(path, numbers["step"]),
            }
    except (*checks.DAMAGED, TypeError) as error:
        raise ValueError(f"{path} is not a whole edudiff checkpoint ({error}); train again or use another") from error
    return State(net.with_parameters(groups["net"]), net.with_parameters(groups["ema"]), adam, rng, **numbers)


def load_net(
    path: str | Path, like: Net | None = None, backend: str | None = None, kinds: Sequence[type[Net]] = ()
) -> Net:
    """The averaged network of a checkpoint, ready to draw. `kinds`: see `load`.

    `like`: a network whose architecture it must have; raises ValueError that names the settings that differ.
    """
    net = load(path, backend, kinds).ema
    if like is not None and (type(net), net.config) != (type(like), like.config):
        if type(net) is not type(like):
            raise ValueError(f"{path} holds a {type(net).__name__}, expected a {type(like).__name__}")
        mine, wanted = vars(net.config), vars(like.config)
        differ = [
            f"{name}: {mine[name]!r}, expected {value!r}" for name, value in wanted.items() if mine[name] != value
        ]
        raise ValueError(f"{path} holds a network of another architecture ({'; '.join(differ)})")
    return net


def _group(file, group, wanted):
    values = {name: file[f"{group}/{name}"] for name in wanted}
    for name, shape in wanted.items():
        if values[name].shape != shape:
            raise ValueError(f"{group}/{name} has shape {values[name].shape}, expected {shape}")
    return values


def _lists(value):
    """A generator's state with lists for its arrays, which it also reads."""
    if isinstance(value, dict):
        return {key: _lists(entry) for key, entry in value.items()}
    return value.tolist() if isinstance(value, np.ndarray) else value


def _known(name):
    if name not in ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"):
        raise ValueError(f"unknown random generator {name!r}")
    return name


def _kind(name, kinds):
    known = {kind.__name__: kind for kind in (*KINDS, *kinds)}
    if name not in known:
        raise ValueError(f"it holds a {name!r}, expected one of {', '.join(known)}; pass its class in kinds=[...]")
    return known[name]


def _place(path, step):
    return f"its last checkpoint is {path}, of step {step}"
