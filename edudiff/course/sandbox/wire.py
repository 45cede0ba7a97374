"""Messages between the grader and the process that runs a submission: JSON for the structure, raw bytes for arrays.

Neither side can make the other run code: there is no pickle, and what arrives is checked before it is used. A
submission controls every byte that its process sends, so all that such a message can be is an answer.
"""

import json
import re
import struct
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np

HEAD = struct.Struct(">II")
MOST_TEXT, MOST_BYTES, MOST_ITEMS = 1 << 20, 1 << 26, 10_000
DTYPE = re.compile(r"[<>|][biufc]\d{1,2}")


class WireError(Exception):
    """What arrived is no message, or what should be sent cannot be one."""


def send(file: BinaryIO, value: Any, functions: list | None = None) -> None:
    """Write one message. Callables in `value` are put into the list `functions` and sent as their place in it."""
    blobs: list[bytes] = []
    text = json.dumps(_encode(value, blobs, functions)).encode()
    size = sum(len(blob) for blob in blobs)
    if len(text) > MOST_TEXT or size > MOST_BYTES:
        raise WireError(f"a message of {len(text) + size} bytes; an answer may have {MOST_BYTES} bytes of arrays")
    file.write(HEAD.pack(len(text), size) + text + b"".join(blobs))
    file.flush()


def receive(file: BinaryIO, function: Callable[[int], Any] | None = None) -> Any:
    """Read one message; `function(place)` stands for each callable in it. Raises EOFError, WireError."""
    text_size, size = HEAD.unpack(_exactly(file, HEAD.size))
    if text_size > MOST_TEXT or size > MOST_BYTES:
        raise WireError(f"a message that claims {text_size + size} bytes")
    text, blob = _exactly(file, text_size), _exactly(file, size)
    try:
        return _decode(json.loads(text), blob, function)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, MemoryError, OverflowError) as error:
        raise WireError(f"not a message ({type(error).__name__})") from error


def _exactly(file: BinaryIO, count: int) -> bytes:
    got = file.read(count)
    if len(got) < count:
        raise EOFError("the other side is gone")
    return got


def _encode(value: Any, blobs: list[bytes], functions: list | None) -> Any:
    again = lambda items: [_encode(v, blobs, functions) for v in items]  # noqa: E731
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufc":
        array = np.asarray(value)
        offset = sum(len(blob) for blob in blobs)
        blobs.append(array.tobytes())
        return {"array": [array.dtype.str, list(array.shape), offset], "scalar": isinstance(value, np.generic)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple):
        return {"tuple": again(value)}
    if isinstance(value, list):
        return {"list": again(value)}
    if isinstance(value, dict):
        return {"dict": [again(pair) for pair in value.items()]}
    if isinstance(value, Iterator):
        items = [item for _, item in zip(range(MOST_ITEMS), value, strict=False)]
        return {"list": again(items)}
    if callable(value) and functions is not None:
        functions.append(value)
        return {"function": len(functions) - 1}
    raise WireError(f"{type(value).__name__}; expected numbers, text, NumPy arrays, or tuples and lists of them")


def _decode(tree: Any, blob: bytes, function: Callable[[int], Any] | None) -> Any:
    again = lambda items: [_decode(item, blob, function) for item in items]  # noqa: E731
    if not isinstance(tree, dict):
        if isinstance(tree, list):
            raise ValueError("a bare list")
        return tree
    if "array" in tree:
        dtype, shape, offset = tree["array"]
        if not DTYPE.fullmatch(dtype) or not all(isinstance(n, int) and n >= 0 for n in (*shape, offset)):
            raise ValueError("not an array")
        count = 1
        for n in shape:
            count *= n
        # frombuffer checks that the bytes are there, and shares them, so the array is read-only.
        array = np.frombuffer(blob, dtype, count, offset) if count else np.empty(0, dtype)
        array = array.reshape(shape)
        return array[()] if tree["scalar"] and array.ndim == 0 else array
    if "tuple" in tree:
        return tuple(again(tree["tuple"]))
    if "list" in tree:
        return again(tree["list"])
    if "dict" in tree:
        return {key: _decode(value, blob, function) for key, value in tree["dict"]}
    if function is None:
        raise ValueError("a function where none is expected")
    return function(tree["function"])
