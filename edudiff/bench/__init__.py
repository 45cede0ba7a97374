"""How fast edudiff is on this machine: `edudiff bench`. All sides of a comparison take turns in one run.

An absolute time means little: machines differ, and other programs run beside. So the ways to do the same work take
turns, and every record holds medians and their ratio.
"""

from edudiff.bench.records import CASES, Bench, run
from edudiff.bench.table import header, line

__all__ = ["CASES", "Bench", "header", "line", "run"]
