"""The folder of one run: what lies where in it, and whether what lies there is of the same run."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from edudiff.support.files import open_folder, remove_leftovers, write_results
from edudiff.support.locks import only_one

NETWORK, RESULTS, PICTURE, ARRAYS = "network.npz", "results.json", "picture.png", "images.npz"
CHOICES = "job.json"  # what a run that is gone on with may not change
PARTS = "unfinished.npz"  # what a run has made so far
STEPS = "steps.png"  # the agreement at every step
PREDICTION, PREDICTED = "prediction.npz", "prediction.png"  # what was drawn before the network was trained


@contextmanager
def claimed(folder: str | Path | None, name: str = "run") -> Iterator[Path]:
    """The folder of a run, made if it is not there, and no other run's as long as the block lasts.

    `folder`: None for a new one, the first of `runs/name`, `runs/name-2`, `runs/name-3`, ... that does not exist yet.
    What a killed run has left half written is removed. If the block ends with an error, so is a new folder that is
    still empty. Raises OSError if it cannot be written, BlockingIOError if another run is at work in it.
    """
    before = _there(Path(folder or "runs"))
    place = _new_folder(name) if folder is None else open_folder(folder)
    try:
        with only_one(place, "--out"):
            remove_leftovers(place)
            yield place
    except BaseException:
        for one in (place, *place.parents):
            if one in before:
                break
            with suppress(OSError):  # it is not empty
                one.rmdir()
        raise


def _there(path: Path) -> set[Path]:
    """Of `path` and the folders that it is in, those that exist."""
    return {one for one in (path, *path.parents) if one.exists()}


def _new_folder(name: str) -> Path:
    """Make the first folder of `runs/name`, `runs/name-2`, ... that is not there; each goes to one process only."""
    runs, number = open_folder("runs"), 1
    while True:
        folder = runs / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1


def holds(path: Path, choices: dict[str, Any]) -> bool:
    """Whether there are results at `path`, and their entry "job" is these `choices`, a dict of plain values."""
    return path.exists() and json.loads(path.read_text()).get("job") == json.loads(json.dumps(choices))


def remember(path: Path, choices: dict[str, Any]) -> None:
    """Write down a run's choices at `path`, a dict of plain values; if they are there, check that they are the same.

    Raises ValueError that names each choice that differs.
    """
    if not path.exists():
        write_results(path, choices)
    refuse_changes(path.parent, json.loads(path.read_text()), choices)


def write_down(folder: Path, before: dict[str, Any], choices: dict[str, Any]) -> None:
    """Write down what `recall` will read, a dict of plain values, unless that is what it has read `before`."""
    if before != json.loads(json.dumps(choices)):
        write_results(folder / CHOICES, choices)


def recall(folder: Path) -> dict[str, Any]:
    """What the run in `folder` wrote down of its choices, a dict of plain values; an empty one if it wrote nothing.

    Raises ValueError for a file that cannot be read as such.
    """
    path = folder / CHOICES
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); name another folder, or remove it") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds a {type(found).__name__}, expected the choices of a run; name another folder")
    return found


def refuse_changes(folder: Path, before: dict[str, Any], choices: dict[str, Any]) -> None:
    """Raise ValueError that names each of the `choices` that differs from those `before` of the run in `folder`.

    One that was not written down differs from none.
    """
    choices = json.loads(json.dumps(choices))  # tuples are lists, as in the file
    changed = [f"{k}: {before[k]!r} -> {value!r}" for k, value in choices.items() if before.get(k, value) != value]
    if changed:
        raise ValueError(f"{folder} holds a run with other choices ({'; '.join(changed)}); name another folder")
