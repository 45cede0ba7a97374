"""The idx format of MNIST: two zero bytes, a type, a number of dimensions; their lengths; then the values, row by row.

Nothing in a file is trusted: it is read piece by piece, never further than one byte beyond what its header promises.
"""

import gzip
import math
import struct
import zlib

import numpy as np

BYTES = 8  # the type code of unsigned bytes, the only one that picture files use
LARGEST = 2**30  # bytes; twenty times MNIST
PIECE = 2**20


def read_idx(path, dimensions):
    """The items of an idx file of bytes: uint8, (N, ...) with `dimensions` axes. A name that ends in .gz is unpacked.

    Raises ValueError for a file that is truncated, longer than its header says, of another type or rank, empty, or
    larger than LARGEST.
    """
    with gzip.open(path) if str(path).endswith(".gz") else open(path, "rb") as file:
        try:
            shape = _header(file, path, dimensions)
            data = _body(file, path, promised=math.prod(shape))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path} is no whole gzip file ({error}); fetch it again") from error
    return np.frombuffer(data, np.uint8).reshape(shape)  # (N, ...)


def _header(file, path, dimensions):
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
    if math.prod(shape) > LARGEST:
        raise ValueError(
            f"{path} says that its shape is {shape}, {math.prod(shape):,} bytes; expected at most {LARGEST:,}."
            " Its header is probably damaged: fetch it again"
        )
    return shape


def _body(file, path, promised):
    data = bytearray()
    while piece := file.read(min(PIECE, promised + 1 - len(data))):
        data += piece
    if len(data) != promised:
        has = f"only {len(data):,}" if len(data) < promised else "more"
        raise ValueError(f"{path} has {has} bytes of data, expected the {promised:,} of its header; fetch it again")
    return data
