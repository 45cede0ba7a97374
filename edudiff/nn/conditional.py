"""Drawing what one asks for: the denoiser of a class of a network."""

from typing import Any

import numpy as np

from edudiff.support import checks
from edudiff.support.types import Array


class Conditional:
    """The denoiser `net.conditional(label)` of one class of a network.

    `label`: an integer from 0, or one for each item, (B,). Raises ValueError for a class that the network does not
    have.
    """

    def __init__(self, net: Any, label: int | Array) -> None:
        if net.classes is None:
            raise ValueError(f"this {type(net).__name__} has no classes; make it with classes=10, train it with labels")
        self.net, self.label = net, checks.labels(label, net.classes, name="label")

    def __call__(self, x: Array, alpha: float | Array, sigma: float | Array) -> Array:
        """x0_hat, the shape and dtype of `x`."""
        if self.label.ndim and len(self.label) != len(x):
            raise ValueError(f"label has {len(self.label)} classes for a batch of {len(x)}; expected one for each item")
        x0_hat, _ = self.net.forward(x, alpha, sigma, np.broadcast_to(self.label, len(x)))  # (B, ...)
        return x0_hat.astype(x.dtype, copy=False)

    def __repr__(self) -> str:
        label = f"{len(self.label)} labels" if self.label.ndim else f"label={self.label}"
        return f"Conditional({self.net!r}, {label})"
