"""A known linear measurement of an image, y = A x0 + noise: a mask, a blur, a smaller image."""

from collections.abc import Sequence

import numpy as np

from edudiff.support import checks
from edudiff.support.arrays import to_numpy
from edudiff.support.random import standard_normal
from edudiff.support.types import Array, Rng


class Measurement:
    """y = A x0 + noise with a matrix A: `measurement(x0)` is A x0, `observe` adds the noise.

    `matrix`: A, (M, D), of full row rank, D the number of values of an item. `noise`: the standard deviation of what is
    added to each value of y; 0 for none. Made by `masked`, `blurred`, `downsampled`, or from any matrix. Raises
    TypeError or ValueError for anything else.
    """

    def __init__(self, matrix: Array, noise: float = 0.0) -> None:
        xp = checks.finite_floats(matrix, "matrix")
        if matrix.ndim != 2 or matrix.shape[0] > matrix.shape[1]:
            raise ValueError(f"matrix has shape {matrix.shape}, expected (M, D) with M <= D: fewer values than x0 has")
        if not 0 <= noise < np.inf:
            raise ValueError(f"noise is {noise}, expected a finite number >= 0")
        self.matrix, self.noise = matrix.astype("float64"), float(noise)
        gram = self.matrix @ self.matrix.T  # (M, M)
        if float(xp.linalg.eigvalsh(gram)[0]) <= 1e-12 * float(gram.trace()):
            raise ValueError("matrix has dependent rows: leave out values of y that follow from others")
        self._pseudo = xp.linalg.solve(gram, self.matrix).T  # (D, M), A^+ = A^T (A A^T)^-1

    def __repr__(self) -> str:
        return f"Measurement(matrix={self.matrix.shape}, noise={self.noise:g})"

    def __call__(self, x: Array) -> Array:
        """A x of each item of `x` (B, ...): (B, M), in its dtype."""
        if x[0].size != self.matrix.shape[1]:
            raise ValueError(f"x has items of {x[0].size} values, expected {self.matrix.shape[1]}, as the matrix has")
        return x.reshape(len(x), -1) @ self.matrix.T.astype(x.dtype)  # (B, M)

    def observe(self, x0: Array, rng: Rng = None) -> Array:
        """y = A x0 + noise, (B, M), the noise drawn from `rng`. Raises ValueError if there is some and no `rng`."""
        y = self(x0)  # (B, M)
        if self.noise == 0:
            return y
        if rng is None:
            raise ValueError(f"this measurement has noise {self.noise:g}: pass rng=numpy.random.default_rng(seed)")
        return y + self.noise * standard_normal(rng, y.shape, like=y)  # (B, M)

    def spread(self, values: Array, like: Array) -> Array:
        """A^T `values` (B, M), in the shape of `like` (B, ...): where in an item each value comes from."""
        return (values @ self.matrix.astype(values.dtype)).reshape(like.shape)  # (B, ...)

    def least(self, values: Array, like: Array) -> Array:
        """A^+ `values` (B, M), in the shape of `like` (B, ...): the least change of an item that changes y by these."""
        return (values @ self._pseudo.T.astype(values.dtype)).reshape(like.shape)  # (B, ...)


def masked(keep: Array, noise: float = 0.0) -> Measurement:
    """The values of an item where `keep`, booleans in its shape, is true: inpainting is to find the others."""
    keep = to_numpy(keep)  # the shape of an item
    if keep.dtype != bool or not keep.any() or keep.all():
        raise ValueError("keep is not a mask: expected booleans in the shape of an item, some of them true, some false")
    rows = np.flatnonzero(keep)  # (M,)
    return Measurement(np.eye(keep.size)[rows], noise)


def downsampled(shape: Sequence[int], factor: int, noise: float = 0.0) -> Measurement:
    """The mean over each square of `factor` x `factor` pixels of an image of `shape` (H, W, C): super-resolution."""
    height, width, channels = shape
    checks.integer(factor, "factor", 2)
    if height % factor or width % factor:
        raise ValueError(f"factor is {factor} for images of {height} x {width}, expected a divisor of both sides")
    down = np.kron(np.eye(height // factor), np.full(factor, 1 / factor))  # (H / f, H)
    right = np.kron(np.eye(width // factor), np.full(factor, 1 / factor))  # (W / f, W)
    return Measurement(np.kron(np.kron(down, right), np.eye(channels)), noise)


def blurred(shape: Sequence[int], width: float, noise: float = 0.0) -> Measurement:
    """An image of `shape` (H, W, C) under a Gaussian blur of standard deviation `width` pixels: deblurring.

    Along each axis the weights within the image are divided by their sum, so that a flat image stays as it is.
    """
    checks.positive(width, "width")
    rows, columns, channels = shape
    matrix = np.kron(np.kron(_blur(rows, width), _blur(columns, width)), np.eye(channels))  # (D, D)
    return Measurement(matrix, noise)


def _blur(length, width):
    place = np.arange(length)
    weights = np.exp(-((place[:, None] - place) ** 2) / (2 * width**2))  # (length, length)
    return weights / weights.sum(1, keepdims=True)
