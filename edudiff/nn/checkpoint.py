"""Checkpoints: the whole state of a training run in one `.npz`, without pickle, written whole or not at all."""

import dataclasses
import json
import math
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from edudiff.nn.adam import Adam, learning_rate
from edudiff.nn.flat import Bottleneck, Linear, Polynomial
from edudiff.nn.initial import Stored
from edudiff.nn.mlp import MLP
from edudiff.nn.net import Net
from edudiff.nn.resnet import ResNet
from edudiff.nn.training import MOST_STEPS, USUAL, History, State, checked
from edudiff.nn.unet import UNet
from edudiff.support import checks
from edudiff.support.arrays import to_numpy
from edudiff.support.files import atomic
from edudiff.support.memory import room

FORMAT = "edudiff checkpoint 1"
KINDS = (ResNet, UNet, Linear, Polynomial, Bottleneck, MLP)
HISTORIES = ("losses", "norms", "rates")
ADAM: dict[str, Callable[..., float]] = {
    **dict.fromkeys(("beta1", "beta2", "weight_decay"), checks.share),
    "epsilon": partial(checks.positive, most=1.0),
}
LONGEST_HEADER = 2**22  # bytes; a few thousand are usual
OLDER = {  # the settings that a run had before it could be told
    "decay": "cosine",
    "weight_decay": 0.0,
    "clip_norm": None,
    "labels": False,
    "drop_label": 0.1,
    "shift": 0,
    "flip": False,
    "times": "uniform",
}


def save(path: str | Path, state: State | Net, half: bool = False) -> None:
    """Write `state`, or a network alone, to `path`, which always holds a whole checkpoint: a new file is renamed to it.

    Of a network alone, which `load_net` reads, there is no training to go on with; `half`: its parameters take two
    bytes each, and are rounded to three digits. Raises OSError if the folder cannot be written or the disk is full, and
    then leaves an older file at `path` untouched; ValueError for half a training, TypeError for anything else.
    """
    if not isinstance(state, State | Net):
        raise TypeError(f"a {type(state).__name__} cannot be saved, expected save(path, state) or save(path, net)")
    if half and isinstance(state, State):
        raise ValueError("half is for a network alone: a training in three digits cannot be gone on with")
    net = state if isinstance(state, Net) else state.net
    header: dict[str, Any] = {"format": FORMAT, "kind": type(net).__name__, "net": dataclasses.asdict(net.config)}
    groups: dict[str, Any] = {"net": net.parameters}
    histories: dict[str, Any] = {}
    if isinstance(state, State):
        state.fetch()
        header |= {"step": state.step, "seconds": state.seconds, "settings": state.settings}
        header |= {"rng": _lists(state.rng.bit_generator.state)}
        header |= {"adam": {name: getattr(state.adam, name) for name in ("count", *ADAM)}}
        groups |= {"ema": state.ema.parameters, "m": state.adam.m, "v": state.adam.v}
        histories = {name: np.array(getattr(state, name), np.float64) for name in HISTORIES}
    arrays: dict[str, Any] = {"header": np.array(json.dumps(header)), **histories}
    for group, values in groups.items():
        values = {name: to_numpy(value) for name, value in values.items()}
        arrays |= {f"{group}/{name}": a.astype("float16") if half else a for name, a in values.items()}
    with atomic(path) as file:
        np.savez(file, **arrays)
    if isinstance(state, State):
        state.saved = _place(path, state.step)


def load(path: str | Path, backend: str | None = None, kinds: Sequence[type[Net]] = ()) -> State:
    """Read a checkpoint: a `State` on the host, equal bit for bit to the one that was saved.

    `kinds`: classes of networks beside those of `edudiff.nn`, where a checkpoint may hold one of your own.

    Raises FileNotFoundError, or ValueError if the file is not a whole edudiff checkpoint: of another architecture than
    its header says, with NaN or infinity, cut off, or a network alone. No code in it is ever run.
    """
    with _opened(path) as (header, arrays):
        if "step" not in header:
            raise ValueError("it holds a network alone, which load_net reads, and no training to go on with")
        nets = {group: _net(header, arrays, group, backend, kinds) for group in ("net", "ema", "m", "v")}
        rng = np.random.Generator(getattr(np.random, _known(header["rng"]["bit_generator"]))())
        rng.bit_generator.state = header["rng"]
        adam = Adam({})
        adam.m, adam.v = nets["m"].parameters, nets["v"].parameters
        if any((squares < 0).any() for squares in adam.v.values()):
            raise ValueError("its mean squares of gradients are below 0")
        adam.count = checks.integer(header["adam"]["count"], "adam count", least=0, most=MOST_STEPS)
        for name, check in ADAM.items():
            setattr(adam, name, check(header["adam"].get(name, getattr(adam, name)), name))
        step = checks.integer(header["step"], "step", least=0, most=MOST_STEPS)
        settings = {**OLDER, **header["settings"]}
        settings |= checked({**USUAL, **settings}) if header["settings"] else {}
        histories = {name: _history(arrays, name, step) for name in HISTORIES if name in arrays}
        if "rates" not in histories and step:
            course = [settings[name] for name in ("steps", "rate", "warmup", "decay")]
            histories["rates"] = [learning_rate(i, *course) for i in range(step)]
        numbers: dict[str, Any] = {"seconds": _number(header["seconds"], "seconds"), "settings": settings}
        numbers |= {"history": History(**histories), "saved": _place(Path(path), step)}
        return State(nets["net"], nets["ema"], adam, rng, step, **numbers)


def load_net(
    path: str | Path, like: Net | None = None, backend: str | None = None, kinds: Sequence[type[Net]] = ()
) -> Net:
    """The averaged network of a checkpoint, or the one that it holds alone, ready to draw. `kinds`, errors: see `load`.

    `like`: a network whose architecture it must have; raises ValueError that names the settings that differ.
    """
    with _opened(path) as (header, arrays):
        net = _net(header, arrays, "ema" if "step" in header else "net", backend, kinds)
    if like is not None and (type(net), net.config) != (type(like), like.config):
        if type(net) is not type(like):
            raise ValueError(f"{path} holds a {type(net).__name__}, expected a {type(like).__name__}")
        mine, wanted = vars(net.config), vars(like.config)
        differ = [
            f"{name}: {mine[name]!r}, expected {value!r}" for name, value in wanted.items() if mine[name] != value
        ]
        raise ValueError(f"{path} holds a network of another architecture ({'; '.join(differ)})")
    return net


@contextmanager
def _opened(path: str | Path) -> Iterator[tuple[dict[str, Any], Any]]:
    """The header of the file at `path`, and its arrays, read as they are asked for. Names the file in every error."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at {path}; expected a file that edudiff.nn.checkpoint.save wrote")
    try:
        with zipfile.ZipFile(path) as file:
            arrays = {name.removesuffix(".npy"): _Packed(file, name) for name in file.namelist()}
            written = arrays["header"]
            if written.shape != () or written.dtype.kind != "U" or written.dtype.itemsize > LONGEST_HEADER:
                raise ValueError(f"its header is {written.dtype} {written.shape}, expected one short text")
            header = json.loads(str(np.asarray(written)), parse_constant=_refused)
            if header["format"] != FORMAT:
                raise ValueError(f"its format is {header['format']!r}, expected {FORMAT!r}")
            yield header, arrays
    except (*checks.DAMAGED, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"{path} is not a whole edudiff checkpoint ({error}); train again or use another") from error


class _Packed:
    """An array in a file: what it says of itself is known before it is read, and `np.asarray` reads it."""

    def __init__(self, file: zipfile.ZipFile, name: str) -> None:
        self.file, self.name = file, name

    @cached_property
    def described(self) -> tuple[tuple[int, ...], Any]:
        """Shape and dtype. Raises ValueError for more bytes than the file has for it, or than this machine has."""
        with self.file.open(self.name) as member:
            newer = np.lib.format.read_magic(member) > (1, 0)
            read = np.lib.format.read_array_header_2_0 if newer else np.lib.format.read_array_header_1_0
            shape, _, dtype = read(member)
        size, most = math.prod(shape) * dtype.itemsize, min(self.file.getinfo(self.name).file_size, room())
        if size > most:
            raise ValueError(f"{self.name} would take {size:,} bytes, of {most:,.0f} that there can be")
        return shape, dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self.described[0]

    @property
    def dtype(self) -> Any:
        return self.described[1]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        with self.file.open(self.name) as member:
            return np.asarray(np.lib.format.read_array(member, allow_pickle=False), dtype)


def _net(header, arrays, group, backend, kinds):
    """The network of the header with the parameters of one group; only what the file holds is ever made."""
    return _kind(header.get("kind", "ResNet"), kinds)(**header["net"], rng=Stored(arrays, group), backend=backend)


def _refused(constant):
    raise ValueError(f"its header holds {constant}, expected finite numbers")


def _number(value, name):
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError(f"{name} is {value!r}, expected a finite number >= 0")
    return float(value)


def _history(arrays, name, step):
    values = arrays[name]
    if values.shape != (step,) or values.dtype.kind != "f" or not np.isfinite(values := np.asarray(values)).all():
        raise ValueError(f"{name} has shape {values.shape} and dtype {values.dtype}, expected {step} finite floats")
    return values.tolist()


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
