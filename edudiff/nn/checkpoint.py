"""Checkpoints: the whole state of a training run in one `.npz`, without pickle, written whole or not at all."""

import json
import os
import secrets
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from edudiff.backend import to_numpy
from edudiff.nn.adam import Adam
from edudiff.nn.resnet import ResNet
from edudiff.nn.train import State

FORMAT = "edudiff checkpoint 1"


def save(path, state):
    """Write `state` to `path`: first to a file beside it, then renamed, so that `path` always holds a whole checkpoint.

    Raises OSError if the folder cannot be written or the disk is full; an older file at `path` is then untouched.
    """
    header = {
        "format": FORMAT,
        "net": state.net.config,
        "step": state.step,
        "seconds": state.seconds,
        "settings": state.settings,
        "rng": state.rng.bit_generator.state,
        "adam": {"count": state.adam.count, "decay_m": state.adam.decay_m, "decay_v": state.adam.decay_v},
    }
    arrays: dict[str, Any] = {"header": np.array(json.dumps(header)), "losses": np.array(state.losses)}
    groups = {"net": state.net.parameters, "average": state.average.parameters, "m": state.adam.m, "v": state.adam.v}
    for group, values in groups.items():
        arrays |= {f"{group}/{name}": to_numpy(value) for name, value in values.items()}
    with atomic(path) as file:
        np.savez(file, **arrays)


def load(path, backend=None):
    """Read a checkpoint: a `State` on the host, equal bit for bit to the one that was saved.

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
            net = ResNet(**header["net"], backend=backend)
            wanted = {name: value.shape for name, value in net.parameters.items()}
            groups = {group: _group(file, group, wanted) for group in ("net", "average", "m", "v")}
            rng = np.random.Generator(getattr(np.random, _known(header["rng"]["bit_generator"]))())
            rng.bit_generator.state = header["rng"]
            adam = Adam({})
            adam.m, adam.v = groups["m"], groups["v"]
            adam.count, adam.decay_m, adam.decay_v = (header["adam"][k] for k in ("count", "decay_m", "decay_v"))
            numbers: dict[str, Any] = {"step": int(header["step"]), "seconds": float(header["seconds"])}
            numbers |= {"losses": file["losses"].tolist(), "settings": dict(header["settings"])}
    except (KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile, OSError) as error:
        raise ValueError(f"{path} is not a whole edudiff checkpoint ({error}); train again or use another") from error
    return State(net.with_parameters(groups["net"]), net.with_parameters(groups["average"]), adam, rng, **numbers)


def load_net(path, like=None, backend=None):
    """The averaged network of a checkpoint, ready to draw: a `ResNet`.

    `like`: a network whose architecture it must have; raises ValueError that names the settings that differ.
    """
    net = load(path, backend).average
    if like is not None and net.config != like.config:
        differ = [f"{k}: {net.config[k]!r}, expected {v!r}" for k, v in like.config.items() if net.config[k] != v]
        raise ValueError(f"{path} holds a network of another architecture ({'; '.join(differ)})")
    return net


class atomic:
    """`with atomic(path) as file`: a binary file that appears at `path` only if the block ends without an error."""

    def __init__(self, path):
        self.path = Path(path)

    def __enter__(self):
        self.temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.part")
        self.file = open(self.temporary, "xb")
        return self.file

    def __exit__(self, kind, error, trace):
        try:
            if kind is None:
                self.file.flush()
                os.fsync(self.file.fileno())
            self.file.close()
            if kind is None:
                os.replace(self.temporary, self.path)
        finally:
            if os.path.exists(self.temporary):
                os.unlink(self.temporary)


def _group(file, group, wanted):
    values = {name: file[f"{group}/{name}"] for name in wanted}
    for name, shape in wanted.items():
        if values[name].shape != shape:
            raise ValueError(f"{group}/{name} has shape {values[name].shape}, expected {shape}")
    return values


def _known(name):
    if name not in ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"):
        raise ValueError(f"unknown random generator {name!r}")
    return name
