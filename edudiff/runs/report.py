"""What a run leaves behind: its numbers, arrays and picture in a folder, and a table for the reader."""

import importlib.util
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

import edudiff
from edudiff import plot
from edudiff.runs import folder as folders
from edudiff.runs.choices import RULES
from edudiff.support.describe import shown
from edudiff.support.files import write_arrays, write_figure, write_results
from edudiff.support.settings import Settings
from edudiff.support.tables import TextTable
from edudiff.support.types import Array

Say: TypeAlias = Callable[[str], None]  # is told a line of text


def silent(line: str) -> None:
    """Says nothing: what a run tells where nobody reads along."""


def write(
    folder: Path,
    command: str,
    results: dict[str, Any],
    images: dict[str, Array] | None = None,
    captions: dict[str, list[str]] | None = None,
    figure: Callable[[], Any] | None = None,
) -> None:
    """Write `results` with the command that made them, the `images` {name: (B, H, W, C)}, and their picture.

    `captions`: to stand under the images. `figure`: makes another picture than that of the images. Without matplotlib
    there is none.
    """
    write_results(folder / folders.RESULTS, {"command": command, "version": edudiff.__version__, **results})
    if images is not None:
        write_arrays(folder / folders.ARRAYS, images)
        title = f"{as_title(results['data'])}, seed {results['seed']}: each column is the same noise"
        figure = figure or (lambda: plot.rows(images, captions, title=title))
    if figure is not None and has_matplotlib():
        write_figure(folder / folders.PICTURE, figure())
    if "stepwise" in results and has_matplotlib():
        title = f"{results['data']}: agreement with the network at every step"
        write_figure(folder / folders.STEPS, plot.stepwise(results["stepwise"], title))


def write_experiment(
    path: Path, command: str, choices: Settings, results: dict[str, Any], figure: Callable[[], Any]
) -> dict[str, Any]:
    """Write an experiment's choices and `results` as `path`.json and, if pictures can be drawn, its figure as .png.

    Returns what was written down.
    """
    results = {"command": command, "version": edudiff.__version__, **asdict(choices), **results}
    write_results(path.with_name(f"{path.name}.json"), results)
    if has_matplotlib():
        write_figure(path.with_name(f"{path.name}.png"), figure())
    return results


def as_title(data: str) -> str:
    """The name or path of a training set for the title of a figure, where dollars are no formula."""
    return shown(data).replace("$", r"\$")


def has_matplotlib() -> bool:
    """True if pictures can be drawn here. Matplotlib is not imported."""
    return importlib.util.find_spec("matplotlib") is not None


def has_pillow() -> bool:
    """True if moving pictures can be written here. Pillow is not imported."""
    return importlib.util.find_spec("PIL") is not None


def lines(results: dict[str, Any]) -> Iterator[str]:
    """The results of `edudiff.runs.comparison.compare` as a short text."""
    columns = {"": "<10", "r": ">6.3f", "r^2": ">6.3f", "R^2": ">6.3f"}
    if "ideal" in results["agreement"]:
        columns |= {"closer to the network than ideal": "<.0%"}
    table = TextTable(columns)
    yield table.header
    for name, row in results["agreement"].items():
        yield table.row(name, row["pearson_r"], row["r_squared"], row["r2_score"], row.get("beats_ideal"))
    yield f"medians over {results['seeds']} seeds; {results['seconds']:.0f} s in all"
    yield meaning(results["agreement"])
    for source, counts in results.get("fingers", {}).items():
        if isinstance(counts, dict):
            hands = sum(counts.values())
            shares = ", ".join(f"{number}: {n / hands:.0%}" for number, n in counts.items())
            yield f"fingers, {source:8}  {shares}"
    for name, table in results.get("finger_agreement", {}).items():
        if name in ("els", *RULES):
            share, chance, single, luck = (
                table[f"{what}{ending}"] for what in ("same_count", "by_finger") for ending in ("", "_by_chance")
            )
            yield f"network and {name}: same count on {share:.0%} of the seeds, {chance:.0%} by chance;"
            yield f"  {single:.0%} of single fingers are in both, {luck:.0%} by chance"


def meaning(agreement: dict[str, dict[str, Any]]) -> str:
    """What the table of the `agreement` {name: its row} shows, in one sentence that says no more than its numbers."""
    r = {name: row["pearson_r"] for name, row in agreement.items() if not math.isnan(row["pearson_r"])}
    if not r:
        return "images of one value have no correlation with any: nothing here tells the denoisers apart"
    best, worst = max(r, key=r.__getitem__), min(r, key=r.__getitem__)
    if best == worst:
        return f"from the same noise, {best} draws images whose correlation with the network's is {r[best]:.3f}"
    copies = ", which copies training images," if worst == "ideal" else ""
    return (
        f"from the same noise, {best} draws the images most like the network's (r {r[best]:.3f}),"
        f" {worst}{copies} the least like them ({r[worst]:.3f})"
    )
