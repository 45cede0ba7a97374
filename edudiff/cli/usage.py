"""A parser whose help has a description and an example, and whose errors are one line with what was probably meant."""

import argparse
import re
from typing import Any, NoReturn

from edudiff.support import checks

NEGATIVE = re.compile(r"-\.?\d")  # such a word is a value, -1e-3 too, which argparse takes for an option


class Parser(argparse.ArgumentParser):
    """An `argparse.ArgumentParser` that ends its help with an `example`, and suggests what a misspelled word meant."""

    def __init__(self, *, example: str = "", **how: Any) -> None:
        how.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(epilog=f"example:\n  {example}" if example else None, **how)
        self.example = example
        self._negative_number_matcher = NEGATIVE

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does, but an option that a command does not have is an error of that command: it knows its own.

        A command that only leads to others, which have a default for `run`, shows its help if none follows it.
        """
        found, more = super().parse_known_args(args, namespace)
        unknown = [word.split("=")[0] for word in more if word.startswith("-")]
        if unknown:
            own = [name for action in self._actions for name in action.option_strings if name.startswith("--")]
            self.error(f"there is no option {unknown[0]}{checks.meant(unknown[0], own)}")
        if more:
            self.error(f"{more[0]!r} is one word too many")
        if self._leads_on() and not hasattr(found, "run"):
            self.print_help()
            self.exit()
        return found, more

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, with what was probably meant, or where to look; the exit status is 2."""
        found = re.fullmatch(r"argument (\S+): invalid choice: '?(.*?)'? \(choose from (.*)\)", message, re.DOTALL)
        if found:
            where, value, choices = found.groups()
            listed = [choice.strip().strip("'") for choice in choices.split(",")]
            name = f"{where} is {value!r}" if where.startswith("-") else f"{value!r} is no {where.lower()}"
            message = f"{name}, expected one of {', '.join(listed)}{checks.meant(value, listed)}"
        message = re.sub(r"^argument (\S+): invalid int value: (.*)", r"\1 is \2, expected an integer", message)
        message = re.sub(r"^argument (\S+): invalid float value: (.*)", r"\1 is \2, expected a number", message)
        message = re.sub(r"^argument (\S+): ignored explicit argument .*", r"\1 is a switch and has no value", message)
        message = re.sub(r"^argument (\S+): (?=\1 )", "", message)  # one that names its option itself
        message = message.removeprefix("argument ")
        more = "" if "expected" in message or "did you mean" in message else f"; see `{self.prog} --help`"
        self.exit(2, f"{self.prog}: {message}{more}\n")

    def _leads_on(self) -> bool:
        return any(isinstance(action, argparse._SubParsersAction) for action in self._actions)
