"""Which edudiff this is: two machines that share a training set must compute the same formulas."""

import functools
import hashlib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, NamedTuple

import edudiff

PARTS = ("cluster", "data", "denoisers", "fast", "support", "scores.py")  # what a worker's answer depends on


class Identity(NamedTuple):
    """The version of a package, and the hash of the sources of its formulas, which may differ under one version."""

    version: str
    fingerprint: str

    def __str__(self) -> str:
        return f"edudiff {self.version} (formulas {self.fingerprint[:12]})"


@functools.cache
def identity() -> Identity:
    """That of the package that runs here."""
    return Identity(edudiff.__version__, fingerprint(files("edudiff")))


def fingerprint(package: Any) -> str:
    """A hash of the sources of a package's formulas, the same for all line ends. `package`: its folder, or a zip's."""
    found = hashlib.sha256()
    for name in PARTS:
        for path, source in sources(package / name, name):
            found.update(f"{path}\n{len(source)}\n".encode() + source)
    return found.hexdigest()


def sources(place: Any, name: str) -> Iterator[tuple[str, bytes]]:
    """(path, source) of a file, or of all in a folder, in the order of their names. Reads from a zip file as well."""
    if place.is_dir():
        for one in sorted(place.iterdir(), key=lambda one: one.name):
            yield from sources(one, f"{name}/{one.name}")
    elif name.endswith(".py") and place.is_file():
        yield name, place.read_bytes().replace(b"\r\n", b"\n")
