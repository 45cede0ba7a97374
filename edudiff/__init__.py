"""edudiff: how diffusion models work and why they invent, in NumPy that reads like the papers.

Flat files are the page, to be read, in this order: `schedule`, `forward`, `reverse`, `scores`, `convnet`. Folders are
the engine, to be used; they and `plot` are loaded when they are asked for.
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from edudiff import forward, reverse, schedule, scores

if TYPE_CHECKING:  # a type checker does not run __getattr__
    from edudiff import (  # noqa: F401
        bench,
        cli,
        cluster,
        compare,
        convnet,
        course,
        data,
        denoisers,
        fast,
        nn,
        playground,
        plot,
        runs,
        sampling,
        support,
    )

__version__ = "0.1.0"

_ENGINE = (
    *("bench", "cli", "cluster", "compare", "course", "data", "denoisers", "fast", "nn", "playground", "runs"),
    *("sampling", "support"),
)
_ON_DEMAND = (*_ENGINE, "convnet", "plot")

__all__ = ["forward", "reverse", "schedule", "scores", *_ON_DEMAND]


def __getattr__(name: str) -> ModuleType:
    if name in _ON_DEMAND:
        return importlib.import_module(f"edudiff.{name}")
    raise AttributeError(f"module 'edudiff' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
