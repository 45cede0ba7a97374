"""The folder of one run: its checkpoint, what it drew, and `results.json` with numbers, command and seed."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from edudiff.support.arrays import to_numpy
from edudiff.support.files import atomic

NETWORK, RESULTS, PICTURE, ARRAYS = "network.npz", "results.json", "picture.png", "images.npz"
CHOICES = "job.json"  # what a run that is gone on with may not change
PARTS = "unfinished.npz"  # what a run has made so far


def free_folder(name):
    """`runs/name`, or `runs/name-2`, `runs/name-3`, ...: the first that does not exist yet."""
    folder, number = Path("runs") / name, 1
    while folder.exists():
        number += 1
        folder = Path("runs") / f"{name}-{number}"
    return folder


def open_folder(path):
    """Make the folder `path` if needed and check that it can be written; returns it as a Path.

    Raises OSError that names the folder and says what to do.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic(folder / ".writable") as file:
            file.write(b"")
        os.unlink(folder / ".writable")
    except OSError as error:
        raise OSError(f"cannot write to the folder {folder} ({error.strerror}); name another with --out") from error
    return folder


def write_results(path, results):
    """Write `results` as JSON, whole or not at all. Values that JSON has no number for (NaN) become null."""
    text = json.dumps(_plain(results), indent=1, allow_nan=False)
    with atomic(path) as file:
        file.write(text.encode() + b"\n")


def holds(path, settings):
    """Whether there are results at `path`, and their entry "job" is these `settings`, a dict of plain values."""
    return path.exists() and json.loads(path.read_text()).get("job") == json.loads(json.dumps(settings))


def remember(path, choices):
    """Write down a run's choices at `path`, a dict of plain values; if they are there, check that they are the same.

    Raises ValueError that names each choice that differs.
    """
    if not path.exists():
        write_results(path, choices)
    before = json.loads(path.read_text())
    changed = [f"{key}: {before.get(key)!r} -> {value!r}" for key, value in choices.items() if before.get(key) != value]
    if changed:
        raise ValueError(f"{path.parent} holds a run with other choices ({'; '.join(changed)}); name another folder")


def write_arrays(path, images):
    """Write {name: pictures} as `.npz`, whole or not at all: what the picture shows, pixel for pixel."""
    arrays: dict[str, Any] = {name: to_numpy(batch).astype("float32") for name, batch in images.items()}
    with atomic(path) as file:
        np.savez_compressed(file, **arrays)


def write_figure(path, figure):
    """Write a matplotlib Figure as PNG, whole or not at all."""
    with atomic(path) as file:
        figure.savefig(file, format="png", dpi=120)


def _plain(value):
    if isinstance(value, dict):
        return {str(key): _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and value != value:
        return None
    return value
