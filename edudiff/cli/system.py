"""The commands about this machine: `edudiff info`, `bench`, `warm`, and `fetch`, which brings data to it."""

import argparse
import sys
from pathlib import Path

import edudiff
from edudiff import bench
from edudiff.cli import options
from edudiff.data.files import NAMES, places
from edudiff.support.backends import without_numba
from edudiff.support.files import check_file
from edudiff.support.threads import cores

PACKAGES = ("numpy", "numba", "threadpoolctl", "cupy", "matplotlib", "pooch", "pillow", "dask", "tqdm")


def add(commands: argparse._SubParsersAction) -> None:
    """Add the four commands to the `commands` of a parser."""
    fetch = commands.add_parser(
        "fetch",
        help="download a data set",
        description="Download a data set, check it, and put it where the other commands look for it.",
        example="edudiff fetch mnist",
    )
    fetch.add_argument("data", choices=NAMES, help="which one")
    fetch.add_argument("--root", metavar="DIR", help="where to put it (default: the folder that `edudiff info` names)")
    fetch.set_defaults(run=run_fetch)
    speed = commands.add_parser(
        "bench",
        help="how fast each back end is on this machine",
        description="Measure how fast each back end is on this machine: all take turns, and medians are compared.",
        example="edudiff bench --cases patch_9 ideal --json speed.json",
    )
    options.add_options(speed, bench.Bench)
    speed.add_argument("--json", metavar="FILE", help="keep the records in this file too (default: no file)")
    speed.add_argument(
        "--compare",
        metavar="FILE",
        help="say what became slower by more than 10%% than in this file, which --json kept on the same machine; if"
        " anything did, the exit status is 1 (default: no file)",
    )
    speed.set_defaults(run=run_bench)
    warm = commands.add_parser(
        "warm",
        help="compile all kernels now, for all users of this installation",
        description="Compile all kernels now and keep them on disk, so that nobody who runs this installation waits.",
        example="edudiff warm",
    )
    warm.set_defaults(run=run_warm)
    info = commands.add_parser(
        "info",
        help="versions, back ends, threads, where data is looked for",
        description="Say what is here: versions of packages, the fastest back end, cores, folders of data.",
        example="edudiff info",
    )
    info.set_defaults(run=run_info)


def run_fetch(args: argparse.Namespace) -> None:
    """`edudiff fetch`."""
    from edudiff.data.fetch import fetch

    print(f"{args.data} is in {fetch(args.data, root=args.root)}")


def run_bench(args: argparse.Namespace) -> int:
    """`edudiff bench`; the status is 1 if something became slower."""
    from edudiff.bench import kept as kept_records

    wanted, records = bench.Bench(**options.chosen(bench.Bench, args)), []
    if args.json:
        check_file(Path(args.json))
    kept = kept_records.read(args.compare) if args.compare else None
    if kept:
        wanted = kept_records.fitted(kept, wanted)
    print(bench.header(), flush=True)
    for record in bench.run(wanted):
        records.append(record)
        print(bench.line(record), flush=True)
    if args.json:
        kept_records.write(args.json, records, wanted)
    if not kept:
        return 0
    changes = kept_records.changes(kept, records, wanted)
    print("", *kept_records.differences(kept, wanted), *kept_records.told(kept, changes), sep="\n")
    return int(any(change.slower for change in changes))


def run_warm(args: argparse.Namespace) -> None:
    """`edudiff warm`."""
    from edudiff.bench import warm

    if without_numba():
        print(f"Numba {without_numba()}; without it nothing is compiled for a processor")
    for name, seconds in warm.warm():
        print(f"{seconds:6.1f} s  {name}", flush=True)
    if not without_numba():
        print(f"kept in {warm.place() or 'no folder, as none can be written: NUMBA_CACHE_DIR=DIR names one'}")


def run_info(args: argparse.Namespace) -> None:
    """`edudiff info`."""
    print(f"edudiff {edudiff.__version__}, Python {sys.version.split()[0]}, {cores()} cores")
    for package in PACKAGES:
        print(f"  {package:14} {version(package)}")
    print("fastest back end here: " + (f"numpy, as Numba {without_numba()}" if without_numba() else "numba"))
    print("data is looked for in " + ", then ".join(str(place) for place in places()))


def version(package: str) -> str:
    """The installed version of a package, whatever wheel it came from, or how it is missed."""
    import importlib.metadata

    names = (package, *(f"{package}-cuda{n}x" for n in (11, 12, 13))) if package == "cupy" else (package,)
    for name in names:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "not installed"
