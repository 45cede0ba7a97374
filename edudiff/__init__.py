"""edudiff: how diffusion models work and why they invent, in NumPy that reads like the papers.

Start with `edudiff.schedule`, then `forward`, `reverse`, `denoisers.ideal` and `denoisers.patch`.
"""

import importlib

from edudiff import forward, reverse, schedule

__version__ = "0.1.0"

_ON_DEMAND = (
    "bench",
    "cli",
    "cluster",
    "compare",
    "course",
    "data",
    "denoisers",
    "fast",
    "nn",
    "plot",
    "runs",
    "support",
)

__all__ = ["forward", "reverse", "schedule", *_ON_DEMAND]


def __getattr__(name):
    if name in _ON_DEMAND:
        return importlib.import_module(f"edudiff.{name}")
    raise AttributeError(f"module 'edudiff' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
