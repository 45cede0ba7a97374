"""The idx format of MNIST: two zero bytes, a type, a number of dimensions; their lengths; then the values, row by row.

Nothing in a file is trusted: it is read piece by piece, never further than one byte beyond what its header promises.
"""

import gzip
import math
import os
import struct
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np

from edudiff.support.types import Array

BYTES = 8  # the type code of unsigned bytes, the only one that image files use
LARGEST = 2**30  # bytes; twenty times MNIST
PIECE = 2**20


def read_idx(path: Path, dimensions: int, first: int = 0, last: int | None = None) -> Array:
    """The items `first` to `last` - 1 of an idx file of bytes: uint8, (N, ...) with `dimensions` axes.

    A file is read from the first item on; one whose name ends in .gz is unpacked from its start to its end, because
    its checksum stands there, but only the items are kept. Raises ValueError for a file that is truncated, longer than
    its header says, of another type or rank, empty, or if more than LARGEST bytes are asked for.
    """
    with _opened(path) as file:
        try:
            shape = _header(file, path, dimensions)
            last = shape[0] if last is None else min(last, shape[0])
            item = math.prod(shape[1:])
            _check_size(path, shape, (last - first) * item)
            data = _body(file, path, first * item, last * item, promised=math.prod(shape))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path} is no whole gzip file ({error}); fetch it again") from error
    return np.frombuffer(data, np.uint8).reshape(last - first, *shape[1:])  # (last - first, ...)


def idx_shape(path: Path, dimensions: int) -> tuple[int, ...]:
    """The shape that the header of an idx file promises: a tuple of `dimensions` integers. Raises as `read_idx`."""
    with _opened(path) as file:
        try:
            return _header(file, path, dimensions)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path} is no whole gzip file ({error}); fetch it again") from error


def _opened(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if str(path).endswith(".gz") else open(path, "rb")


def _header(file: IO[bytes], path: Path, dimensions: int) -> tuple[int, ...]:
    magic = file.read(4)
    expected = bytes([0, 0, BYTES, dimensions])
    if magic != expected:
        raise ValueError(
            f"{path} starts with the bytes {magic.hex(' ') or '(none)'}, expected {expected.hex(' ')}: an idx file of"
            f" bytes with {dimensions} dimension(s); is it the right file, unpacked and with its own name?"
        )
    lengths = file.read(4 * dimensions)
    if len(lengths) < 4 * dimensions:
        raise ValueError(f"{path} ends inside its header, after {4 + len(lengths)} bytes; fetch it again")
    shape = struct.unpack(f">{dimensions}I", lengths)
    if math.prod(shape) == 0:
        raise ValueError(f"{path} says that its shape is {shape}: it is empty, expected at least one item")
    return shape


def _check_size(path: Path, shape: tuple[int, ...], wanted: int) -> None:
    if wanted > LARGEST:
        raise ValueError(
            f"{path} says that its shape is {shape}, and {wanted:,} bytes of it are wanted, expected up to {LARGEST:,}."
            " Read it in parts, or if its header is damaged, fetch it again"
        )


def _body(file: IO[bytes], path: Path, start: int, stop: int, promised: int) -> bytes | bytearray:
    """The bytes `start` to `stop` of the `promised` ones after the header."""
    if isinstance(file, gzip.GzipFile):
        data, size = _unpacked(file, start, stop, promised)
    else:
        size = os.fstat(file.fileno()).st_size - file.tell()
        file.seek(start, os.SEEK_CUR)
        data = file.read(stop - start) if size == promised else b""
    if size != promised:
        has = f"only {size:,}" if size < promised else "more"
        raise ValueError(f"{path} has {has} bytes of data, expected the {promised:,} of its header; fetch it again")
    return data


def _unpacked(file: IO[bytes], start: int, stop: int, promised: int) -> tuple[bytearray, int]:
    """The bytes `start` to `stop`, and how many there are in all, counted no further than one more than `promised`."""
    data, at = bytearray(), 0
    while piece := file.read(min(PIECE, promised + 1 - at)):
        data += memoryview(piece)[max(0, start - at) : max(0, stop - at)]
        at += len(piece)
    return data, at
