"""Options of the command line, made of the dataclasses that hold the settings: type, default and help stand there."""

import argparse
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from edudiff.support.settings import Settings, kinds


def add_options(parser: argparse.ArgumentParser, settings: type[Settings], only: Iterable[str] | None = None) -> None:
    """An option for each setting of a dataclass, or for those named in `only`: `train_steps` is --train-steps.

    One that is not given leaves no trace in the parsed arguments, so that it may stand in for any default.
    """
    known, wanted = kinds(settings), None if only is None else set(only)
    for one in fields(settings):
        if wanted is not None and one.name not in wanted:
            continue
        kind, about = known[one.name], one.metadata
        how: dict[str, Any] = {"dest": one.name, "default": argparse.SUPPRESS, "help": _help(one)}
        if kind.type is bool:
            how["action"] = "store_true"
        else:
            how |= {"type": kind.type, "choices": about["choices"] or None, "nargs": "+" if kind.many else None}
            how |= {"metavar": about["metavar"]} if about["metavar"] else {}
        parser.add_argument(f"--{one.name.replace('_', '-')}", **how)


def chosen(settings: type[Settings], args: argparse.Namespace) -> dict[str, Any]:
    """The settings of a dataclass that were chosen on the command line, by name."""
    known = kinds(settings)
    return {k: tuple(v) if known[k].many else v for k, v in vars(args).items() if k in known}


def words(settings: Settings, usual: Settings, only: Iterable[str]) -> list[str]:
    """The options that make `settings` of `usual`, of those named in `only`, as they are written on a command line."""
    found = []
    for name in only:
        value = getattr(settings, name)
        if value not in (None, getattr(usual, name)):
            values = [] if value is True else value if isinstance(value, tuple) else [value]
            found += [f"--{name.replace('_', '-')}", *map(str, values)]
    return found


def _help(one: Any) -> str:
    """The help of a field, with its default unless that is None, nothing, or told already."""
    default, text = one.default, one.metadata["help"]
    if default is not None and default is not False and default != () and "default" not in text:
        text += f" (default: {' '.join(default) if isinstance(default, tuple) else default})"
    return text.replace("%", "%%")
