"""The command line: `edudiff ...`, the same as `python -m edudiff ...`."""

import shlex
import signal
import sys
from collections.abc import Sequence

import edudiff
from edudiff.cli import architecture, course, explorer, main_job, options, playground, streams, system
from edudiff.cli.usage import Parser
from edudiff.support import interrupt
from edudiff.support.describe import reason
from edudiff.support.memory import OutOfMemory


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Errors of the caller's making are one line, without a traceback.

    A reader that goes away early, such as `head`, is no error. Ctrl-C, SIGTERM and SIGHUP end it with 128 + number.
    """
    streams.prepare()
    try:
        with interrupt.raised():
            return run(sys.argv[1:] if argv is None else list(argv))
    finally:
        streams.close()


def run(argv: Sequence[str]) -> int:
    """`main` within streams and signals that are seen to."""
    args = None
    try:
        args = parser().parse_args(argv)
        args.command = shlex.join(["edudiff", *argv])
        status = args.run(args)
        sys.stdout.flush()
    except SystemExit as stop:  # help, the version, or words that make no command: all is said
        return int(stop.code or 0)
    except (ValueError, TypeError, OSError, ImportError, FloatingPointError) as error:
        if isinstance(error, BrokenPipeError) and streams.reader_is_gone():
            return 0
        streams.say(f"edudiff: {options.as_typed(str(error), getattr(args, 'settings', None))}")
        return 2
    except MemoryError as error:
        told = f"memory ran out ({reason(error)}): ask for fewer or smaller images, or less at once"
        told = str(error) if isinstance(error, OutOfMemory) else told
        streams.say(f"edudiff: {options.as_typed(told, getattr(args, 'settings', None))}")
        return 2
    except KeyboardInterrupt as error:
        streams.say("\nedudiff: stopped")
        return 128 + (error.args[0] if isinstance(error, interrupt.Stopped) else signal.SIGINT)
    return status if isinstance(status, int) else 0


def parser() -> Parser:
    """The argument parser, with one subcommand for each thing that edudiff does."""
    what = "How diffusion models work, and why they invent: train, draw, compare with the formulas, measure."
    top = Parser(prog="edudiff", description=what, example="edudiff demo --quick")
    top.add_argument("--version", action="version", version=edudiff.__version__)
    commands = top.add_subparsers(metavar="COMMAND", title="commands")
    main_job.add(commands)
    explorer.add(commands)
    playground.add(commands)
    system.add(commands)
    course.add(commands)
    architecture.add(commands)
    return top


if __name__ == "__main__":
    sys.exit(main())
