"""How objects say what they are: a `repr` that names their settings, and arrays by their shape."""

from typing import Any


def described(thing: object, /, **settings: Any) -> str:
    """`Name(setting=value, ...)`: an array stands for its shape, and a setting that is None is left out.

    >>> described(3, window=5, labels=None)
    'int(window=5)'
    """
    shown = {name: getattr(value, "shape", value) for name, value in settings.items() if value is not None}
    return f"{type(thing).__name__}({', '.join(f'{name}={value!r}' for name, value in shown.items())})"
