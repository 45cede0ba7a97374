"""The explorer of a run: one page in one file that shows which training windows each drawn pixel is the mean of.

`explored` draws a few of a run's seeds once more and asks `edudiff.denoisers.provenance` about each pixel at some of
the steps; `write` puts that, as JSON with arrays in base64, into the page `explore.html`, which needs no server. All
mathematics is here: the page multiplies, adds and shows.
"""

import base64
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from edudiff import reverse
from edudiff.compare import metrics
from edudiff.compare.fingers import finger_tips
from edudiff.denoisers import WindowSchedule
from edudiff.reverse import Step
from edudiff.runs import finished
from edudiff.runs import folder as folders
from edudiff.runs.choices import FORMULAS, RULES
from edudiff.runs.formulas import for_seeds, formulas
from edudiff.runs.leading import SHIFTS, Leading, covering, leading
from edudiff.runs.run import Run
from edudiff.support.files import atomic, json_text
from edudiff.support.pages import filled
from edudiff.support.progress import bar
from edudiff.support.types import Array

PAGE = "explore.html"
LARGEST = 1_900_000  # characters of a page, as long as there is something to leave out
SAME = 0.01  # of two values between -1 and 1 that look the same
MARKED = {False: "pixel that the nearest training picture", True: "finger tip that the nearest training hand"}
SHOW = ((6, 8, 6), (6, 6, 6), (4, 6, 5), (4, 5, 4), (3, 4, 3), (2, 3, 3))  # seeds, steps, windows: the most that fits


def write(folder: str | Path, path: str | Path | None = None) -> Path:
    """Write the page of the run in `folder`, at `path` or as `explore.html` in the folder; returns where it is.

    Raises ValueError or OSError for a folder without a finished comparison, or that has changed since, and for one
    whose formulas weigh no windows.
    """
    path = Path(folder) / PAGE if path is None else Path(path)
    text = page(explored(folder))
    with atomic(path) as file:
        file.write(text.encode())
    return path


def page(found: dict[str, Any]) -> str:
    """The page, as HTML, that shows what `explored` has `found`."""
    template = resources.files("edudiff.runs").joinpath(PAGE).read_text(encoding="utf-8")
    return filled(template).replace("EXPLORED", json_text(found).replace("<", "\\u003c"))


def explored(folder: str | Path) -> dict[str, Any]:
    """What the page shows of the run in `folder`, for JSON; arrays as `packed` makes them. Raises as `write` does."""
    run, results = finished.read(Path(folder))
    table = WindowSchedule.from_dict(results["window_schedule"])
    chosen = run.choices.denoisers
    names = ["network", *(name for name in FORMULAS if name in chosen and name not in RULES)]
    windowed = [name for name in SHIFTS if name in names]
    seeds, steps, count = _room(run.images, len(run.noise), len(run.times) - 1, len(names), len(windowed))
    ordered, told, extra = finished.order(run, windowed[0])
    seeds_shown = ordered[:seeds]
    run = replace(run, noise=run.noise[seeds_shown], classes=None if run.classes is None else run.classes[seeds_shown])
    numbers = np.unique(np.linspace(0, len(run.times) - 2, steps).round().astype(int)).tolist()
    made = {"network": for_seeds(run, finished.network(run, results)), **formulas(run, table)}
    walks = {name: _walk(run, made[name], numbers) for name in names}
    asked = ((name, step) for name in windowed for step in walks[name])
    origins: dict[str, list[Leading]] = {name: [] for name in windowed}
    for name, step in bar(asked, len(windowed) * len(numbers), "exploring"):
        origins[name].append(leading(run, name, table, step, count))
    used = np.unique(np.concatenate([one.image.ravel() for steps in origins.values() for one in steps]))
    used = used[used >= 0]  # (n,)
    row, column = begin(run, walks[windowed[0]][-1].x_next[0], extra)
    told += f"The page begins at the {MARKED[extra]} has least of."
    return {
        "data": run.choices.data,
        "shape": list(run.images.shape[1:]),
        "padding": run.choices.padding,
        "total": {"images": len(run.images), "steps": len(run.times) - 1},
        "seeds": seeds_shown,
        "steps": [{"number": step.i, "alpha": step.alpha, "sigma": step.sigma} for step in walks[windowed[0]]],
        "views": {name: _view(walk) for name, walk in walks.items()},
        "formulas": {name: _windows(steps, used, name == "ideal") for name, steps in origins.items()},
        "training": packed(run.images[used]),
        "numbers": used,
        "begin": {"row": row, "column": column, "text": told + _apart(run, walks, seeds_shown)},
        "code": {name: code(run, name, table, count) for name in windowed},
    }


def packed(values: Array, kind: str = "int16", scale: float | None = None) -> dict[str, Any]:
    """An array for JSON: integers of a `kind`, little-endian in base64, that are to be multiplied by `scale`.

    `scale`: None for the finest that the largest value allows.
    """
    if scale is None:
        scale = max(float(np.abs(values).max(initial=0)), 1e-30) / np.iinfo(kind).max
    whole = np.rint(np.asarray(values) / scale).astype(np.dtype(kind).newbyteorder("<"))
    data = base64.b64encode(whole.tobytes()).decode()
    return {"type": kind, "shape": list(whole.shape), "scale": scale, "data": data}


def unpacked(array: dict[str, Any]) -> Array:
    """The array, float64, that `packed` has packed."""
    whole = np.frombuffer(base64.b64decode(array["data"]), np.dtype(array["type"]).newbyteorder("<"))
    return whole.reshape(array["shape"]) * array["scale"]


def code(run: Run, name: str, table: WindowSchedule, count: int) -> str:
    """Python that prints what the page shows of a pixel, once `seed`, `number`, `row` and `column` are there."""
    shifts, padding = SHIFTS[name], run.choices.padding
    if name == "ideal":
        table, padding = WindowSchedule([1.0], [covering(run)]), "zero"
    settings = f"shifts={shifts}, padding={padding!r}"
    made = f"Patch(run.images, WINDOW, {settings})"
    if run.labels is not None:
        made = f"Patch(run.images, WINDOW, {settings}, labels=run.labels).conditional(run.classes[seed])"
    return f"""\
import edudiff as ed
from edudiff.denoisers import Between, Patch, WindowSchedule, provenance
from edudiff.denoisers.window_schedule import split
from edudiff.runs import Choices, resolve

run = resolve({run.choices!r})
windows = WindowSchedule({list(table.ratios)}, {list(table.windows)})
denoise = Between({made.replace("WINDOW", "1")}, windows)
walk = ed.reverse.steps(denoise, run.schedule, run.noise[[seed]], run.times)
step = next(step for step in walk if step.i == number)
print("value", *step.x0_hat[0, row, column].tolist())
narrow, share = split(windows(step.alpha, step.sigma))
for window, part in ((narrow, 1 - share), (narrow + 2, share))[: 2 if share else 1]:
    patch = {made.replace("WINDOW", "window")}
    found = provenance(patch, step.x, step.alpha, step.sigma, leading={count})
    arrays = (found.image, found.row, found.column, found.weight, found.value)
    for image, down, right, weight, value in zip(*(a[0, row, column].tolist() for a in arrays), strict=True):
        print("window", window, "image", image, "center", down, right, "weight", part * weight, "value", *value)
"""


def begin(run: Run, image: Array, extra: bool) -> tuple[int, int]:
    """The pixel of a drawn image (H, W, C) that the nearest training image has least of; if `extra`, a finger tip."""
    [nearest], _ = metrics.nearest(image[None], run.images)
    new = (image - run.images[nearest]).sum(-1)  # (H, W)
    places = np.argwhere(np.ones_like(new))  # (H * W, 2)
    if extra and len(tips := finger_tips(image[None])[0]):  # drawn anew, it may have lost some
        places = np.minimum((tips * max(new.shape)).astype(int), np.array(new.shape) - 1)  # (fingers, 2)
    row, column = places[new[tuple(places.T)].argmax()].tolist()
    return row, column


def _room(images: Array, seeds: int, steps: int, views: int, windowed: int) -> tuple[int, int, int]:
    """How many seeds, steps and windows of a pixel are shown: as many as a page of LARGEST has room for, about."""
    count, pixels, channels = len(images), images.shape[1] * images.shape[2], images.shape[3]
    for some_seeds, some_steps, most in SHOW:
        shown = min(seeds, some_seeds) * min(steps, some_steps) * pixels
        pictures = min(count, shown * most * windowed) * pixels * channels
        size = 2 * pictures + shown * (3 * views * channels + (windowed - 1) * (6 * most + 2))  # ideal is small
        if size * 4 / 3 < LARGEST:
            break
    return min(seeds, some_seeds), min(steps, some_steps), most


def _walk(run: Run, denoise: Any, numbers: list[int]) -> list[Step]:
    """Those steps of the reverse process of the run's seeds that have these numbers."""
    return [step for step in reverse.steps(denoise, run.schedule, run.noise, run.times) if step.i in numbers]


def _apart(run: Run, walks: dict[str, list[Step]], seeds: list[int]) -> str:
    """What is to be told if the seeds, drawn anew, are not what lies in the run's folder: rounding grows on the way."""
    with np.load(run.folder / folders.ARRAYS) as file:
        apart = max(float(np.abs(walk[-1].x_next - file[name][seeds]).max()) for name, walk in walks.items())
    if apart < SAME:
        return ""
    return f" Drawn anew for this page, some values differ from those in the run's folder, by up to {apart:.2f}."


def _view(walk: list[Step]) -> dict[str, Any]:
    """What one denoiser saw and answered, (steps, B, H, W, C): what it saw only to be looked at."""
    x, x0_hat = (np.stack([getattr(step, name) for step in walk]) for name in ("x", "x0_hat"))
    return {"x": packed(x, "int8"), "x0_hat": packed(x0_hat)}


def _windows(steps: list[Leading], used: Array, whole: bool) -> dict[str, Any]:
    """The heaviest windows of each pixel, (steps, B, H, W, K); if they are `whole` images, of one pixel for all.

    `place` is ((image * H + row) * W + column) * 2, + 1 for a window of the larger of two sizes, or -1 for none; the
    images are counted among those that are `used`.
    """
    size, image, row, column, weight, effective = (
        np.stack([getattr(one, key) for one in steps])
        for key in ("size", "image", "row", "column", "weight", "effective")
    )
    height, width = image.shape[2:4]
    wide = size > np.array([min(one.sizes) for one in steps])[:, None, None, None, None]
    place = ((np.searchsorted(used, image) * height + row) * width + column) * 2 + wide
    place = np.where(image < 0, -1, place)
    if whole:
        place, weight, effective = (array[:, :, :1, :1] for array in (place, weight, effective))
    return {
        "sizes": [list(one.sizes.items()) for one in steps],
        "place": packed(place, "int32", 1.0),
        "weight": packed(weight, "uint16", 1 / 65535),
        "effective": packed(np.log(effective), "uint16"),
    }
