"""Options of the command line, made of the dataclasses that hold the settings: type, default and help stand there."""

import argparse
import re
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

from edudiff.support.settings import Kind, Settings, checked, kinds

A_NUMBER = {int: "an integer", float: "a number"}
ELSEWHERE = {"count": "images", "window size": "window", "case": "cases"}  # what other errors call a setting


def add_options(
    parser: argparse.ArgumentParser,
    settings: type[Settings],
    only: Iterable[str] | None = None,
    usual: Settings | None = None,
) -> None:
    """An option for each setting of a dataclass, or for those named in `only`: `train_steps` is --train-steps.

    One that is not given leaves no trace in the parsed arguments, so that it may stand in for any default. They stand
    under the headings of their groups. `usual`: whose values are told as the defaults, if not those of the dataclass.
    """
    known, wanted = kinds(settings), None if only is None else set(only)
    headings: dict[str, Any] = {"": parser}
    for one in fields(settings):
        if wanted is not None and one.name not in wanted:
            continue
        kind, about = known[one.name], one.metadata
        about_it = _help(one, getattr(usual, one.name) if usual else one.default)
        how: dict[str, Any] = {"dest": one.name, "default": argparse.SUPPRESS, "help": about_it}
        if kind.type is bool:
            how["action"] = "store_true"
        else:
            how |= {"type": _reader(option(one.name), kind, about)}
            how |= {"nargs": "+", "action": "extend"} if kind.many else {}  # an option given twice adds up
            how |= {"choices": about["choices"] or None}
            metavar = about["metavar"] or ("" if about["choices"] else METAVARS[kind.type])
            how |= {"metavar": metavar} if metavar else {}
        if about["group"] not in headings:
            headings[about["group"]] = parser.add_argument_group(about["group"])
        headings[about["group"]].add_argument(option(one.name), **how)
    parser.set_defaults(settings=settings)


def option(name: str) -> str:
    """A setting as it is written on the command line: `train_steps` is --train-steps."""
    return f"--{name.replace('_', '-')}"


def chosen(settings: type[Settings], args: argparse.Namespace) -> dict[str, Any]:
    """The settings of a dataclass that were chosen on the command line, by name."""
    known = kinds(settings)
    return {k: tuple(v) if known[k].many else v for k, v in vars(args).items() if k in known}


def as_typed(text: str, settings: type[Settings] | None) -> str:
    """The text of an error in the words of the command line: "images is 0" becomes "--images is 0"."""
    if settings is None:
        return text
    names = {one.name: one.name for one in fields(settings)}
    names |= {word: name for word, name in ELSEWHERE.items() if name in names}
    for word, name in names.items():
        if "_" in word:
            text = re.sub(rf"(?<![\w-]){word}\b", option(name), text)
        text = re.sub(rf"(^|[:;,] |but ){word}(?= is )", rf"\1{option(name)}", text)
        text = re.sub(rf"(?<![\w.-]){word}='([^']*)'", rf"{option(name)} \1", text)
        text = re.sub(rf"(?<![\w.-]){word}=(?=\W|$)", option(name), text)
    return text


METAVARS = {int: "N", float: "X", str: "NAME"}


def _reader(name: str, kind: Kind, about: Any) -> Callable[[str], Any]:
    """A function that makes a value of a word; argparse prints the error that it raises for one that cannot be."""
    one = kind._replace(many=False)

    def read(word: str) -> Any:
        try:
            value = kind.type(word)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{name} is {word!r}, expected {A_NUMBER[kind.type]}") from None
        if about["choices"] or (kind.many and about["check"]):
            return value  # argparse knows the choices; a check of many sees them all, later
        try:
            return checked(value, name, one, about)
        except (ValueError, TypeError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _help(one: Any, default: Any) -> str:
    """The help of a field, with its default unless that is None, nothing, or told already."""
    text = one.metadata["help"]
    if default is not None and default is not False and default != () and "default" not in text:
        text += f" (default: {' '.join(default) if isinstance(default, tuple) else default})"
    return text.replace("%", "%%")
