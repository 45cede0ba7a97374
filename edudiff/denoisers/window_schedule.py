"""A window for each noise level, between the odd numbers too: a trained network's grows smoothly with the noise."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edudiff.support import checks
from edudiff.support.types import Array


@dataclass(frozen=True)
class WindowSchedule:
    """A table from the noise level sigma / alpha to a window size: that of the nearest entry in log(sigma / alpha).

    `ratios`: sigma / alpha of each entry, > 0, all different, in any order. `windows`: their window sizes, odd integers
    for `Patch`, any numbers >= 1 for `Between`.
    Raises ValueError for tables that are empty, of different lengths, or hold other values.

    >>> window = WindowSchedule([0.1, 1.0, 10.0], [3, 7, 15])
    >>> window(alpha=0.9, sigma=0.8)
    7
    """

    ratios: Sequence[float]
    windows: Sequence[float]

    def __post_init__(self) -> None:
        ratios, windows = [float(r) for r in self.ratios], [_side(s) for s in self.windows]
        if not ratios or len(ratios) != len(windows):
            raise ValueError(
                f"a window schedule has {len(ratios)} ratios and {len(windows)} windows, expected one for each ratio"
            )
        if not all(0 < r < math.inf for r in ratios) or len(set(ratios)) < len(ratios):
            raise ValueError(f"a window schedule has ratios {ratios}, expected different finite sigma / alpha > 0")
        pairs = sorted(zip(ratios, windows, strict=True))
        object.__setattr__(self, "ratios", tuple(r for r, _ in pairs))
        object.__setattr__(self, "windows", tuple(s for _, s in pairs))

    def __call__(self, alpha: float, sigma: float) -> Any:
        """The window size at one noise level. At alpha = 0 nothing is left of the image: the largest ratio's."""
        alpha, sigma = checks.levels(alpha, sigma)
        if alpha == 0:
            return self.windows[-1]
        level = math.log(sigma) - math.log(alpha)
        distances = [abs(math.log(r) - level) for r in self.ratios]
        return self.windows[distances.index(min(distances))]

    def odd(self) -> "WindowSchedule":
        """The table with every size rounded to the nearest odd integer: for `Patch`."""
        return WindowSchedule(self.ratios, [2 * math.floor(size / 2) + 1 for size in self.windows])

    def to_dict(self) -> dict[str, list[float]]:
        """A plain dict of lists, for JSON."""
        return {"ratios": list(self.ratios), "windows": list(self.windows)}

    @classmethod
    def from_dict(cls, table: dict[str, Any]) -> "WindowSchedule":
        """The table that `to_dict` wrote. Raises ValueError if one of its two lists is missing."""
        if set(table) != {"ratios", "windows"}:
            raise ValueError(f"a window schedule has the keys {sorted(table)}, expected 'ratios' and 'windows'")
        return cls(**table)


def _side(size):
    """An integer if it is odd, else a float, finite and >= 1. An even int is an error, as for `Patch`."""
    if hasattr(size, "__index__"):
        return checks.window(size)
    narrow, share = split(float(size))
    return float(size) if share else narrow


class Between:
    """A denoiser whose window has any side >= 1: the answers of the next smaller and larger odd side, mixed.

    6.2 pixels are 0.4 of the answer for 5 and 0.6 of that for 7. `patch`: a denoiser with a `sweep` method: `Patch`,
    `ByLabel`, or `edudiff.cluster.Sharded`. `window`: a function from (alpha, sigma) to the side, such as a
    `WindowSchedule`. The mean of two best guesses is no best guess of its own; it predicts networks better than either.
    """

    def __init__(self, patch: Any, window: Callable[..., float]) -> None:
        self.patch, self.window = patch, window

    def __repr__(self) -> str:
        return f"Between({self.patch!r}, {self.window!r})"

    def __call__(self, x: Array, alpha: float, sigma: float) -> Array:
        """`x`: (B, H, W, C). Returns x0_hat, same shape, dtype and device."""
        narrow, share = split(self.window(alpha, sigma))
        answers = self.patch.sweep(x, alpha, sigma, [narrow, narrow + 2] if share else [narrow])
        return mix(answers, narrow, share)  # (B, H, W, C)


def split(size: float) -> tuple[int, float]:
    """The largest odd side up to `size`, and the share of the next one in the mix: 6.2 -> (5, 0.6).

    Raises ValueError for a side that is not a finite number >= 1.
    """
    if not (1 <= size < math.inf):
        raise ValueError(f"window size is {size!r}, expected a finite number >= 1")
    narrow = 2 * math.floor((size - 1) / 2) + 1
    return narrow, float(size - narrow) / 2


def mix(answers: dict[int, Array], narrow: int, share: float) -> Array:
    """`share` of the answer for `narrow` + 2 and the rest of that for `narrow`, of `answers` {window: (B, H, W, C)}."""
    if share == 0:
        return answers[narrow]
    return (1 - share) * answers[narrow] + share * answers[narrow + 2]  # (B, H, W, C)
