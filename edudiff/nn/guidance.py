"""Drawing what one asks for: the denoiser of a class, and classifier-free guidance."""

import math
from typing import Any

import numpy as np

from edudiff.support import checks
from edudiff.support.types import Array


class Conditional:
    """The denoiser `net.conditional(label, guidance)` of one class of a network, with classifier-free guidance.

    `label`: an integer from 0, or one for each item, (B,). `guidance`: how far to go beyond the class's own answer,
    away from the answer without a class: (1 + guidance) * x0_hat(class) - guidance * x0_hat(no class); 0 does not ask
    for the second. The noise, score and x0 of one x are affine in each other, so that this is Ho & Salimans 2022, eq.
    6, which is written for the noise. Raises ValueError for a class that the network does not have.
    """

    def __init__(self, net: Any, label: int | Array, guidance: float = 0.0) -> None:
        if net.classes is None:
            raise ValueError(f"this {type(net).__name__} has no classes; make it with classes=10, train it with labels")
        if not math.isfinite(guidance):
            raise ValueError(f"guidance is {guidance}, expected a finite number; 0 for none")
        self.net, self.label, self.guidance = net, checks.labels(label, net.classes, name="label"), float(guidance)

    def __call__(self, x: Array, alpha: float | Array, sigma: float | Array) -> Array:
        """x0_hat, the shape and dtype of `x`."""
        if self.label.ndim and len(self.label) != len(x):
            raise ValueError(f"label has {len(self.label)} classes for a batch of {len(x)}; expected one for each item")
        x0_hat, _ = self.net.forward(x, alpha, sigma, np.broadcast_to(self.label, len(x)))  # (B, ...)
        if self.guidance:
            without, _ = self.net.forward(x, alpha, sigma)  # (B, ...)
            x0_hat = (1 + self.guidance) * x0_hat - self.guidance * without
        return x0_hat.astype(x.dtype, copy=False)

    def __repr__(self) -> str:
        label = f"{len(self.label)} labels" if self.label.ndim else f"label={self.label}"
        return f"Conditional({self.net!r}, {label}, guidance={self.guidance:g})"
