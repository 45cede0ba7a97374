"""A table in plain text, a line at a time: a long run shows each as it is measured."""

import re
from typing import Any

KIND = re.compile(r"([<>]?)(\d*)(.*)")  # alignment, least width, the rest of a format


class TextTable:
    """Columns of text: `columns` is {title: format}, a format as in f-strings, such as "<16", ">8.3f", "<.0%".

    A column is at least as wide as its title. The last may hold text of any length.
    """

    def __init__(self, columns: dict[str, str]) -> None:
        kinds = [KIND.fullmatch(form) for form in columns.values()]
        self.titles = list(columns)
        self.kinds = [kind.groups() for kind in kinds if kind]

    def __repr__(self) -> str:
        return f"TextTable({', '.join(map(repr, self.titles))})"

    @property
    def header(self) -> str:
        """The line of titles."""
        return self._line(self.titles)

    def row(self, *values: Any) -> str:
        """One line: a value for each column, in order; those that are None or left out at the end are blank."""
        pairs = zip(values, self.kinds, strict=False)
        return self._line(["" if value is None else format(value, rest) for value, (_, _, rest) in pairs])

    def _line(self, texts: list[str]) -> str:
        cells = zip(texts, self.titles, self.kinds, strict=False)
        return " ".join(f"{text:{side}{max(len(title), int(w or 0))}}" for text, title, (side, w, _) in cells).rstrip()
