"""Which functions of the package a call enters, and which of them an object enters as an argument."""

import inspect
import sys
from pathlib import Path

import edudiff

ROOT = Path(edudiff.__file__).parent
INNER = ("<listcomp>", "<genexpr>", "<setcomp>", "<dictcomp>", "<lambda>")


def entered(call, holds=lambda value: True):
    """The functions, "module:name", that `call()` enters with an argument for which `holds(value)` is true.

    A comprehension counts as the function that it stands in. Functions without arguments count if `holds` is not given.
    """
    found, everything = set(), holds.__defaults__ is None and holds(None)

    def note(frame, event, _):
        code = frame.f_code
        if event != "call" or code.co_name in INNER:
            return
        path = Path(code.co_filename)
        if not path.is_relative_to(ROOT):
            return
        values = inspect.getargvalues(frame)
        arguments = [values.locals[name] for name in values.args if name in values.locals]
        arguments += list(values.locals[values.varargs]) if values.varargs else []
        if everything or any(holds(value) for value in arguments):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found.add(f"{module}:{code.co_qualname if hasattr(code, 'co_qualname') else code.co_name}")

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return found


def modules(functions):
    """The modules of a set of functions as `entered` returns it."""
    return {function.split(":")[0] for function in functions}
