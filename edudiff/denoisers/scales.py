"""A window size for each noise level: what `edudiff.compare.calibrate` finds and `Patch` uses."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edudiff.denoisers.between import split
from edudiff.support import checks


@dataclass(frozen=True)
class Scales:
    """A table from the noise level sigma / alpha to a window size: that of the nearest entry in log(sigma / alpha).

    `ratios`: sigma / alpha of each entry, > 0, all different, in any order. `sizes`: their window sizes, odd integers
    for `Patch`, any numbers >= 1 for `Between`.
    Raises ValueError for tables that are empty, of different lengths, or hold other values.

    >>> scales = Scales([0.1, 1.0, 10.0], [3, 7, 15])
    >>> scales(alpha=0.9, sigma=0.8)
    7
    """

    ratios: Sequence[float]
    sizes: Sequence[float]

    def __post_init__(self):
        ratios, sizes = [float(r) for r in self.ratios], [_side(s) for s in self.sizes]
        if not ratios or len(ratios) != len(sizes):
            raise ValueError(
                f"scales has {len(ratios)} ratios and {len(sizes)} sizes, expected one size for each ratio"
            )
        if not all(0 < r < math.inf for r in ratios) or len(set(ratios)) < len(ratios):
            raise ValueError(f"scales has ratios {ratios}, expected different finite sigma / alpha > 0")
        pairs = sorted(zip(ratios, sizes, strict=True))
        object.__setattr__(self, "ratios", tuple(r for r, _ in pairs))
        object.__setattr__(self, "sizes", tuple(s for _, s in pairs))

    def __call__(self, alpha, sigma):
        """The window size at one noise level. At alpha = 0 nothing is left of the picture: the largest ratio's."""
        alpha, sigma = checks.levels(alpha, sigma)
        if alpha == 0:
            return self.sizes[-1]
        level = math.log(sigma) - math.log(alpha)
        distances = [abs(math.log(r) - level) for r in self.ratios]
        return self.sizes[distances.index(min(distances))]

    def odd(self):
        """The table with every size rounded to the nearest odd integer: for `Patch`."""
        return Scales(self.ratios, [2 * math.floor(size / 2) + 1 for size in self.sizes])

    def to_dict(self):
        """A plain dict of lists, for JSON."""
        return {"ratios": list(self.ratios), "sizes": list(self.sizes)}

    @classmethod
    def from_dict(cls, table):
        """The table that `to_dict` wrote. Raises ValueError if one of its two lists is missing."""
        if set(table) != {"ratios", "sizes"}:
            raise ValueError(f"scales has the keys {sorted(table)}, expected 'ratios' and 'sizes'")
        return cls(**table)


def _side(size):
    """An integer if it is odd, else a float, finite and >= 1. An even int is an error, as for `Patch`."""
    if hasattr(size, "__index__"):
        return checks.window(size)
    narrow, share = split(float(size))
    return float(size) if share else narrow
