"""What the hints of the package mean: an array, a denoiser, random numbers."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]  # a NumPy array; a CuPy array has the same interface and is meant too
Arrays: TypeAlias = dict[str, Any]  # several of them, by name
Rng: TypeAlias = np.random.Generator | Sequence[np.random.Generator] | None  # one for all images, or one for each


class Denoiser(Protocol):
    """Any callable `denoise(x, alpha, sigma) -> x0_hat`, formulas and networks alike."""

    def __call__(self, x: Array, alpha: float, sigma: float, /) -> Array:
        """An estimate of E[x0 | x] for noisy `x` (B, ...): same shape, dtype and device."""
        ...
