"""Networks that come with the package, trained already: those of the table of agreement, a row each.

A row is drawn and compared without training: its weights, in half precision and without pickle, lie in `weights/`, and
beside them `rows.json` with the choices, the windows that were read off the network, and the command that trained it.
"""

import json
from dataclasses import asdict, dataclass, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

from edudiff import nn
from edudiff.denoisers import WindowSchedule
from edudiff.runs import folder as folders
from edudiff.runs.choices import LEARNED, Choices
from edudiff.support import checks
from edudiff.support.files import write_results

FOLDER, INDEX = "weights", "rows.json"
FIXED = {*LEARNED, "train_steps", "schedule", "seed"} - {"root", "backend"}  # choices that a trained network decides


@dataclass(frozen=True)
class Pretrained:
    """A network of the table of agreement, and how it came about.

    `net`: the averaged network, on the host. `choices`: of the run that trained it. `windows`: read off it, for
    `edudiff.denoisers.Between`. `training_set`: what names its images, as in a run's folder. `command`: trains it anew.
    """

    row: str
    net: nn.Net
    choices: Choices
    windows: WindowSchedule
    training_set: dict[str, Any]
    command: str


def names() -> list[str]:
    """The rows whose networks come with the package."""
    return list(_index())


def pretrained(row: str, backend: str | None = None) -> Pretrained:
    """The network of one `row`, such as "mnist_resnet_zero". `backend`: as for a network's constructor.

    Raises ValueError that lists the rows for one that is not there.
    """
    index = _index()
    if row not in index:
        there = ", ".join(index) or "none: this copy of the package has no weights"
        raise ValueError(f"row is {row!r}, expected one of {there}{checks.meant(row, index)}")
    entry = index[row]
    with resources.as_file(_folder() / f"{row}.npz") as path:
        net = nn.checkpoint.load_net(path, backend=backend)
    choices = Choices(**entry["choices"])
    return Pretrained(
        row, net, choices, WindowSchedule.from_dict(entry["windows"]), entry["training_set"], entry["command"]
    )


def keep(row: str, run_folder: Path, command: str, to: Path | None = None, largest: int = 1 << 20) -> Path | None:
    """Put the network of a finished run among those of the package, as `row`; returns the file of its weights.

    `run_folder`: of the run, with its results. `command`: what trained it. `to`: another folder than the package's.
    `largest`: in bytes; a larger file is not kept, and None is returned.
    """
    to = Path(str(_folder())) if to is None else to
    to.mkdir(parents=True, exist_ok=True)
    net = nn.checkpoint.load_net(run_folder / folders.NETWORK)
    results, written = json.loads((run_folder / folders.RESULTS).read_text()), folders.recall(run_folder)
    nn.checkpoint.save(to / f"{row}.npz", net, half=True)
    if (to / f"{row}.npz").stat().st_size > largest:
        (to / f"{row}.npz").unlink()
        return None
    known = {field.name for field in fields(Choices)}
    choices = asdict(Choices(**{name: value for name, value in written.items() if name in known}))
    entry = {"choices": choices, "windows": results["window_schedule"], "training_set": written["training_set"]}
    index = json.loads((to / INDEX).read_text()) if (to / INDEX).exists() else {}
    write_results(to / INDEX, dict(sorted({**index, row: {**entry, "command": command}}.items())))
    return to / f"{row}.npz"


def chosen(row: Pretrained, asked: dict[str, Any]) -> Choices:
    """The choices of a comparison with the network of `row`, of which those `asked` for are replaced.

    The row's formulas are the usual ones, if no others are given. Raises ValueError that names each choice that
    contradicts what the network has learned.
    """
    settings = {"denoisers": Choices().denoisers, "root": None, "backend": None, "scheduler": None} | asked
    choices = replace(row.choices, **settings)
    differ = [name for name in asked if name in FIXED and getattr(choices, name) != getattr(row.choices, name)]
    if differ:
        words = "; ".join(f"{name} is {asked[name]!r}, not {getattr(row.choices, name)!r}" for name in differ)
        raise ValueError(f"the network of {row.row} has learned something else ({words}); leave that out, or train one")
    return choices


def _folder() -> Any:
    return resources.files("edudiff.runs") / FOLDER


def _index() -> dict[str, Any]:
    path = _folder() / INDEX
    return json.loads(path.read_text()) if path.is_file() else {}
