"""Checks of settings: each returns the setting as a plain Python value, or raises an error that names it."""

import math


def whole(value, name, least=1):
    """An integer >= `least`."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise ValueError(f"{name} is {value!r}, expected an integer >= {least}")
    return int(value)


def even(value, name):
    """An even integer >= 2."""
    if not hasattr(value, "__index__") or value < 2 or value % 2:
        raise ValueError(f"{name} is {value!r}, expected an even number: half sines, half cosines")
    return int(value)


def positive(value, name):
    """A finite number > 0."""
    if not (hasattr(value, "__float__") and value > 0 and math.isfinite(value)):
        raise ValueError(f"{name} is {value!r}, expected a finite number > 0")
    return float(value)


def share(value, name):
    """A number >= 0 and < 1, such as a probability of being left out."""
    if not hasattr(value, "__float__") or not 0 <= value < 1:
        raise ValueError(f"{name} is {value!r}, expected a number >= 0 and < 1")
    return float(value)


def several(values, name, least):
    """A list of integers >= `least`, from a list or tuple."""
    if not isinstance(values, list | tuple):
        raise ValueError(f"{name} is {values!r}, expected a list of integers such as (1, 2)")
    return [whole(value, f"a value of {name}", least) for value in values]
