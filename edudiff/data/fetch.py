"""Downloading a data set, only when asked: `edudiff fetch mnist`. Uses pooch (the extra `data`).

A file gets its name only after its checksum has been found right, so an interrupted download leaves nothing behind that
looks like data.
"""

import gzip
import hashlib
import importlib.util
import os
import shutil
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import Any

from edudiff.data.files import cache_folder
from edudiff.data.registry import DATA_SETS, Download
from edudiff.support import checks
from edudiff.support.files import NO_ROOM, expanded, open_folder
from edudiff.support.locks import only_one

WORKPLACE = ".fetching-"  # how a folder begins in which a download is not whole yet


def fetch(name: str, root: str | Path | None = None, progress: bool = True) -> Path:
    """Download a data set into `root/name`, by default the cache folder where `load` looks; returns that folder.

    `name`: one of DATA_SETS. `progress`: say on stderr what comes. Files that are there and whole are kept. Raises
    ImportError without pooch, ValueError if no server gives a file with the right checksum, ConnectionError if none can
    be reached, OSError if `root` cannot be written.
    """
    checks.one_of(name, tuple(DATA_SETS), "name")
    folder = (cache_folder() if root is None else expanded(root)) / name
    if folder.parts[0].startswith("~"):
        raise FileNotFoundError(f"{folder} needs a home folder, there is none here; name a place with root (--root)")
    missing = [file for file in DATA_SETS[name] if not _all_whole(folder, file)]
    if not missing and not _leftovers(folder):
        return folder
    _pooch()  # before a folder is made
    with only_one(open_folder(folder, "--root"), "--root"):
        for left in _leftovers(folder):
            shutil.rmtree(left, ignore_errors=True)
        for file in missing:
            with tempfile.TemporaryDirectory(prefix=WORKPLACE, dir=folder) as workplace:
                try:
                    _unpack(_download(file, workplace, progress), file, Path(workplace), folder)
                except OSError as error:
                    if error.errno in NO_ROOM:
                        why = f"{error.strerror}; nothing is kept of it. Make room, or name another --root"
                        raise OSError(f"no room for {file.name} in {folder}: {why}") from error
                    raise
    return folder


def _leftovers(folder: Path) -> list[Path]:
    """What processes that were killed have left of their downloads."""
    return [path for path in folder.glob(f"{WORKPLACE}????????") if path.is_dir() and not path.is_symlink()]


def _all_whole(folder: Path, file: Download) -> bool:
    return all(_whole(folder / part, checksum) for part, checksum in file.unpacked.items())


def _pooch() -> Any:
    try:
        import pooch
    except ImportError:
        raise ImportError("fetching data sets needs pooch: pip install 'edudiff[data]'") from None
    return pooch


def _download(file: Download, workplace: str, progress: bool) -> str:
    bar = progress and importlib.util.find_spec("tqdm") is not None
    errors: list[Exception] = []
    for base in file.bases:
        if progress:
            print(f"fetching {base}{file.name}", file=sys.stderr)
        try:
            return _pooch().retrieve(base + file.name, f"md5:{file.md5}", file.name, workplace, progressbar=bar)
        except (OSError, ValueError) as error:  # unreachable or interrupted; a wrong checksum
            if getattr(error, "errno", None) in NO_ROOM:
                raise
            errors.append(error)
    told = "".join(f"\n  {base}{file.name}: {error}" for base, error in zip(file.bases, errors, strict=True))
    kind = ValueError if any(isinstance(e, ValueError) for e in errors) else ConnectionError
    raise kind(f"could not fetch {file.name}; try again later, or put the file there by hand.{told}") from errors[-1]


def _unpack(path: str, file: Download, workplace: Path, folder: Path) -> None:
    if file.name.endswith(".tar.gz"):
        with tarfile.open(path) as archive:
            for part in file.unpacked:
                (workplace / part).parent.mkdir(parents=True, exist_ok=True)
                source = archive.extractfile(part)
                if source is None:
                    raise ValueError(f"{part} of {file.name} is no plain file; nothing was kept of it")
                with source, open(workplace / part, "wb") as target:
                    shutil.copyfileobj(source, target)
    for part, checksum in file.unpacked.items():
        if not _whole(workplace / part, checksum):
            raise ValueError(f"{part} of {file.name} does not have the checksum {checksum}; nothing was kept of it")
    for part in file.unpacked:
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        os.replace(workplace / part, folder / part)


def _whole(path: Path, checksum: str) -> bool:
    """True if the file is there and its bytes, unpacked if it is a .gz, have the checksum, or the "size:BYTES"."""
    if not path.is_file():
        return False
    method, expected = checksum.split(":")
    if method == "size":
        return path.stat().st_size == int(expected)
    digest = hashlib.new(method)
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as source:
            while piece := source.read(2**20):
                digest.update(piece)
    except (EOFError, OSError, ValueError, zlib.error):
        return False
    return digest.hexdigest() == expected
