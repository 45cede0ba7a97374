"""Answers of functions under test: whether they are right, said in words, and their fingerprint."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from edudiff.support.types import Array

ANSWER = "the answer"
CLEAN = {-1.0: "-1", 2.0: "2", 0.5: "1/2", -2.0: "-2", -0.5: "-1/2", 4.0: "4", 0.25: "1/4"}  # ratios with a name
PIECE = 1 << 18  # values that are rounded at once
DECIMALS, EDGE = 4, 2.71828e-6  # an answer's fingerprint must not depend on the order in which a processor adds


def agree(actual: Any, expected: Any, tolerance: float = 1e-9, what: str = ANSWER) -> None:
    """Raise AssertionError, in words for a student, unless `actual` has the shape, dtype and values of `expected`.

    Values may differ by `tolerance`, relative to the largest expected one, or to 1 if that is larger. Tuples are
    compared item by item. A Python number on either side stands for an array without axes and of any float dtype.
    Where all values are the same multiple of the expected ones, the error has it as its attribute `ratio`; one number
    among others is a multiple by chance, so there it has none.
    """
    _agree(actual, expected, tolerance, what, alone=True)


def _agree(actual: Any, expected: Any, tolerance: float, what: str, alone: bool) -> None:
    if isinstance(expected, tuple | list):
        if not isinstance(actual, tuple | list) or len(actual) != len(expected):
            missing = "; is a return missing?" if actual is None else ""
            raise AssertionError(f"{what} is {kind(actual)}, expected {len(expected)} values{missing}")
        for place, (a, e) in enumerate(zip(actual, expected, strict=True)):
            _agree(a, e, tolerance, f"{what} [{place}]", alone=len(expected) == 1)
        return
    if actual is None:
        raise AssertionError(f"{what} is None; is a return missing?")
    if not isinstance(actual, np.ndarray | np.generic | int | float):
        raise AssertionError(f"{what} is {kind(actual)}, expected {_wanted(expected)}")
    got, wanted = np.asarray(actual), np.asarray(expected)
    if got.dtype.kind == "c" and wanted.dtype.kind != "c":
        raise AssertionError(f"{what} has dtype {got.dtype}, expected real numbers")
    if got.shape != wanted.shape:
        raise AssertionError(f"{what} has shape {got.shape}, expected {wanted.shape}")
    if isinstance(expected, np.ndarray) and wanted.ndim and got.dtype != wanted.dtype:
        raise AssertionError(f"{what} has dtype {got.dtype}, expected {wanted.dtype}")
    if got.size == 0:
        return
    if not np.isfinite(got).all() and np.isfinite(wanted).all():
        raise AssertionError(f"{what} has {int((~np.isfinite(got)).sum())} NaN or infinite values of {got.size}")
    with np.errstate(invalid="ignore"):
        error = np.where(got == wanted, 0.0, np.abs(got.astype(float) - wanted.astype(float)))  # ...
    allowed = tolerance * max(1.0, float(np.abs(wanted[np.isfinite(wanted)]).max(initial=0.0)))
    if not (error <= allowed).all():
        worst = tuple(int(i) for i in np.unravel_index(int(np.argmax(error)), error.shape))
        where = f" at {worst}" if worst else ""
        a, e = _apart(float(got[worst]), float(wanted[worst]))
        ratio = _ratio(got, wanted, allowed) if alone or got.size > 1 else None
        clean = f"; {_multiple(got.size, CLEAN[ratio])}" if ratio in CLEAN else ""
        wrong = AssertionError(f"{what} is {a}{where}, expected {e}{clean}")
        wrong.ratio = None if ratio in CLEAN else ratio  # type: ignore[attr-defined]
        raise wrong


def kind(value: Any) -> str:
    """What a value is, for a student: its kind, and how many there are."""
    if value is None or isinstance(value, bool | np.bool_):
        return str(value)
    if isinstance(value, tuple | list | dict):
        inside = [kind(item) for item in list(value)[:3]] if not isinstance(value, dict) else []
        more = ", ..." if inside and len(value) > 3 else ""
        listed = f" ({', '.join(inside)}{more})" if inside else ""
        return f"a {type(value).__name__} of {len(value)} value{'' if len(value) == 1 else 's'}{listed}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, np.generic | int | float):
        return f"the number {_float(value):.6g}" if not isinstance(value, np.complexfloating) else "a complex number"
    return "a text" if isinstance(value, str) else f"a {type(value).__name__}"


def times(error: BaseException, arguments: Sequence[Any]) -> str:
    """For an error of `agree`: if the ratio is one of a function's arguments, or its square, or one over it, say so."""
    ratio = getattr(error, "ratio", None)
    numbers = [float(a) for a in _numbers(arguments)]
    named = [(f"{a:.6g}", a) for a in numbers] + [(f"{a:.6g}**2", a * a) for a in numbers]
    named += [(f"1 / {text}", 1 / value) for text, value in named if value]
    for text, value in named:
        if ratio is not None and value not in (0, 1) and abs(ratio - value) <= 1e-4 * abs(value):
            return f"; {_multiple(2, text)}, and {text.removeprefix('1 / ').removesuffix('**2')} is an argument"
    return ""


def _numbers(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, tuple | list):
            yield from _numbers(value)
        elif isinstance(value, int | float | np.integer | np.floating) and np.isfinite(value):
            yield value


def _multiple(count: int, ratio: str) -> str:
    return f"all values are {ratio} times the expected ones" if count > 1 else f"that is {ratio} times as much"


def _wanted(expected: Any) -> str:
    shape = np.shape(expected)
    return f"an array of shape {shape}" if shape else "a number"


def _apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers as texts with as many digits as it takes to tell them apart."""
    for digits in range(6, 18):
        texts = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


def _ratio(got: Array, wanted: Array, allowed: float) -> float | None:
    """The number that `wanted` must be multiplied with to give `got`, rounded; None if there is none."""
    if got.dtype.kind == "c":
        return None
    a, b = got.astype(float).ravel(), wanted.astype(float).ravel()  # (values,)
    size = float(b @ b)
    if not 0 < size < np.inf:
        return None
    ratio = float(a @ b) / size
    fits = ratio != 0 and np.abs(a - ratio * b).max() <= max(allowed, 1e-6 * float(np.abs(a).max()))
    return next((clean for clean in CLEAN if abs(ratio - clean) <= 1e-4 * abs(clean)), ratio) if fits else None


def print_of(value: Any) -> str:
    """Text that is the same for equal answers: values rounded, float32 by shape alone, since its last digits vary."""
    if isinstance(value, np.ndarray | np.generic | float | int) and not isinstance(value, bool):
        array = np.asarray(_float(value) if isinstance(value, int) else value)
        if array.ndim == 0 and array.dtype.kind in "iu":
            array = array.astype(float)  # as it comes out of a submission's process
        kept = "" if array.dtype == np.float32 else _rounded(array)
        return f"{array.dtype.kind}{array.dtype.itemsize}{array.shape}{kept}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(print_of(item) for item in value)}]"
    return repr(value)


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return float("inf")


def _rounded(array: Array) -> str:
    digest, values = hashlib.sha256(), np.ravel(array)  # (values,)
    for first in range(0, len(values), PIECE):
        piece = values[first : first + PIECE].astype(complex if array.dtype.kind == "c" else float)
        with np.errstate(all="ignore"):
            # Moved a little first: a short decimal such as 1/32 lies on the edge between two rounded values.
            piece = np.round(piece + EDGE, DECIMALS) + 0.0
        digest.update(np.nan_to_num(piece, nan=1e300, posinf=2e300, neginf=3e300).tobytes())
    return digest.hexdigest()


def fingerprint(prints: Sequence[str]) -> str:
    """A short hash of a list of texts: it says whether two sets of answers are the same, and nothing else."""
    return hashlib.sha256("\n".join(prints).encode("utf-8", "backslashreplace")).hexdigest()[:16]
