"""The film of a run: a few of its seeds on their way from noise to image, through the network and through formulas."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edudiff import plot, reverse
from edudiff.compare.fingers import count_fingers_all
from edudiff.denoisers import WindowSchedule
from edudiff.runs import finished
from edudiff.runs.choices import HANDS
from edudiff.runs.formulas import for_seeds, formulas
from edudiff.runs.leading import SHIFTS
from edudiff.support import moving

FILM = "film.gif"
ROWS = {"network": "trained network", "els": "formula (ELS)", "ideal": "ideal score"}  # those of them that the run has


def write(folder: str | Path, path: str | Path | None = None, seeds: int | Sequence[int] = 4) -> Path:
    """Write the film of the run in `folder`, at `path` or as `film.gif` in the folder; returns where it is.

    `seeds`: which of them, or how many; of hands, those with more fingers than any training hand come first, and the
    numbers stand below the last images. Raises as `edudiff.runs.finished.read` and `edudiff.plot.film` do.
    """
    path = moving.check(Path(folder) / FILM if path is None else path)
    run, results = finished.read(Path(folder))
    name = next(one for one in SHIFTS if one in run.choices.denoisers)
    order, *_ = finished.order(run, name)
    chosen = order[:seeds] if isinstance(seeds, int) else list(seeds)
    run = replace(run, noise=run.noise[chosen], classes=None if run.classes is None else run.classes[chosen])
    asked = tuple(one for one in ROWS if one in run.choices.denoisers)
    table = WindowSchedule.from_dict(results["window_schedule"])
    made = {"network": for_seeds(run, finished.network(run, results)), **formulas(run, table, only=asked)}
    walks = {
        told: list(reverse.steps(made[one], run.schedule, run.noise, run.times))
        for one, told in ROWS.items()
        if one in made
    }
    hands = run.choices.data in HANDS
    counts = {told: count_fingers_all(walk[-1].x_next) for told, walk in walks.items()} if hands else {}
    captions = {told: [fingers(n) for n in count] for told, count in counts.items()}
    title = "The same noise in each column" + ("; extra fingers first" if hands else "")
    return plot.film(walks, path, captions, columns=len(chosen), title=title)


def fingers(count: int) -> str:
    """How many fingers, in words."""
    return f"{count} finger" + ("" if count == 1 else "s")
