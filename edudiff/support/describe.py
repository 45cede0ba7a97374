"""How objects say what they are: a `repr` that names their settings, and arrays by their shape."""

import os
from typing import Any


def described(thing: object, /, **settings: Any) -> str:
    """`Name(setting=value, ...)`: an array stands for its shape, and a setting that is None is left out.

    >>> described(3, window=5, labels=None)
    'int(window=5)'
    """
    shown = {name: getattr(value, "shape", value) for name, value in settings.items() if value is not None}
    return f"{type(thing).__name__}({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def shown(path: str | os.PathLike[str]) -> str:
    """A path as text for one line of a message: quoted, with escapes, if it holds what cannot be printed.

    >>> print(shown("a.png"), shown("b\\n.png"))
    a.png 'b\\n.png'
    """
    text = os.fspath(path)
    return text if text.isprintable() else repr(text)


def reason(error: BaseException) -> str:
    """What an error of another library says, for a message of one line: its first line, or its name if it says nothing.

    >>> reason(ValueError("no\\nread on")), reason(MemoryError())
    ('no', 'MemoryError')
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
