"""A small web server for this machine alone: a browser starts no worker of a page that is opened as a file."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

KINDS = {".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm", ".zip": "application/zip"}


class Handler(SimpleHTTPRequestHandler):
    """Serves files, quietly, and of the kinds that they are on every system."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | KINDS

    def end_headers(self) -> None:
        """Every answer may be kept, but is asked for again: the folder may have been written anew."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *words: Any) -> None:
        """Say nothing of each file."""


def server(folder: str | Path, port: int = 0) -> ThreadingHTTPServer:
    """A server of the files in `folder`, on this machine's own address only; `serve_forever` begins to answer.

    `port`: 0 for any that is free; `server_address` says which. Raises OSError if it is taken.
    """
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(folder)))
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise OSError(f"port {port} cannot be used ({why}); name another with --port") from error
