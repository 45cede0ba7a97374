"""Every figure again: `python figures/make.py --all`, or with the names of some.

Each is a script of its own, whose networks are kept under `runs/`. A figure that was made is not made again (with
--again it is, from the networks that are kept), and one that was stopped goes on where it was. Real pictures are read
from the folder that `EDUDIFF_DATA` names; the figures that need them are left out if they are not there.
"""

import argparse
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from edudiff import data
from edudiff.support import files

HERE = Path(__file__).parent
DONE = Path("runs") / "figures.json"  # {name: seconds that it took}
MINUTES = {  # on two cores, from scratch
    "laws": 1,
    "targets": 2,
    "points": 2,
    "hands": 4,
    "opening": 2,
    "mosaic": 1,
    "training_time": 8,
    "data_size": 8,
    "fingers": 25,
    "clocks": 15,
    "alignment": 15,
    "width": 5,
    "architecture": 60,
    "attention": 8,
    "table_agreement": 540,
    "windows_constant": 90,
    "faces": 70,
}
ALL = ("mnist", "fashion_mnist", "cifar10")
REAL = {"attention": ("cifar10",), "table_agreement": ALL, "windows_constant": ALL}  # the pictures they need


def main(argv=None):
    """Make the figures that are asked for; returns the exit status, 1 if one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(MINUTES)}")
    parser.add_argument("--all", action="store_true", help="every figure")
    parser.add_argument("--again", action="store_true", help="also those that were made")
    args = parser.parse_args(argv)
    if wrong := [name for name in args.names if name not in MINUTES]:
        parser.error(f"no figure is called {', '.join(wrong)}; there are {', '.join(MINUTES)}")
    wanted = list(MINUTES) if args.all else args.names
    if not wanted:
        parser.error("name some figures, or --all")
    done = json.loads(DONE.read_text()) if DONE.exists() else {}
    left = [name for name in wanted if args.again or name not in done]
    for name in [name for name in left if name in REAL]:
        if lacking := [images for images in REAL[name] if not is_here(images)]:
            print(f"{name} is left out: no {', '.join(lacking)} here; let EDUDIFF_DATA name the folder that holds them")
            left.remove(name)
    return make(left, done)


def is_here(images):
    """Whether this machine holds the real pictures of that name."""
    try:
        data.load(images, count=1)
    except FileNotFoundError:
        return False
    return True


def make(left, done):
    """Run the scripts `left` in turn and say how long the rest will take; `done`: {name: seconds} so far."""
    failed, spent, expected = [], 0.0, 0.0
    for i, name in enumerate(left):
        pace = spent / expected if expected else 1.0  # this machine's, of the minutes above
        rest = pace * sum(MINUTES[other] for other in left[i:])
        print(f"\n== {name}, {i + 1} of {len(left)}; about {rest:.0f} minutes left", flush=True)
        begun = time.perf_counter()
        status = subprocess.run([sys.executable, HERE / f"{name}.py"], check=False).returncode
        seconds = time.perf_counter() - begun
        if status in (-signal.SIGINT, 130):
            raise KeyboardInterrupt
        if status:
            failed.append(name)
            continue
        spent, expected = spent + seconds / 60, expected + MINUTES[name]
        done[name] = round(seconds, 1)
        files.open_folder(DONE.parent)
        files.write_results(DONE, done)
    print(f"\nmade: {', '.join(name for name in left if name not in failed) or 'nothing new'}")
    if failed:
        print(f"failed, see above: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on", file=sys.stderr)
        sys.exit(130)
