"""Downloading a data set, only when asked: `edudiff fetch mnist`. Uses pooch (the extra `data`).

A file gets its name only after its checksum has been found right, so an interrupted download leaves nothing behind that
looks like data.
"""

import errno
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

from edudiff.data.files import cache_folder
from edudiff.data.registry import DATA_SETS, Download
from edudiff.support import checks
from edudiff.support.files import expanded


def fetch(name: str, root: str | Path | None = None, progress: bool = True) -> Path:
    """Download a data set into `root/name`, by default the cache folder where `load` looks; returns that folder.

    `name`: one of DATA_SETS. `progress`: say on stderr what comes. Files that are there and whole are kept. Raises
    ImportError without pooch, ValueError if no server gives a file with the right checksum, ConnectionError if none can
    be reached, OSError if `root` cannot be written.
    """
    checks.one_of(name, tuple(DATA_SETS), "name")
    folder = (cache_folder() if root is None else expanded(root)) / name
    if folder.parts[0].startswith("~"):
        raise FileNotFoundError(f"{folder} needs a home folder, and there is none here; name another place with root")
    for file in DATA_SETS[name]:
        if not all(_whole(folder / part, checksum) for part, checksum in file.unpacked.items()):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder) as workplace:
                _unpack(_download(file, workplace, progress), file, Path(workplace), folder)
    return folder


def _download(file: Download, workplace: str, progress: bool) -> str:
    try:
        import pooch
    except ImportError:
        raise ImportError("fetching data sets needs pooch: pip install 'edudiff[data]'") from None
    bar = progress and importlib.util.find_spec("tqdm") is not None
    errors: list[Exception] = []
    for base in file.bases:
        if progress:
            print(f"fetching {base}{file.name}", file=sys.stderr)
        try:
            return pooch.retrieve(base + file.name, f"md5:{file.md5}", file.name, workplace, progressbar=bar)
        except (OSError, ValueError) as error:  # unreachable or interrupted; a wrong checksum
            if getattr(error, "errno", None) == errno.ENOSPC:
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
