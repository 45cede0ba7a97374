"""The commands of the main job: `edudiff demo`, `compare`, `train`, `sample`; their options and their words."""

import argparse
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from edudiff import plot
from edudiff.cli import options
from edudiff.data.files import NAMES, available
from edudiff.runs import comparison, explore, film, leading, report, rows, training
from edudiff.runs import folder as folders
from edudiff.runs.choices import DEMO, DRAWERS, DRAWN, LEARNED, QUICK, Choices
from edudiff.runs.formulas import spread
from edudiff.runs.run import resolve
from edudiff.support.arrays import to_numpy
from edudiff.support.describe import shown
from edudiff.support.types import Array

# Which choices a command has: `sample` trains nothing, `train` draws nothing, and only a comparison needs all.
TRAINING = {"net", "channels", "depth", "attention", "embedding", "target", "train_steps", "batch", "rate"}
USUAL = Choices()
COMPARING = {"denoisers", "calibration", "windows"}
DRAWING = {"steps", "seeds", "scheduler", "window"}
ALL = {one.name for one in fields(Choices)}
HAVE = {"demo": ALL, "compare": ALL, "train": ALL - DRAWING - COMPARING, "sample": ALL - TRAINING - COMPARING}
SEEN = ("data", "images", "size", "by_class", "padding", "schedule")  # what a network draws with as it has learned it
TAKEN = {*SEEN, "root", "seed", "backend"}  # what it takes from its folder, if nothing else is chosen


def add(commands: argparse._SubParsersAction) -> None:
    """Add the four commands to the `commands` of a parser."""
    demo = commands.add_parser(
        "demo",
        help="the main job: hands, a network, and formulas that predict it",
        description="Train a network on hands, and draw the same noise through it and through the formulas.",
        example="edudiff demo --quick",
    )
    demo.add_argument("--quick", action="store_true", help="a one-minute look: fewer images, a smaller network")
    compare = commands.add_parser(
        "compare",
        help="the same for other images, networks, denoisers and seeds",
        description="Train a network on images, draw the same noise through it and through formulas, and compare.",
        example="edudiff compare --data mnist --images 1000 --size 14 --denoisers els ideal",
    )
    compare.add_argument(
        "--pretrained",
        metavar="ROW",
        type=row,
        help="take the network of this row of the table of agreement, its images and windows (default: train one)",
    )
    train = commands.add_parser(
        "train",
        help="train the network and keep its checkpoint",
        description="Train a network on images, and keep it in a folder from which `edudiff sample` draws.",
        example="edudiff train --data strokes --train-steps 2000 --out runs/strokes",
    )
    sample = commands.add_parser(
        "sample",
        help="draw images with one denoiser",
        description="Draw images with one denoiser, a formula of the training set or a network that was trained on it.",
        example="edudiff sample --data faces --denoiser els --window 7",
    )
    drawer = "what draws (default: els)"
    sample.add_argument("--denoiser", default="els", choices=DRAWERS, help=drawer)
    sample.add_argument("--checkpoint", metavar="DIR", help="the run folder whose network draws (default: none)")
    sample.add_argument(
        "--guidance",
        metavar="X",
        type=float,
        default=0.0,
        help="how far beyond the answer of its class, with --by-class: (1 + X) times it, less X times the answer of"
        " all classes; a guidance scale of other tools is 1 + X (default: 0)",
    )
    every = {"demo": (demo, run_compare), "compare": (compare, run_compare)}
    every |= {"train": (train, run_train), "sample": (sample, run_sample)}
    for name, (command, run) in every.items():
        options.add_options(command, Choices, HAVE[name], DEMO if name == "demo" else None)
        command.add_argument("--out", metavar="DIR", help="folder of the results (default: a new one under runs/)")
        if name != "sample":
            command.add_argument("--resume", action="store_true", help="go on with the run in --out where it stopped")
        command.set_defaults(run=run, name=name)


def row(name: str) -> rows.Pretrained:
    """The network of a row that `--pretrained` names."""
    try:
        return rows.pretrained(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def choices_of(args: argparse.Namespace) -> Choices:
    """The `Choices` that the arguments ask for: those that are given replace the demo's, or those of the run's folder.

    Raises ValueError for one that contradicts what the folder's network has learned.
    """
    given = options.chosen(Choices, args)
    chosen = QUICK | given if getattr(args, "quick", False) else given
    if getattr(args, "pretrained", None):
        return rows.chosen(args.pretrained, chosen)
    folder, before = before_of(args)
    data = chosen.get("data", USUAL.data)
    if not before and data not in DRAWN:
        chosen.setdefault("size", None)  # files have a size of their own
        if data not in NAMES and "images" not in given:
            count = available(data)
            chosen["images"] = min(count, chosen.get("images", count))
    choices = replace(DEMO if args.name == "demo" else USUAL, **before | chosen)
    fixed = SEEN if args.name == "sample" else LEARNED
    folders.refuse_changes(folder, before, {name: getattr(choices, name) for name in fixed})
    return choices


def before_of(args: argparse.Namespace) -> tuple[Path, dict[str, Any]]:
    """The folder of the run that is gone on with or whose network draws, and the choices that it wrote down, if any."""
    if args.name == "sample":
        names, drawing = TAKEN, args.denoiser == "network"
        if drawing and not args.checkpoint:
            raise ValueError("--denoiser network needs --checkpoint DIR, the folder of a run that trained one")
        if not drawing:
            if args.checkpoint:
                raise ValueError(f"--checkpoint is for --denoiser network, and {args.denoiser} draws; leave one out")
            return Path(), {}
    elif not args.resume:
        return Path(), {}
    elif not args.out:
        raise ValueError("--resume needs --out DIR, the folder of the run to go on with")
    else:
        names = ALL
    folder = Path(args.checkpoint if args.name == "sample" else args.out)
    if not (folder / folders.NETWORK).exists():
        raise ValueError(f"{folder} holds no trained network; `edudiff train --out {folder}` trains one")
    return folder, {name: value for name, value in folders.recall(folder).items() if name in names}


@contextmanager
def out_folder(args: argparse.Namespace) -> Iterator[Path]:
    """The run's folder, made if it is not there; after Ctrl-C or another end, the words to go on with the run in it."""
    with folders.claimed(args.out, args.name) as folder:
        training.check_network(folder, getattr(args, "resume", True))
        try:
            yield folder
        except (KeyboardInterrupt, OSError, MemoryError):
            say_how_to_resume(args, folder)
            raise


def run_compare(args: argparse.Namespace) -> None:
    """`edudiff demo` and `edudiff compare`."""
    choices = choices_of(args)
    run = resolve(choices)
    with spread(choices) as share, out_folder(args) as folder:
        print(f"{choices.images} images ({shown(choices.data)}); results go to {shown(folder)}", flush=True)
        told: dict[str, Any] = {"say": partial(print, flush=True), "row": getattr(args, "pretrained", None)}
        results, images, captions = comparison.compared(replace(run, folder=folder), share, args.resume, **told)
        report.write(folder, args.command, results, images, captions)
        (folder / folders.PARTS).unlink(missing_ok=True)
    say_where(folder, images)
    print("\n".join(report.lines(results)), flush=True)
    if args.name == "demo" and choices.scheduler is None and leading.shows(choices):
        if report.has_pillow():
            print(f"moving picture: {shown(film.write(folder))}", flush=True)
        print(f"where each pixel comes from: open {explore.write(folder)} with any web browser")


def run_train(args: argparse.Namespace) -> None:
    """`edudiff train`."""
    choices = choices_of(args)
    run = resolve(choices)
    with out_folder(args) as folder:
        state = training.train(replace(run, folder=folder), args.resume)
        results = training.results(run, state)
        report.write(folder, args.command, results, figure=lambda: plot.losses(state.losses))
    say_where(folder)
    print(f"loss {results['loss']:.4f} after {state.step} steps; draw with:")
    print(f"  {shlex.join(['edudiff', 'sample', '--denoiser', 'network', '--checkpoint', str(folder)])}")


def run_sample(args: argparse.Namespace) -> None:
    """`edudiff sample`."""
    sampler = comparison.sampler(choices_of(args), args.checkpoint, args.denoiser, args.guidance)
    with sampler as draw, folders.claimed(args.out, args.name) as folder:
        results, images = draw()
        report.write(folder, args.command, results, images)
    say_where(folder, images)


def say_where(folder: Path, images: dict[str, Array] | None = None) -> None:
    """Where the results are; without matplotlib the `images` are shown as text."""
    if report.has_matplotlib():
        print(f"picture: {shown(folder / folders.PICTURE)}")
    elif images:
        for name, batch in images.items():
            print(f"\n{name}\n{plot.letters(to_numpy(batch)[:3])}")
        print("for a picture: pip install 'edudiff[plot]'")
    print(f"numbers: {shown(folder / folders.RESULTS)}")


def say_how_to_resume(args: argparse.Namespace, folder: Path) -> None:
    """After Ctrl-C: where the checkpoint is and the command that goes on from it."""
    if (folder / folders.NETWORK).exists():
        words = [w for w in shlex.split(args.command) if w != "--resume"]
        if not args.out:
            words += ["--out", str(folder)]
        again = shlex.join([*words, "--resume"])
        print(f"\nwhat was done so far is in {folder}; go on with:\n  {again}", file=sys.stderr)
