"""The ideal denoiser of a training set: the posterior mean E[x0 | x], which can only copy."""

import math
from collections.abc import Sequence
from typing import Any

from edudiff.denoisers.base import SoftmaxDenoiser
from edudiff.denoisers.classes import Classes
from edudiff.denoisers.law import Atoms
from edudiff.support import checks
from edudiff.support.arrays import array_namespace
from edudiff.support.describe import described
from edudiff.support.softmax import Part, Softmax
from edudiff.support.types import Array

CHUNK = 4096  # training images in one matrix product
TOLERANCE = 1e-6  # of a logit
ROUNDING = {"float16": 9.8e-4, "float32": 1.2e-7, "float64": 2.3e-16}
FEW = 0.05  # of all pairs: up to here, leading candidates are evaluated one by one


class Ideal(SoftmaxDenoiser):
    """E[x0 | x] for the uniform law on a training set, by matrix products: the engine of `edudiff.scores.ideal`.

    sum_n x_n softmax_n(-|x - alpha x_n|^2 / 2 sigma^2)   (Kamb & Ganguli 2024, eq. 3)

    `images`: (N, H, W, C) images or (N, D) points. `labels`: (N,), classes that `conditional` can choose from. Raises
    TypeError for integers, ValueError for an empty set, a wrong rank, NaN. Keeps one copy of the images, centered and
    sorted by class; an answer takes memory that does not grow with N.

    |x - alpha y|^2 becomes |x|^2 - 2 alpha x.y + alpha^2 |y|^2, a matrix product, which at small sigma is the small
    difference of large numbers. So the rounding error of a logit is bounded, and where it could be seen, every
    candidate that may matter is evaluated again from its difference to x, in float64.
    """

    def __init__(self, images: Array, labels: Any = None) -> None:
        xp = checks.training_set(images)
        self.images: Array = images
        self._classes: Classes = Classes(labels, len(images))
        self._center = images.mean(0, dtype="float64").reshape(-1)  # (D,)
        self._flat: dict[str, Array] = {}
        centered = self._in(str(images.dtype))  # (N, D)
        self._norms = xp.concatenate([_squares(chunk) for chunk in _chunks(centered)])  # (N,)
        self._longest = math.sqrt(float(self._norms.max()))

    def __repr__(self) -> str:
        return described(
            self, images=self.images, labels=self._classes.labels.tolist() if self._classes.labeled else None
        )

    def _parts(self, x: Array, alpha: float, sigma: float, windows: Sequence[int] | None, moments: bool) -> list[Part]:
        if windows is not None:
            raise TypeError("an Ideal denoiser compares whole items and has no windows to sweep; use Patch")
        xp = array_namespace(x)
        flat, originals = self._in(str(x.dtype)), self.images.reshape(len(self.images), -1)  # (N, D), (N, D)
        exact = x.reshape(len(x), -1).astype("float64")  # (B, D)
        centered = exact - alpha * self._center  # (B, D)
        offset = _squares(centered)[:, None] / (2 * sigma**2)  # (B, 1)
        error = self._error(centered, alpha, sigma, str(x.dtype))
        start, stop, _ = self._classes.slice(self._class).indices(len(flat))
        total = Softmax(xp, (len(x),), flat.shape[1], stop - start, moments)
        for first in range(start, stop, CHUNK):
            rows = slice(first, min(stop, first + CHUNK))
            logits = self._products(centered.astype(x.dtype), flat[rows], rows, alpha, sigma)  # (B, n)
            if error > TOLERANCE:
                logits = logits - offset  # (B, n)
                lead = _leading(logits, total, error)  # (B, n)
                if x.dtype != exact.dtype and float(lead.mean()) > FEW:
                    wide = flat[rows].astype("float64")  # (n, D)
                    logits = self._products(centered, wide, rows, alpha, sigma) - offset  # (B, n)
                    lead = _leading(logits, total, self._error(centered, alpha, sigma, "float64"))  # (B, n)
                if float(lead.mean()) <= FEW or self._error(centered, alpha, sigma, "float64") > TOLERANCE:
                    logits = _evaluate(logits, lead, exact, originals[self._order(rows)], alpha, sigma)  # (B, n)
            total.add(logits, flat[rows])
        top = total.top - offset[:, 0] if error <= TOLERANCE else total.top  # (B,)
        num = total.num + total.den[:, None] * self._center  # (B, D)
        if not moments:
            return [(top, num, total.den)]
        squares, fall = total.moments
        squares = squares + (num + total.num) @ self._center  # (B,), of the values before they were centered
        return [(top, num, total.den, squares, fall)]

    def generated(self) -> Atoms:
        """The law of the samples, `Atoms`: each item of the training set (or class) with the same probability."""
        start, stop, _ = self._classes.slice(self._class).indices(len(self.images))
        return Atoms(self.images[self._order(slice(start, stop))])

    def _products(self, query, chunk, rows, alpha, sigma):
        """The logits without their common term in |x|^2: (alpha x.y - alpha^2 |y|^2 / 2) / sigma^2."""
        shift = (alpha**2 / (2 * sigma**2) * self._norms[rows]).astype(query.dtype)  # (n,)
        return (query * (alpha / sigma**2)) @ chunk.T - shift  # (B, n)

    def _error(self, centered, alpha, sigma, dtype):
        """A bound on the rounding error of a logit that was computed as a product in `dtype`."""
        longest = alpha * self._longest
        size_of_x = math.sqrt(float(_squares(centered).max()))
        return ROUNDING[dtype] * longest * (size_of_x + longest) / sigma**2

    def _in(self, dtype):
        """The training set as (N, D), centered and sorted by class, in one dtype: made once and kept."""
        if dtype not in self._flat:
            flat = self.images.reshape(len(self.images), -1)  # (N, D)
            centered = array_namespace(flat).empty(flat.shape, dtype)  # (N, D)
            for first in range(0, len(flat), CHUNK):
                rows = slice(first, first + CHUNK)
                centered[rows] = flat[self._order(rows)].astype("float64") - self._center
            self._flat[dtype] = centered
        return self._flat[dtype]

    def _order(self, rows):
        """Where in `images` some rows of the sorted training set are."""
        return array_namespace(self.images).asarray(self._classes.order[rows]) if self._classes.labeled else rows


def _chunks(flat):
    return [flat[first : first + CHUNK] for first in range(0, len(flat), CHUNK)]


def _squares(rows):
    """|row|^2 in float64: (n, D) to (n,)."""
    return (rows.astype("float64") ** 2).sum(-1)  # (n,)


def _leading(logits, total, error):
    """Which candidates may matter, (B, n): those that the rounding error could lift into the margin of the top."""
    top = total.xp.maximum(total.top, logits.max(1) - error)  # (B,)
    return logits > (top - total.margin - error)[:, None]  # (B, n)


def _evaluate(logits, lead, x, images, alpha, sigma):
    """`logits` with those at `lead` replaced by -|x - alpha y|^2 / 2 sigma^2, from differences in float64."""
    items, candidates = lead.nonzero()  # (m,), (m,)
    for first in range(0, len(items), CHUNK):
        b, n = items[first : first + CHUNK], candidates[first : first + CHUNK]  # (m,), (m,)
        difference = x[b] - alpha * images[n].astype("float64")  # (m, D)
        logits[b, n] = -_squares(difference) / (2 * sigma**2)  # (m,)
    return logits
