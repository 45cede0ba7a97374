"""The command `edudiff explore`: a page of a run's folder that shows where each drawn pixel comes from."""

import argparse
from pathlib import Path

from edudiff.runs import explore
from edudiff.support.files import check_file


def add(commands: argparse._SubParsersAction) -> None:
    """Add `explore` to the `commands` of a parser."""
    command = commands.add_parser(
        "explore",
        help="a page to point at: which training windows made each pixel of a run",
        description="Write one page, opened by a double click, that shows which training windows made each pixel.",
        example="edudiff explore runs/demo --open",
    )
    command.add_argument("folder", metavar="RUN", help="the folder of a finished `edudiff demo` or `edudiff compare`")
    command.add_argument(
        "--out", metavar="FILE", help=f"the page to write (default: {explore.PAGE} in the run's folder)"
    )
    command.add_argument("--open", action="store_true", help="show it in the web browser, too")
    command.set_defaults(run=run_explore)


def run_explore(args: argparse.Namespace) -> None:
    """`edudiff explore`."""
    if args.out:
        check_file(Path(args.out))
    path = explore.write(args.folder, args.out)
    print(f"page: {path}, {path.stat().st_size / 1e6:.2f} MB; open it with any web browser")
    if args.open:
        import webbrowser

        if not webbrowser.open(path.resolve().as_uri()):
            print("there is no web browser here that could be started")
