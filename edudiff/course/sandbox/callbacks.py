"""The test's own functions, answered for a submission that was given them: within a budget, for it is the grader's."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

MOST_CALLS = 10_000
MOST_VALUES = 1 << 18  # in the arrays of one call, broadcast against each other
MOST_IN_ALL = 1 << 22  # over all calls that one call of the submission makes: a test may keep what it is asked


class Spent(Exception):
    """A submission has used up what it may ask of the grader."""


class Callbacks:
    """The functions that went out with one call, by their place, and what was asked of them so far."""

    def __init__(self) -> None:
        self.functions: list = []
        self.calls = self.values = 0

    def answer(self, asked: dict) -> dict:
        """{"ask", "args", "kwargs"} in, {"result"} or {"error"} out. Raises Spent beyond the budget."""
        try:
            function, args, kwargs = self.functions[int(asked["ask"])], asked["args"], asked["kwargs"]
            shapes = list(_shapes((*args, *kwargs.values())))
            size = _size(shapes)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
            return {"error": f"{type(error).__name__}: what was passed to a function of the test cannot be read"}
        if size > MOST_VALUES:
            kinds = sorted(set(shapes))[:9]
            return {"error": f"arrays of the shapes {kinds} are too large; at most {MOST_VALUES:,} values together"}
        self.calls += 1
        self.values += size
        if self.calls > MOST_CALLS or self.values > MOST_IN_ALL:
            raise Spent(
                f"it asked a function of the test {self.calls:,} times, for {self.values:,} values in all; at most"
                f" {MOST_CALLS:,} times and {MOST_IN_ALL:,} values"
            )
        try:
            with np.errstate(all="ignore"):
                return {"result": function(*args, **kwargs)}
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"[:500]}


def _shapes(values: Iterable[Any]) -> Iterable[tuple[int, ...]]:
    """The shapes of all arrays and numbers in `values`, and in the lists in it."""
    for value in values:
        if isinstance(value, np.ndarray | np.generic):
            yield value.shape
        elif isinstance(value, list | tuple | dict):
            yield from _shapes(value.values() if isinstance(value, dict) else value)
        else:
            yield ()


def _size(shapes: list[tuple[int, ...]]) -> int:
    """How many values a function may make of arrays of these shapes, if it computes value by value."""
    together = sum(math.prod(shape) for shape in shapes)
    try:
        return max(together, math.prod(np.broadcast_shapes(*set(shapes))))
    except ValueError:  # a matrix product may take such shapes
        return together
