"""Settings that are written once: a frozen dataclass holds each with its type, default, range and help.

The constructor checks them, the command line makes its options of them, and `asdict` is what a results file keeps.

    @dataclass(frozen=True, repr=False)
    class Choices(Settings):
        steps: int = setting(20, "reverse steps", least=1)
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, dataclass, field, fields
from os import PathLike
from types import NoneType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from edudiff.support import checks


def setting(
    default: Any,
    help: str,
    *,
    least: int | None = None,
    most: float | None = None,
    choices: Collection = (),
    check: Callable[[Any, str], Any] | None = None,
    metavar: str = "",
    group: str = "",
) -> Any:
    """A field of a dataclass with its `default` (MISSING for none) and a line of `help`.

    `least`, `most`: of an integer, or of those in a tuple, the smallest and the largest value; of a float, which is
    above 0, `most` alone. `choices`: the values that there are, of a tuple
    those of its entries. `check`: instead of these, a function (value, name) that returns the value or raises an error
    that names it. `metavar`: what stands for the value in the help. `group`: the heading that it stands under there.
    """
    about = {"help": help, "least": least, "most": most, "choices": tuple(choices), "check": check}
    about |= {"metavar": metavar, "group": group}
    return field(default=default, metadata=about)


def with_default(settings: type, name: str, default: Any) -> Any:
    """The field `name` of other `settings`, with another default."""
    [old] = (one for one in fields(settings) if one.name == name)
    return field(default=default, kw_only=old.kw_only, metadata=old.metadata)


class Kind(NamedTuple):
    """What a setting holds: values of `type`, one or `many`; `optional`: None is one of them."""

    type: type
    many: bool
    optional: bool


def kinds(settings: type) -> dict[str, Kind]:
    """The `Kind` of each field of a dataclass, from its hints: T, T | None or tuple[T, ...]."""
    found, hints = {}, get_type_hints(settings)
    for name, hint in ((one.name, hints[one.name]) for one in fields(settings)):
        optional = NoneType in get_args(hint)
        if optional:
            [hint] = (part for part in get_args(hint) if part is not NoneType)
        many = get_origin(hint) is tuple
        found[name] = Kind(get_args(hint)[0] if many else hint, many, optional)
    return found


@dataclass(frozen=True, repr=False)
class Settings:
    """Base of a frozen dataclass of `setting` fields. Raises TypeError or ValueError that names what is wrong."""

    def __post_init__(self) -> None:
        for name, kind in kinds(type(self)).items():
            value, about = getattr(self, name), self.__dataclass_fields__[name].metadata
            if value is not None or not kind.optional:
                object.__setattr__(self, name, checked(value, name, kind, about))

    def __repr__(self) -> str:
        """The settings that differ from the defaults."""
        values = {one.name: (getattr(self, one.name), one.default) for one in fields(self)}
        named = [f"{name}={value!r}" for name, (value, usual) in values.items() if usual is MISSING or value != usual]
        return f"{type(self).__name__}({', '.join(named)})"


def checked(value: Any, name: str, kind: Kind, about: Mapping[str, Any]) -> Any:
    """The `value` of a setting that is called `name` in errors; `about` is its field's metadata.

    Raises TypeError or ValueError that names what is wrong.
    """
    if about["check"]:
        return about["check"](value, name)
    if kind.many and isinstance(value, str):
        raise TypeError(f"{name} is {value!r}, expected a list, such as [{value!r}]")
    if about["choices"]:
        for one in value if kind.many else [value]:
            checks.one_of(one, about["choices"], name)
        return tuple(kind.type(one) for one in value) if kind.many else kind.type(value)
    if kind.many and kind.type is int:
        return checks.integers(value, name, 1 if about["least"] is None else about["least"], about["most"])
    if about["least"] is not None:
        return checks.integer(value, name, about["least"], about["most"])
    if kind.type is float:
        return checks.positive(value, name, about["most"])
    if kind.type is str and not kind.many:
        if not isinstance(value, str | PathLike):
            raise TypeError(f"{name} is {value!r}, expected a text")
        return str(value)
    return bool(value) if kind.type is bool else value
