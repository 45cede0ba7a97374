"""The ideal denoiser, smoothed: averaged over slightly moved inputs, it draws between its training items."""

import math

import numpy as np

from edudiff.denoisers.ideal import Ideal
from edudiff.denoisers.law import FixedPoints
from edudiff.support import checks, rounding
from edudiff.support.arrays import array_namespace, move
from edudiff.support.describe import described
from edudiff.support.types import Array


class Smoothed:
    """mean over m of Ideal(x + spread * noise_m): the smoothed score (Scarvelis et al. 2023, eq. 5) with M copies.

    `images`: (N, H, W, C) or (N, D). `spread`: standard deviation of the movements, in units of x; 0 is `Ideal`.
    `copies`: M, how many movements; they are drawn once, from `rng`, and are the same for every x and noise level, so
    that the denoiser is one function. As sigma goes to 0, each copy answers its nearest training item: what is drawn is
    the mean of M training items, not all different. Raises TypeError or ValueError for anything else.
    """

    def __init__(
        self, images: Array, spread: float = 0.1, copies: int = 10, rng: np.random.Generator | None = None
    ) -> None:
        checks.training_set(images)
        if not (spread >= 0 and math.isfinite(spread)):
            raise ValueError(f"spread is {spread}, expected a finite number >= 0")
        copies = checks.integer(copies, "copies") if spread > 0 else 1
        shape = copies, *images.shape[1:]
        moves = spread * checks.generator(rng).standard_normal(shape) if spread > 0 else np.zeros(shape)  # (M, ...)
        self.images, self.spread, self.moves = images, spread, move(moves, images)
        self._ideal = Ideal(images)

    def __repr__(self) -> str:
        return described(self, images=self.images, spread=self.spread, copies=len(self.moves))

    @rounding.to_zero
    def __call__(self, x: Array, alpha: float, sigma: float) -> Array:
        """`x`: (B, H, W, C) or (B, D). Returns x0_hat, same shape, dtype and device."""
        checks.batch(x, self.images)
        total = array_namespace(x).zeros(x.shape)  # (B, ...), float64
        for step in self.moves:
            total += self._ideal(x.astype("float64") + step, alpha, sigma)  # (B, ...)
        return (total / len(self.moves)).astype(x.dtype)  # (B, ...)

    def generated(self) -> FixedPoints:
        """What is known of the samples: they are `FixedPoints`, means of as many training items as there are copies."""
        return FixedPoints(self)
