"""Files that are written whole or not at all: results as JSON, arrays, figures."""

import json
import os
import secrets
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from edudiff.support.arrays import to_numpy
from edudiff.support.types import Array


class atomic:
    """`with atomic(path) as file`: a binary file that appears at `path` only if the block ends without an error."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"atomic({str(self.path)!r})"

    def __enter__(self) -> BinaryIO:
        self.temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.part")
        self.file = open(self.temporary, "xb")
        return self.file

    def __exit__(self, kind: type | None, error: object, trace: object) -> None:
        try:
            if kind is None:
                self.file.flush()
                os.fsync(self.file.fileno())
            self.file.close()
            if kind is None:
                os.replace(self.temporary, self.path)
        finally:
            if os.path.exists(self.temporary):
                os.unlink(self.temporary)


def open_folder(path: str | Path) -> Path:
    """Make the folder `path` if needed and check that it can be written; returns it as a Path.

    Raises OSError that names the folder and says what to do.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic(folder / ".writable") as file:
            file.write(b"")
        os.unlink(folder / ".writable")
    except OSError as error:
        raise OSError(f"cannot write to the folder {folder} ({error.strerror}); name another with --out") from error
    return folder


def write_results(path: str | Path, results: Any) -> None:
    """Write `results` as JSON. Values that JSON has no number for (NaN) become null."""
    text = json.dumps(_plain(results), indent=1, allow_nan=False)
    with atomic(path) as file:
        file.write(text.encode() + b"\n")


def write_arrays(path: str | Path, images: dict[str, Array]) -> None:
    """Write {name: images} as `.npz`, float32: what the picture shows, pixel for pixel."""
    arrays: dict[str, Any] = {name: to_numpy(batch).astype("float32") for name, batch in images.items()}
    with atomic(path) as file:
        np.savez_compressed(file, **arrays)


def write_figure(path: str | Path, figure: Any) -> None:
    """Write a matplotlib Figure as PNG."""
    with atomic(path) as file:
        figure.savefig(file, format="png", dpi=120)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and value != value:
        return None
    return value
