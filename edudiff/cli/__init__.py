"""The command line: `edudiff ...`, the same as `python -m edudiff ...`."""

import argparse
import shlex
import sys
from collections.abc import Sequence

import edudiff
from edudiff.cli import architecture, course, main_job, system


def main(argv: Sequence[str] | None = None) -> int:
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


def parser() -> argparse.ArgumentParser:
    """The argument parser, with one subcommand for each thing that edudiff does."""
    top = argparse.ArgumentParser(prog="edudiff", description="How diffusion models work, and why they invent.")
    top.add_argument("--version", action="version", version=edudiff.__version__)
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    main_job.add(commands)
    system.add(commands)
    course.add(commands.add_parser("course", help="assignments: build bundles, check a solution, grade a class"))
    what = "what each architecture invents: points in the plane, UNets"
    architecture.add(commands.add_parser("architecture", help=what))
    return top


if __name__ == "__main__":
    sys.exit(main())
