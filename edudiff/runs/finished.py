"""A finished comparison, read again from its folder: run, results and network, and which seeds to show first."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from edudiff import nn
from edudiff.compare.fingers import count_fingers_all
from edudiff.runs import folder as folders
from edudiff.runs import training_set
from edudiff.runs.choices import HANDS, Choices
from edudiff.runs.leading import SHIFTS, shows
from edudiff.runs.rows import pretrained
from edudiff.runs.run import Run, resolve

TITLE = {"els": "ELS"}


def read(folder: Path) -> tuple[Run, dict[str, Any]]:
    """The run of a comparison in `folder`, computed on this machine, and its results.

    Raises ValueError or OSError for a folder without a finished comparison, or that has changed since, and for one
    whose formulas weigh no windows.
    """
    path = folder / folders.RESULTS
    if not path.is_file():
        raise ValueError(f"{folder} holds no finished run (no {folders.RESULTS}); `edudiff demo --out DIR` makes one")
    try:
        results = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); draw the run again") from error
    if not isinstance(results, dict) or not {"window_schedule", "steps", "seeds", "denoisers"} <= results.keys():
        raise ValueError(f"{folder} holds no comparison; name the folder of an `edudiff demo` or `edudiff compare`")
    job = folders.recall(folder)
    known = {one.name for one in fields(Choices)}
    written = job or {name: value for name, value in results.items() if name != "windows"}  # there, their sizes
    told: dict[str, Any] = {name: value for name, value in written.items() if name in known}
    told |= {name: results[name] for name in ("steps", "seeds", "denoisers")}  # a run that was gone on with has more
    told |= {"backend": None, "scheduler": None}  # wherever it was made, a page is little work
    told |= {name: tuple(value) for name, value in told.items() if isinstance(value, list)}
    run = resolve(Choices(**told), folder)
    if not shows(run.choices):
        raise ValueError(f"{folder} was drawn by {', '.join(run.choices.denoisers)}; none of {', '.join(SHIFTS)}")
    made = training_set.fingerprint(run.images, run.labels)
    training_set.refuse_another(folder, run.choices.data, job.get("training_set"), made)
    return run, results


def network(run: Run, results: dict[str, Any]) -> Any:
    """The network of the run: trained in its folder, or one that came with the package."""
    if "pretrained" in results:
        return pretrained(results["pretrained"], run.backend).net.to(run.images)
    return nn.checkpoint.load_net(run.folder / folders.NETWORK, backend=run.backend).to(run.images)


def order(run: Run, name: str) -> tuple[list[int], str, bool]:
    """The run's seeds, hands with more fingers than any training hand first; what to tell of it, and whether it is one.

    `name`: the formula whose fingers count.
    """
    found = list(range(len(run.noise)))
    if run.choices.data in HANDS:
        with np.load(run.folder / folders.ARRAYS) as file:
            fingers, of_network = count_fingers_all(file[name]), count_fingers_all(file["network"])  # (seeds,) each
        most = int(count_fingers_all(run.images).max())
        found = sorted(found, key=lambda seed: (fingers[seed] <= most, of_network[seed] <= most, seed))
        first = found[0]
        if fingers[first] > most:
            told = (
                f"Seed {first}: {TITLE.get(name, name)} drew {fingers[first]} fingers, the network {of_network[first]};"
            )
            return found, f"{told} no training hand has more than {most} (edudiff.compare.count_fingers). ", True
    return found, "", False
