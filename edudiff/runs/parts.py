"""What a long run has made so far, in one file beside its network: hours of drawing are not lost to Ctrl-C."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edudiff.support import checks
from edudiff.support.arrays import to_numpy
from edudiff.support.files import atomic, json_text
from edudiff.support.types import Array


class Parts:
    """Arrays that take long to make, each written to the file `path` as soon as it is there.

    What an earlier run left at `path` is used if it was made with the same `settings`, a dict of plain values, else
    replaced. A file that cannot be read counts as none.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        self.kept: dict[str, Any] = {"settings": np.array(json_text(dict(sorted(settings.items()))))}
        try:
            with np.load(path) as file:
                if str(file["settings"]) == str(self.kept["settings"]):
                    self.kept = dict(file)
        except checks.DAMAGED:
            pass

    def __repr__(self) -> str:
        return f"Parts({str(self.path)!r}, kept={[name for name in self.kept if f'{name} seconds' in self.kept]})"

    def __call__(self, name: str, make: Callable[[], Any]) -> tuple[Array, float]:
        """The array `name`, on the host, and the seconds that it took: from the file, or made by calling `make()`."""
        timing = f"{name} seconds"
        if timing not in self.kept:
            begun = time.perf_counter()
            made = to_numpy(make())
            self.kept |= {name: made, timing: np.array(time.perf_counter() - begun)}
            with atomic(self.path) as file:
                np.savez_compressed(file, **self.kept)
        return self.kept[name], float(self.kept[timing])
