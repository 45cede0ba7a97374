"""The commands `edudiff architecture points` and `edudiff architecture faces`: what each architecture invents."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edudiff.cli import options
from edudiff.runs import folder as folders
from edudiff.runs import points, report, variants
from edudiff.support.files import open_folder


def add(command: argparse.ArgumentParser) -> None:
    """Add the two commands to the parser of `edudiff architecture`, with an option for each choice."""
    kinds = command.add_subparsers(metavar="EXPERIMENT", required=True)
    what = "points in the plane: closed forms and small networks, two minutes"
    _add(kinds.add_parser("points", help=what), points.Points, run_points)
    what = "faces, or other images: UNets that differ in one thing, more than an hour"
    _add(kinds.add_parser("faces", help=what), variants.Variants, run_faces)


def run_points(args: argparse.Namespace) -> None:
    """`edudiff architecture points`."""
    choices, out = points.Points(**options.chosen(points.Points, args)), _out(args, "architecture-points")
    _say_where(out, points.experiment(choices, out, args.command, say=_say))


def run_faces(args: argparse.Namespace) -> None:
    """`edudiff architecture faces`."""
    choices, out = variants.Variants(**options.chosen(variants.Variants, args)), _out(args, "architecture-faces")
    try:
        _say_where(out, variants.experiment(choices, out, out, args.command, say=_say))
    except KeyboardInterrupt:
        print(f"\nthe networks so far are in {out}; go on with the same command and --out {out}")
        raise


def _add(kind: argparse.ArgumentParser, settings: Any, run: Callable[[argparse.Namespace], None]) -> None:
    options.add_options(kind, settings)
    kind.add_argument("--out", metavar="DIR", help="folder of the results; faces go on with the run that it holds")
    kind.set_defaults(run=run)


def _out(args: argparse.Namespace, name: str) -> Path:
    return open_folder(args.out or folders.free_folder(name))


def _say_where(out: Path, results: dict[str, Any]) -> None:
    if report.has_matplotlib():
        print(f"picture: {out / 'results.png'}")
    else:
        print("for a picture: pip install 'edudiff[plot]'")
    print(f"numbers: {out / 'results.json'}; {results['seconds']:.0f} s")


def _say(line: str) -> None:
    print(line, flush=True)
