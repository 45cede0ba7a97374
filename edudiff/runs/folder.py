"""The folder of one run: what lies where in it, and whether what lies there is of the same run."""

import json
from pathlib import Path
from typing import Any

from edudiff.support.files import write_results

NETWORK, RESULTS, PICTURE, ARRAYS = "network.npz", "results.json", "picture.png", "images.npz"
CHOICES = "job.json"  # what a run that is gone on with may not change
PARTS = "unfinished.npz"  # what a run has made so far


def free_folder(name: str) -> Path:
    """`runs/name`, or `runs/name-2`, `runs/name-3`, ...: the first that does not exist yet."""
    folder, number = Path("runs") / name, 1
    while folder.exists():
        number += 1
        folder = Path("runs") / f"{name}-{number}"
    return folder


def holds(path: Path, choices: dict[str, Any]) -> bool:
    """Whether there are results at `path`, and their entry "job" is these `choices`, a dict of plain values."""
    return path.exists() and json.loads(path.read_text()).get("job") == json.loads(json.dumps(choices))


def remember(path: Path, choices: dict[str, Any]) -> None:
    """Write down a run's choices at `path`, a dict of plain values; if they are there, check that they are the same.

    Raises ValueError that names each choice that differs.
    """
    if not path.exists():
        write_results(path, choices)
    before = json.loads(path.read_text())
    changed = [f"{key}: {before.get(key)!r} -> {value!r}" for key, value in choices.items() if before.get(key) != value]
    if changed:
        raise ValueError(f"{path.parent} holds a run with other choices ({'; '.join(changed)}); name another folder")
