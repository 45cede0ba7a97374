"""The command line: `edudiff ...`, the same as `python -m edudiff ...`."""

import shlex
import sys
from collections.abc import Sequence

import edudiff
from edudiff.cli import architecture, course, main_job, options, system
from edudiff.cli.usage import Parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Errors of the caller's making are one line, without a traceback."""
    argv = sys.argv[1:] if argv is None else list(argv)
    try:
        args = parser().parse_args(argv)
    except SystemExit as stop:  # help, the version, or words that make no command: all is said
        return int(stop.code or 0)
    args.command = shlex.join(["edudiff", *argv])
    try:
        args.run(args)
    except (ValueError, TypeError, OSError, ImportError, FloatingPointError) as error:
        print(f"edudiff: {options.as_typed(str(error), getattr(args, 'settings', None))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nedudiff: stopped", file=sys.stderr)
        return 130
    return 0


def parser() -> Parser:
    """The argument parser, with one subcommand for each thing that edudiff does."""
    what = "How diffusion models work, and why they invent: train, draw, compare with the formulas, measure."
    top = Parser(prog="edudiff", description=what, example="edudiff demo --quick")
    top.add_argument("--version", action="version", version=edudiff.__version__)
    commands = top.add_subparsers(metavar="COMMAND", title="commands")
    main_job.add(commands)
    system.add(commands)
    course.add(commands)
    architecture.add(commands)
    return top


if __name__ == "__main__":
    sys.exit(main())
