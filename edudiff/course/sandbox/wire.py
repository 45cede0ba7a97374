"""Messages between the grader and the process that runs a submission: JSON for the structure, raw bytes for arrays.

Neither side can make the other run code: there is no pickle, and what arrives is checked before it is used. A
submission controls every byte that its process sends, so all that such a message can be is an answer.
"""

import json
import math
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np

HEAD = struct.Struct(">II")
MOST_TEXT, MOST_BYTES, MOST_ITEMS = 1 << 20, 1 << 26, 10_000
# What may come from a submission: it is the grader whose memory and time it would cost.
MOST_ANSWER, MOST_LETTERS = 1 << 24, 1000  # bytes of arrays, letters of one text
DTYPE = re.compile(r"[<>|][biufc]\d{1,2}")


class WireError(Exception):
    """What arrived is no message, or what should be sent cannot be one."""


def send(file: BinaryIO, value: Any, functions: list | None = None) -> None:
    """Write one message. Callables in `value` are put into the list `functions` and sent as their place in it."""
    blobs: list[bytes] = []
    text = json.dumps(_encode(value, blobs, functions)).encode()
    size = sum(len(blob) for blob in blobs)
    if len(text) > MOST_TEXT or size > MOST_BYTES:
        raise WireError(f"a message of {len(text) + size} bytes; an answer may have {MOST_ANSWER} bytes of arrays")
    file.write(HEAD.pack(len(text), size) + text + b"".join(blobs))
    file.flush()


def receive(file: BinaryIO, function: Callable[[int], Any] | None = None) -> Any:
    """Read one message; `function(place)` stands for each callable in it. Raises EOFError, WireError."""
    text, blob = _parts(file, MOST_BYTES)
    return _decoded(lambda: Decoder(blob, function).decode(json.loads(text)))


def receive_answer(file: BinaryIO) -> Any:
    """Read one message from a submission: floats, NumPy arrays, short texts, and lists of them, all of bounded size.

    Integers arrive as floats, so that nothing can be repeated by them. Raises EOFError, WireError.
    """
    text, blob = _parts(file, MOST_ANSWER)
    return _decoded(lambda: AnswerDecoder(blob).decode(json.loads(text, parse_int=float)))


def _parts(file: BinaryIO, most: int) -> tuple[bytes, bytes]:
    text_size, size = HEAD.unpack(_exactly(file, HEAD.size))
    if text_size > MOST_TEXT or size > most:
        raise WireError(f"a message that claims {text_size + size} bytes; an answer may have {most} bytes of arrays")
    return _exactly(file, text_size), _exactly(file, size)


def _decoded(decode: Callable[[], Any]) -> Any:
    try:
        return decode()
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, MemoryError, OverflowError) as error:
        raise WireError(f"not a message ({type(error).__name__}: {str(error)[:80]})") from error


def _exactly(file: BinaryIO, count: int) -> bytes:
    got = file.read(count)
    if len(got) < count:
        raise EOFError("the other side is gone")
    return got


def _encode(value: Any, blobs: list[bytes], functions: list | None) -> Any:
    again = lambda items: [_encode(v, blobs, functions) for v in items]  # noqa: E731
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufc":
        array = np.asarray(value)
        blobs.append(array.tobytes())
        return {"array": [array.dtype.str, list(array.shape)], "scalar": isinstance(value, np.generic)}
    if isinstance(value, np.ndarray | np.generic):
        raise WireError(f"a NumPy array of {value.dtype}; expected numbers, such as float64")
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


class Decoder:
    """Turns one message's tree into values; the arrays lie one after the other in `blob`."""

    def __init__(self, blob: bytes, function: Callable[[int], Any] | None = None) -> None:
        self.blob, self.function, self.used = blob, function, 0

    def decode(self, tree: Any) -> Any:
        """The value that a tree stands for."""
        if not isinstance(tree, dict):
            return self.leaf(tree)
        if "array" in tree:
            dtype, shape = tree["array"]
            return self.array(dtype, shape, tree["scalar"])
        if "tuple" in tree:
            return tuple(self.decode(item) for item in tree["tuple"])
        if "list" in tree:
            return [self.decode(item) for item in tree["list"]]
        if "dict" in tree:
            return {self.key(key): self.decode(value) for key, value in tree["dict"]}
        if self.function is None:
            raise ValueError("a function where none is expected")
        return self.function(tree["function"])

    def leaf(self, tree: Any) -> Any:
        """A number, a text, True, False or None."""
        if isinstance(tree, list):
            raise ValueError("a bare list")
        return tree

    def key(self, key: Any) -> Any:
        """A key of a dictionary."""
        return key

    def array(self, dtype: str, shape: Sequence[float], scalar: bool) -> Any:
        """The next array, read-only, or a NumPy scalar. An array takes its own bytes: two cannot share them."""
        if not DTYPE.fullmatch(dtype) or not all(0 <= n <= MOST_BYTES and n == int(n) for n in shape):
            raise ValueError("not an array")
        sides = [int(n) for n in shape]
        if math.prod(side for side in sides if side) > MOST_BYTES:  # an empty array may have a long side, too
            raise ValueError("too large")
        count = math.prod(sides)
        # frombuffer checks that the bytes are there, and shares them, so the array is read-only.
        array = np.frombuffer(self.blob, dtype, count, self.used) if count else np.empty(0, dtype)
        self.used += array.nbytes
        array = array.reshape(sides)
        return array[()] if scalar and array.ndim == 0 else array


class AnswerDecoder(Decoder):
    """As `Decoder`, for what a submission sent."""

    items = 0

    def decode(self, tree: Any) -> Any:
        """The value, counted. Raises ValueError beyond `MOST_ITEMS`."""
        self.items += 1
        if self.items > MOST_ITEMS:
            raise ValueError("too many values")
        return super().decode(tree)

    def leaf(self, tree: Any) -> Any:
        """As in `Decoder`; a long text is cut."""
        return tree[:MOST_LETTERS] if isinstance(tree, str) else super().leaf(tree)

    def key(self, key: Any) -> str:
        """A short text. Raises ValueError for other keys."""
        if not isinstance(key, str) or len(key) > MOST_LETTERS:
            raise ValueError("a key that is no short text")
        return key

    def array(self, dtype: str, shape: Sequence[float], scalar: bool) -> Any:
        """As in `Decoder`; a single integer becomes a float: Python repeats texts and lists by integers."""
        made = super().array(dtype, shape, scalar)
        return made.astype(float)[()] if made.ndim == 0 and made.dtype.kind in "iu" else made
