"""Answers of functions under test: whether they are right, said in words, and their fingerprint."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from edudiff.support.types import Array

PIECE = 1 << 18  # values that are rounded at once
DECIMALS, EDGE = 4, 2.71828e-6  # an answer's fingerprint must not depend on the order in which a processor adds


def agree(actual: Any, expected: Any, tolerance: float = 1e-9, what: str = "the answer") -> None:
    """Raise AssertionError, in words for a student, unless `actual` has the shape, dtype and values of `expected`.

    Values may differ by `tolerance`, relative to the largest expected one, or to 1 if that is larger. Tuples are
    compared item by item. A Python number on either side stands for an array without axes and of any float dtype.
    """
    if isinstance(expected, tuple | list):
        if not isinstance(actual, tuple | list) or len(actual) != len(expected):
            raise AssertionError(f"{what} is {_kind(actual)}, expected {len(expected)} values")
        for place, (a, e) in enumerate(zip(actual, expected, strict=True)):
            agree(a, e, tolerance, f"{what} [{place}]")
        return
    if not isinstance(actual, np.ndarray | np.generic | int | float):
        raise AssertionError(f"{what} is {_kind(actual)}, expected numbers")
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
        raise AssertionError(f"{what} is {float(got[worst]):.6g}{where}, expected {float(wanted[worst]):.6g}")


def _kind(value: Any) -> str:
    return "None; is a return missing?" if value is None else f"a {type(value).__name__}"


def print_of(value: Any) -> str:
    """Text that is the same for equal answers: values rounded, float32 by shape alone, since its last digits vary."""
    if isinstance(value, np.ndarray | np.generic | float | int) and not isinstance(value, bool):
        array = np.asarray(float(value) if isinstance(value, int) else value)
        if array.ndim == 0 and array.dtype.kind in "iu":
            array = array.astype(float)  # as it comes out of a submission's process
        kept = "" if array.dtype == np.float32 else _rounded(array)
        return f"{array.dtype.kind}{array.dtype.itemsize}{array.shape}{kept}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(print_of(item) for item in value)}]"
    return repr(value)


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
