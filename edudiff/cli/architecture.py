"""The commands `edudiff architecture points` and `edudiff architecture faces`: what each architecture invents."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from edudiff.cli import options
from edudiff.data.files import NAMES, available
from edudiff.runs import folder as folders
from edudiff.runs import points, report, variants


def add(commands: Any) -> None:
    """Add `architecture` to the `commands` of a parser, and to it the two experiments, an option for each choice."""
    what = "what each architecture invents: points in the plane, UNets"
    about = "Architecture decides what is invented: the same data and noise through denoisers that differ in one thing."
    command = commands.add_parser("architecture", help=what, description=about, example="edudiff architecture points")
    kinds = command.add_subparsers(metavar="EXPERIMENT", title="experiments")
    points_parser = kinds.add_parser(
        "points",
        help="points in the plane: closed forms and small networks, two minutes",
        description="Train small networks on points in the plane, and draw from them and from closed forms.",
        example="edudiff architecture points --points 500 --train-steps 1000",
    )
    _add(points_parser, points.Points, run_points)
    faces_parser = kinds.add_parser(
        "faces",
        help="faces, or other images: UNets that differ in one thing, more than an hour",
        description="Train UNets that differ in one thing on the same images, and measure what each of them draws.",
        example="edudiff architecture faces --images 200 --train-steps 500 --variants base pooling_max scales_1",
    )
    _add(faces_parser, variants.Variants, run_faces)


def run_points(args: argparse.Namespace) -> None:
    """`edudiff architecture points`."""
    choices = points.Points(**options.chosen(points.Points, args))
    with folders.claimed(args.out, "architecture-points") as out:
        results = points.experiment(choices, out, args.command, say=_say)
    _say_where(out, results)


def run_faces(args: argparse.Namespace) -> None:
    """`edudiff architecture faces`."""
    choices = _variants(options.chosen(variants.Variants, args))
    images = variants.load_images(choices)
    with folders.claimed(args.out, "architecture-faces") as out:
        try:
            results = variants.experiment(choices, out, out, args.command, say=_say, images=images)
        except (KeyboardInterrupt, OSError, MemoryError):
            if any(out.iterdir()):
                said = f"the networks so far are in {out}; go on with the same command and --out {out}"
                print(f"\n{said}", file=sys.stderr)
            raise
    _say_where(out, results)


def _variants(chosen: dict[str, Any]) -> variants.Variants:
    """The choices, with all images of the user's own files to learn from, but for those that are kept unseen."""
    choices = variants.Variants(**chosen)
    if "images" in chosen or choices.data in ("faces", *NAMES):
        return choices
    count = available(choices.data)
    if count < choices.drawn + 2:
        raise ValueError(
            f"{choices.data!r} has {count:,} images, but drawn is {choices.drawn:,}, and as many are kept unseen;"
            " choose fewer to draw, so that at least 2 are left"
        )
    return replace(choices, images=count - choices.drawn)


def _add(kind: argparse.ArgumentParser, settings: Any, run: Callable[[argparse.Namespace], None]) -> None:
    options.add_options(kind, settings)
    kind.add_argument(
        "--out",
        metavar="DIR",
        help="folder of the results (default: a new one under runs/); faces go on with the run that it holds",
    )
    kind.set_defaults(run=run)


def _say_where(out: Path, results: dict[str, Any]) -> None:
    if report.has_matplotlib():
        print(f"picture: {out / 'results.png'}")
    else:
        print("for a picture: pip install 'edudiff[plot]'")
    print(f"numbers: {out / 'results.json'}; {results['seconds']:.0f} s")


def _say(line: str) -> None:
    print(line, flush=True)
