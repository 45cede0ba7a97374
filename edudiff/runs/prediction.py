"""What a run writes down before its network is trained: the windows of ELS, told from the training set, and its images.

The theory's one free choice is the window at each noise level. Here it is made without the network, so that what the
formula draws is a prediction: it lies in the run's folder before the first step of training.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np

import edudiff
from edudiff import denoisers, plot
from edudiff.compare import draw, metrics, predict
from edudiff.denoisers import WindowSchedule
from edudiff.runs import folder as folders
from edudiff.runs import report
from edudiff.runs.choices import FEWEST
from edudiff.runs.formulas import Share, for_seeds, formulas
from edudiff.runs.parts import Parts
from edudiff.runs.run import Run
from edudiff.runs.training import new_network
from edudiff.support.arrays import move, to_numpy
from edudiff.support.files import write_figure
from edudiff.support.progress import bar, note
from edudiff.support.random import standard_normal, streams
from edudiff.support.types import Array

QUERIES = 16  # images that the formula is asked about, which are left out of it
NUMBERS = 2_000_000  # their noise is that of images from this number on, which are never drawn
SHOWN = 10  # seeds that are drawn first
FOLLOWED = 16  # seeds that the network draws while it is trained
MARKS = 10  # how often it does
FUNCTIONS: dict[str, Any] = {"predicted": predict.by_entropy, "held_out": predict.by_error}


def window_schedule(run: Run, rule: str | Callable[..., WindowSchedule]) -> WindowSchedule:
    """The window of each reverse step by a rule of `edudiff.compare.predict`, from the training set alone.

    "predicted" (by entropy): the formula is of the first nine tenths of the training set, and is asked about noisy
    images of the last tenth. "held_out" (by error): it is asked about noisy images from all over the training set, and
    each is answered by all others. With classes, each by its own. `rule`: one of these, or a function in the place of
    the first one's, `edudiff.compare.predict.by_entropy`. No window is larger than what the network can see. Raises
    ValueError for a single training image, or a single one of a class.
    """
    name, find = (rule, FUNCTIONS[rule]) if isinstance(rule, str) else ("predicted", rule)
    count = len(run.images)
    if count < FEWEST:  # a folder may hold fewer images than were asked for
        raise ValueError(
            f"{count} images are too few for windows that are {name}: some are left out; use {FEWEST} or more"
        )
    first = count - max(count // 10, 1) if name == "predicted" else 0
    asked = np.linspace(first, count - 1, min(QUERIES, count - first)).round().astype(int)  # (B,)
    x0, shape = run.images[move(asked, run.images)], run.images.shape[1:3]  # (B, H, W, C)
    make = partial(denoisers.Patch, window=1, padding=run.choices.padding, backend=run.backend)
    if name == "held_out":
        patch: Any = denoisers.LeaveOneOut(run.images, asked, make, run.labels)
    elif run.labels is None:
        patch = make(run.images[:first])
    else:
        patch = make(run.images[:first], labels=run.labels[:first])
        patch = denoisers.ByLabel(patch.conditional, run.labels[asked])
    largest = int(min(new_network(run).receptive_field, 2 * max(shape) - 1))
    if run.choices.padding == "circular":
        largest = min(largest, *shape)
    numbers = range(NUMBERS, NUMBERS + len(asked))
    noise = standard_normal(streams(run.choices.seed, numbers), x0.shape, x0)  # (B, H, W, C)
    most = largest - 1 + largest % 2
    return find(patch, x0, noise, run.schedule, run.times, most, progress=partial(_shown, name.replace("_", " ")))


def _shown(label: str, levels: Sequence[int]) -> Iterable[int]:
    return bar(levels, len(levels), label)


class Prediction:
    """What ELS draws from the run's noise with windows told beforehand, kept in the run's folder.

    For each rule among the chosen denoisers: `tables` {name: WindowSchedule}, `images` {name: (seeds, H, W, C)} and
    `seconds` {name: float}. They are read from the folder if they are there, else made. The first ten columns of
    `prediction.png` are drawn, and shown, before all other seeds. Nothing of it depends on a trained network. `share`:
    as for `formulas`. `say`: is told where the picture is.
    """

    def __init__(self, run: Run, share: Share, say: report.Say = report.silent) -> None:
        self.run = run
        choices = {k: v for k, v in asdict(run.choices).items() if k != "train_steps"}
        made_by = {"version": edudiff.__version__, "nats": predict.NATS}
        self.parts = Parts(run.folder / folders.PREDICTION, choices | made_by)
        self.tables: dict[str, WindowSchedule] = {}
        self.images: dict[str, Array] = {}
        self.seconds: dict[str, float] = {}
        for name in (name for name in FUNCTIONS if name in run.choices.denoisers):
            self.tables[name], self.seconds[name] = self.table(name)
        first, rest = slice(0, SHOWN), slice(SHOWN, len(run.noise))
        for some in (first, rest)[: 1 + (len(run.noise) > SHOWN)]:
            for name in self.tables:
                drawn, seconds = self.parts(f"{name} {some.start}", partial(self._drawn, name, share, some))
                before = [self.images[name]] if name in self.images else []
                self.images[name] = np.concatenate([*before, drawn])
                self.seconds[name] += seconds
            if self.tables and some is first:
                self._show(say)
        self.images = {name: move(batch, run.images) for name, batch in self.images.items()}

    def __repr__(self) -> str:
        return f"Prediction({list(self.images)}, folder='{self.run.folder}')"

    def table(self, rule: str) -> tuple[WindowSchedule, float]:
        """The windows by one rule, and the seconds that it took to find them."""
        text, seconds = self.parts(f"{rule} windows", lambda: json.dumps(window_schedule(self.run, rule).to_dict()))
        return WindowSchedule.from_dict(json.loads(str(text))), seconds

    def follow(self, state: Any) -> None:
        """While the network is trained: now and then draw with it, and note how well the prediction predicts it."""
        every = max(self.run.choices.train_steps // MARKS, 1)
        if self.images and state.step % every == 0:
            r, _ = self.parts(f"r at {state.step}", partial(self._agreement, state.ema))
            words = ", ".join(f"{name} {value:.3f}" for name, value in zip(self.images, r.tolist(), strict=True))
            note(f"step {state.step}: r of network and prediction {words}")

    def results(self) -> dict[str, Any]:
        """What is reported: the windows by each rule, and r with the network as it was trained."""
        if not self.images:
            return {}
        times = self.run.times[:-1].tolist()
        windows = {name: [table(*self.run.schedule(t)) for t in times] for name, table in self.tables.items()}
        marks = sorted(
            int(name.split()[-1]) for name in self.parts.kept if name.startswith("r at ") and name[-1].isdigit()
        )
        curve = [
            {"step": m, **dict(zip(self.images, self.parts.kept[f"r at {m}"].tolist(), strict=True))} for m in marks
        ]
        return {"prediction": {"windows": windows, "curve": curve}}

    def _show(self, say: report.Say) -> None:
        """Write the picture of what is drawn, and say where it is."""
        if report.has_matplotlib():
            title = f"{self.run.choices.data}, seed {self.run.choices.seed}: drawn before any network was trained"
            write_figure(self.run.folder / folders.PREDICTED, plot.rows(self.images, title=title))
        say(f"prediction: {self.run.folder / (folders.PREDICTED if report.has_matplotlib() else folders.PREDICTION)}")

    def _drawn(self, name: str, share: Share, some: slice) -> Array:
        """The images of some of the seeds."""
        run = part_of(self.run, some)
        els = formulas(run, self.tables[name], share, only=("els",))["els"]
        images, _ = draw({name: els}, run.schedule, run.noise, run.times, progress=bar)
        return images[name]

    def _agreement(self, net: Any) -> Array:
        """Median r of the first seeds' images, of the network so far, with each prediction: (predictions,)."""
        run = part_of(self.run, slice(0, FOLLOWED))
        images, _ = draw({"network": for_seeds(run, net)}, run.schedule, run.noise, run.times)
        r = [metrics.pearson_r(images["network"], batch[:FOLLOWED]) for batch in self.images.values()]  # (seeds,) each
        return np.array([np.median(to_numpy(values)) for values in r])


def part_of(run: Run, some: slice) -> Run:
    """The run with some of its seeds."""
    return replace(run, noise=run.noise[some], classes=None if run.classes is None else run.classes[some])
