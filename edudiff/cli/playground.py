"""The command `edudiff playground`: a page on which edudiff runs in the web browser, and a small server for it."""

import argparse

from edudiff.playground.folder import write
from edudiff.support import checks
from edudiff.support.describe import shown


def add(commands: argparse._SubParsersAction) -> None:
    """Add `playground` to the `commands` of a parser."""
    command = commands.add_parser(
        "playground",
        help="a page to draw on, where edudiff runs in the web browser",
        description="Write a page on which edudiff itself runs, in a web browser: draw pictures, and draw from noise.",
        example="edudiff playground --open",
    )
    command.add_argument("--out", metavar="DIR", default="playground", help="folder of the page (default: playground)")
    command.add_argument(
        "--pyodide",
        metavar="DIR",
        help="a folder with all of Pyodide, of which what is needed is copied, for use without internet"
        " (default: the page loads it from its public address)",
    )
    command.add_argument("--serve", action="store_true", help="show it at an address of this machine until Ctrl-C")
    command.add_argument("--open", action="store_true", help="the same, and open it in the web browser")
    command.add_argument(
        "--port", metavar="N", type=int, default=0, help="where to serve it (default: any port that is free)"
    )
    command.set_defaults(run=run_playground)


def run_playground(args: argparse.Namespace) -> None:
    """`edudiff playground`."""
    port = checks.integer(args.port, "--port", least=0, most=65535)
    page = write(args.out, args.pyodide)
    print(f"page: {shown(page)}")
    if not (args.serve or args.open):
        print(f"show it: {args.command} --open; or put the folder on any web server")
        return
    import webbrowser

    from edudiff.playground.serve import server

    with server(args.out, port) as serving:
        address = f"http://localhost:{serving.server_address[1]}/"
        print(f"it is at {address} until Ctrl-C", flush=True)
        if args.open and not webbrowser.open(address):
            print("there is no web browser here that could be started", flush=True)
        serving.serve_forever()
