"""The main job: train a network on images, draw the same noise through it and through the formulas, report.

Each part can be called alone; `compare` is all of them in order.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import edudiff
from edudiff import nn
from edudiff.compare import metrics
from edudiff.compare.comparison import agreement, draw, stepwise
from edudiff.compare.fingers import count_fingers_all, finger_agreement
from edudiff.denoisers import WindowSchedule
from edudiff.runs import folder as folders
from edudiff.runs import training_set
from edudiff.runs.choices import DRAWERS, FORMULAS, HANDS, UNSHARED, Choices
from edudiff.runs.formulas import Share, for_seeds, formulas, spread, window_schedule
from edudiff.runs.parts import Parts
from edudiff.runs.prediction import Prediction
from edudiff.runs.report import Say, silent
from edudiff.runs.rows import Pretrained
from edudiff.runs.run import Run, resolve
from edudiff.runs.training import check_network, train
from edudiff.runs.usual_windows import usual_windows
from edudiff.sampling import guided
from edudiff.schedule import Schedule
from edudiff.support import checks
from edudiff.support.arrays import move, to_numpy
from edudiff.support.files import write_arrays, write_results
from edudiff.support.memory import blamed
from edudiff.support.progress import bar
from edudiff.support.types import Array, Denoiser

STEPWISE = 4  # seeds whose agreement is measured at every step

Images = dict[str, Array]


def compare(
    choices: Choices, folder: str | Path, resume: bool = False, table: WindowSchedule | None = None
) -> tuple[dict[str, Any], Images, dict[str, list[str]]]:
    """The whole job: returns its results (for JSON) and its images {name: (seeds, H, W, C)} with their captions.

    `table`: window sizes to use instead of calibrating. What is done is kept in the folder: with `resume`, the same
    job goes on where it was stopped, also while it calibrates or draws.
    """
    run = resolve(choices)
    with spread(choices) as share, folders.claimed(folder) as place:
        return compared(replace(run, folder=place), share, resume, table)


def compared(
    run: Run,
    share: Share,
    resume: bool = False,
    table: WindowSchedule | None = None,
    say: Say = silent,
    row: Pretrained | None = None,
) -> tuple[dict[str, Any], Images, dict[str, list[str]]]:
    """`compare` for a run whose folder is there and its own; `share` is from `spread`.

    `say`: is told where the prediction is, before the network is trained. `row`: its network draws, none is trained.
    """
    choices = run.choices
    if row is None:
        check_network(run.folder, resume)
    prediction = Prediction(run, share, say)
    seconds = {"train_seconds": 0.0, "calibrate_seconds": 0.0}
    if row is None:
        state = train(run, resume, each=prediction.follow)
        net, seconds["train_seconds"] = state.ema, state.seconds
        learned: dict[str, Any] = {"loss": float(np.mean(state.losses[-100:]))}
        settings: dict[str, Any] = {"loss": state.losses[-1]}
    else:
        training_set.refuse_another(
            run.folder, choices.data, row.training_set, training_set.fingerprint(run.images, run.labels)
        )
        net, learned = row.net.to(run.images), {"pretrained": row.row}
        settings = learned
        if table is None and choices.window is None and choices.windows == "calibrated":
            table = row.windows
    settings = settings | {"windows": table and table.to_dict(), "version": edudiff.__version__}
    parts = Parts(run.folder / folders.PARTS, asdict(choices) | settings)
    if table is None and choices.windows != "calibrated":
        table, seconds["calibrate_seconds"] = prediction.table(choices.windows)
    elif table is None:
        table, seconds["calibrate_seconds"] = _calibrated(run, net, share, parts)
    denoisers = {"network": for_seeds(run, net), **formulas(run, table, share)}
    drawn, draw_seconds = _draw(run, denoisers, parts)
    drawn, draw_seconds = drawn | prediction.images, draw_seconds | prediction.seconds
    drawn = {name: drawn[name] for name in ("network", *FORMULAS) if name in drawn}
    index, distance = metrics.nearest(drawn["network"], run.images)  # (seeds,), (seeds,)
    results = asdict(choices) | {
        "images": len(run.images),
        "size": run.images.shape[1],
        "shape": list(run.images.shape[1:]),
        "windows": [table(*run.schedule(t)) for t in run.times[:-1].tolist()],
        "window_schedule": table.to_dict(),
        **learned,
        **seconds,
        "draw_seconds": draw_seconds,
        "seconds": sum(seconds.values()) + sum(draw_seconds.values()),
        "agreement": agreement(drawn),
        **prediction.results(),
        **_stepwise(run, net, {"table": table, **prediction.tables}, parts),
        "distance_to_nearest": float(np.median(to_numpy(distance))),
    }
    captions = {}
    if choices.data in HANDS:
        results["fingers"], counts = finger_counts(drawn, run.images)
        network, others = to_numpy(drawn["network"]), {k: to_numpy(v) for k, v in drawn.items() if k != "network"}
        results["finger_agreement"] = {name: finger_agreement(network, batch) for name, batch in others.items()}
        captions = {name: [f"{n}" for n in counts[name]] for name in drawn}
        captions["nearest"] = [f"{counts['training'][i]}" for i in to_numpy(index)]
    return results, drawn | {"nearest": run.images[index]}, captions


def _stepwise(run: Run, net: Any, tables: dict[str, WindowSchedule], parts: Parts) -> dict[str, Any]:
    """The agreement at every step, of the first seeds, with every formula; a cluster is not asked for it."""
    if run.choices.scheduler is not None:
        return {}
    classes = None if run.classes is None else run.classes[:STEPWISE]
    some = replace(run, noise=run.noise[:STEPWISE], classes=classes)

    def measure() -> str:
        denoisers = {"network": for_seeds(some, net), **formulas(some, tables["table"])}
        for name in tables.keys() - {"table"}:
            denoisers[name] = formulas(some, tables[name], only=("els",))["els"]
        return json.dumps(stepwise(denoisers, some.schedule, some.noise, some.times))

    text, _ = parts("stepwise", measure)
    return {"stepwise": json.loads(str(text))}


def _calibrated(run: Run, net: Any, share: Share, parts: Parts) -> tuple[WindowSchedule, float]:
    """The window of each step, and the seconds that it took to find them."""
    text, seconds = parts("windows", lambda: json.dumps(window_schedule(run, net, share).to_dict()))
    return WindowSchedule.from_dict(json.loads(str(text))), seconds


def _draw(run: Run, denoisers: dict[str, Denoiser], parts: Parts) -> tuple[Images, dict[str, float]]:
    """Every denoiser's images from the run's noise, and its seconds; what `parts` has is not drawn again."""
    drawn, seconds = {}, {}
    for name, denoise in denoisers.items():
        batch, seconds[name] = parts(name, partial(_drawn, name, denoise, run.schedule, run.noise, run.times))
        drawn[name] = move(batch, run.images)
    return drawn, seconds


def _drawn(name: str, denoise: Denoiser, schedule: Schedule, x: Array, times: Array) -> Array:
    with blamed("seeds", "images"):
        images, _ = draw({name: denoise}, schedule, x, times, progress=bar)
    return images[name]


def sample(
    choices: Choices,
    folder: str | Path,
    name: str,
    progress: Callable[..., Iterable] | None = bar,
    guidance: float = 0.0,
) -> tuple[dict[str, Any], Images]:
    """Draw the seeds through one denoiser, `name`: "network" (of the folder's checkpoint) or a formula.

    `guidance`: how far beyond the answer of each image's class, see `edudiff.sampling.guided`; 0 for none. Returns the
    results (for JSON) and the images {name: (seeds, H, W, C)}.
    """
    with sampler(choices, folder, name, guidance) as draw_all:
        return draw_all(progress)


@contextmanager
def sampler(
    choices: Choices, folder: str | Path | None, name: str, guidance: float = 0.0
) -> Iterator[Callable[..., Any]]:
    """`sample` in two steps: when this is entered all is read and checked; calling what it gives draws.

    It gives a function (progress) -> (results, images). Raises FileNotFoundError or ValueError for a checkpoint or
    images that are not there or do not fit, for another name, or for guidance without classes.
    """
    checks.one_of(name, DRAWERS, "denoiser")
    if not math.isfinite(guidance):
        raise ValueError(f"guidance is {guidance}, expected a finite number; 0 for none")
    if guidance and not choices.by_class:
        raise ValueError(
            f"a guidance of {guidance:g} without classes to be guided to; add --by-class, or leave --guidance out"
        )
    shared = choices.scheduler is not None
    if shared and name in ("network", *UNSHARED):
        raise ValueError(f"a cluster cannot share the denoiser {name!r}; leave --scheduler out")
    # The workers read the images; here one is enough, but for the classes that there are.
    run = resolve(choices, folder or ".", count=1 if shared and not choices.by_class else None)
    with spread(choices) as share:
        if name == "network":
            net = nn.checkpoint.load_net(run.folder / folders.NETWORK, backend=run.backend).to(run.images)
            denoisers = {name: for_seeds(run, net)}
            without: dict[str, Denoiser] = {name: net}
        else:
            size, usual = choices.window, usual_windows(run.images.shape[1:3], choices.padding)
            table = usual if size is None else lambda alpha, sigma: size
            denoisers = formulas(run, table, share, only=(name,))
            without = formulas(replace(run, classes=None), table, share, only=(name,)) if guidance else {}
        if guidance:
            denoisers = {name: guided(denoisers[name], without[name], 1 + guidance)}
        yield partial(_sampled, run, denoisers)


def _sampled(
    run: Run, denoisers: dict[str, Denoiser], progress: Callable[..., Iterable] | None = bar
) -> tuple[dict[str, Any], Images]:
    with blamed("seeds", "images"):
        images, seconds = draw(denoisers, run.schedule, run.noise, run.times, progress=progress)
    results = {key: getattr(run.choices, key) for key in ("data", "images", "size", "steps", "seeds", "seed")}
    return results | {"size": run.images.shape[1], "draw_seconds": seconds}, images


def kept(choices: Choices, folder: str | Path, table: WindowSchedule | None = None) -> tuple[dict[str, Any], Images]:
    """`compare`, or what `folder` holds of the same run: its results, with the choices, and its images, on the host.

    A network that is there is trained to the end instead of afresh. With another `table` all is drawn anew.
    """
    folder, mine = Path(folder), asdict(choices)
    path = folder / folders.RESULTS
    same = folders.holds(path, mine)
    if same and table is not None:
        same = json.loads(path.read_text())["window_schedule"] == table.to_dict()
    if not same:
        results, drawn, _ = compare(choices, folder, (folder / folders.NETWORK).exists(), table)
        write_arrays(folder / folders.ARRAYS, drawn)
        write_results(path, results | {"job": mine})
        (folder / folders.PARTS).unlink(missing_ok=True)
    with np.load(folder / folders.ARRAYS) as file:
        return json.loads(path.read_text()), {name: file[name] for name in file.files}


def finger_counts(
    images: Images, training: Array, count: Callable[[Array], Array] = count_fingers_all
) -> tuple[dict[str, Any], Images]:
    """Histograms {source: {fingers: how many images}} of `images` {name: (B, H, W, 1)} and of the training set.

    `count`: a function from images to their finger counts. `same_count` is the share of seeds on which network and
    els have the same. Returns the histograms, for JSON, and the counts {source: (B,)}.
    """
    counts = {name: count(to_numpy(batch)) for name, batch in {"training": training, **images}.items()}
    table: dict[str, Any] = {name: {str(k): int((c == k).sum()) for k in np.unique(c)} for name, c in counts.items()}
    if "network" in counts and "els" in counts:
        table["same_count"] = float(np.mean(counts["network"] == counts["els"]))
    return table, counts
