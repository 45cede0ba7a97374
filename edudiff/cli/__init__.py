"""The command line: `edudiff ...`, the same as `python -m edudiff ...`."""

import argparse
import importlib.metadata
import importlib.util
import json
import shlex
import sys
from pathlib import Path

import edudiff
from edudiff.cli import architecture
from edudiff.cli import commands as main_commands
from edudiff.data.files import NAMES, places
from edudiff.support.backends import has_numba
from edudiff.support.threads import cores


def main(argv=None):
    """Run one command; returns the exit status. Errors of the caller's making are one line, without a traceback."""
    argv = sys.argv[1:] if argv is None else list(argv)
    args = parser().parse_args(argv)
    args.command = shlex.join(["edudiff", *argv])
    try:
        args.run(args)
    except (ValueError, TypeError, OSError, ImportError, FloatingPointError) as error:
        print(f"edudiff: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nedudiff: stopped", file=sys.stderr)
        return 130
    return 0


def parser():
    """The argument parser, with one subcommand for each thing that edudiff does."""
    top = argparse.ArgumentParser(prog="edudiff", description="How diffusion models work, and why they invent.")
    top.add_argument("--version", action="version", version=edudiff.__version__)
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    main_commands.add(commands)
    fetch = commands.add_parser("fetch", help="download a data set")
    fetch.add_argument("data", choices=NAMES)
    fetch.add_argument("--root", help="where to put it (default: the folder that `edudiff info` names)")
    fetch.set_defaults(run=run_fetch)
    from edudiff.cli import course as course

    course.add(commands.add_parser("course", help="assignments: build bundles, check a solution, grade a class"))
    invents = commands.add_parser("architecture", help="what each architecture invents: points in the plane, UNets")
    architecture.add(invents)
    bench = commands.add_parser("bench", help="how fast each back end is on this machine")
    bench.add_argument("--cases", nargs="+", metavar="CASE", help="which measurements (default: all)")
    bench.add_argument("--rounds", type=int, default=5, help="how many times each side takes its turn (default: 5)")
    bench.add_argument("--images", type=int, help="size of the training sets (default: 896 to 60,000)")
    bench.add_argument("--root", help="the folder that holds mnist/ and cifar10/ (default: EDUDIFF_DATA, else drawn)")
    bench.add_argument("--json", metavar="FILE", help="write the records to this file too")
    bench.set_defaults(run=run_bench)
    commands.add_parser("info", help="versions, back ends, threads, where data is looked for").set_defaults(
        run=run_info
    )
    return top


def run_fetch(args):
    """`edudiff fetch`."""
    from edudiff.data.fetch import fetch

    print(f"{args.data} is in {fetch(args.data, root=args.root)}")


def run_bench(args):
    """`edudiff bench`."""
    from edudiff import bench

    records = []
    print(bench.HEADER, flush=True)
    for record in bench.run(args.cases or bench.CASES, args.rounds, args.images, args.root):
        records.append(record)
        print(bench.line(record), flush=True)
    if args.json:
        Path(args.json).write_text(json.dumps(records, indent=1) + "\n")


def run_info(args):
    """`edudiff info`."""
    print(f"edudiff {edudiff.__version__}, Python {sys.version.split()[0]}, {cores()} cores")
    for package in ("numpy", "numba", "threadpoolctl", "cupy", "matplotlib", "pooch", "pillow", "dask", "tqdm"):
        print(f"  {package:14} {version(package)}")
    print(f"fastest back end here: {'numba' if has_numba() else 'numpy'}")
    print("data is looked for in " + ", then ".join(str(place) for place in places()))


def version(package):
    """The installed version of a package, whatever wheel it came from, or how it is missed."""
    names = (package, *(f"{package}-cuda{n}x" for n in (11, 12, 13))) if package == "cupy" else (package,)
    for name in names:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "not installed"


if __name__ == "__main__":
    sys.exit(main())
