"""The ideal denoiser of a training set: the posterior mean E[x0 | x], which can only copy."""

import copy
import math

from edudiff.denoisers.classes import Classes
from edudiff.denoisers.law import Atoms
from edudiff.denoisers.softmax import Softmax, mean
from edudiff.support import checks
from edudiff.support.arrays import array_namespace

CHUNK = 4096  # training images in one matrix product
TOLERANCE = 1e-6  # of a logit
ROUNDING = {"float16": 9.8e-4, "float32": 1.2e-7, "float64": 2.3e-16}
FEW = 0.05  # of all pairs: up to here, leading candidates are evaluated one by one


def posterior_mean(x, images, alpha, sigma):
    """The definition (Kamb & Ganguli 2024, eq. 3): sum_n x_n softmax_n(-|x - alpha x_n|^2 / 2 sigma^2), all at once.

    `x`: (B, ...), `images`: (N, ...). Holds B * N differences in memory; `Ideal` gives the same answer and does not.
    """
    xp = checks.batch(x, images)
    flat = images.reshape(len(images), -1)  # (N, D)
    difference = x.reshape(len(x), 1, -1) - alpha * flat  # (B, N, D)
    logits = -(difference**2).sum(-1) / (2 * sigma**2)  # (B, N)
    weights = xp.exp(logits - logits.max(1, keepdims=True))  # (B, N)
    weights = weights / weights.sum(1, keepdims=True)  # (B, N)
    return (weights @ flat).reshape(x.shape)  # (B, ...)


class Ideal:
    """E[x0 | x] for the uniform law on a training set: `posterior_mean` as matrix products over chunks.

    `images`: (N, H, W, C) pictures or (N, D) points. `labels`: (N,), classes that `conditional` can choose from. Raises
    TypeError for integers, ValueError for an empty set, a wrong rank, NaN. Keeps one copy of the images, centered and
    sorted by class; an answer takes memory that does not grow with N.

    |x - alpha y|^2 becomes |x|^2 - 2 alpha x.y + alpha^2 |y|^2, a matrix product, which at small sigma is the small
    difference of large numbers. So the rounding error of a logit is bounded, and where it could be seen, every
    candidate that may matter is evaluated again from its difference to x, in float64.
    """

    def __init__(self, images, labels=None):
        xp = checks.training_set(images)
        self._classes, self._class = Classes(labels, len(images)), None
        self.images = images
        self._center = images.mean(0, dtype="float64").reshape(-1)  # (D,)
        self._flat = {}
        centered = self._in(str(images.dtype))  # (N, D)
        self._norms = xp.concatenate([_squares(chunk) for chunk in _chunks(centered)])  # (N,)
        self._longest = math.sqrt(float(self._norms.max()))

    def conditional(self, label):
        """This denoiser for the items of one class alone, of which nothing is copied. Needs `labels`.

        Raises ValueError for a label that no item has.
        """
        other = copy.copy(self)
        other._class = self._classes.number(label)
        return other

    def __call__(self, x, alpha, sigma):
        """`x`: (B, H, W, C) or (B, D). Returns x0_hat, same shape, dtype and device."""
        return mean(self.partial(x, alpha, sigma)).astype(x.dtype).reshape(x.shape)  # (B, ...)

    def partial(self, x, alpha, sigma):
        """(top, num, den) of this training set, to be joined with others by `merge`: float64, (B,), (B, D), (B,)."""
        xp = checks.batch(x, self.images)
        alpha, sigma = checks.levels(alpha, sigma)
        flat, originals = self._in(str(x.dtype)), self.images.reshape(len(self.images), -1)  # (N, D), (N, D)
        exact = x.reshape(len(x), -1).astype("float64")  # (B, D)
        centered = exact - alpha * self._center  # (B, D)
        offset = _squares(centered)[:, None] / (2 * sigma**2)  # (B, 1)
        error = self._error(centered, alpha, sigma, str(x.dtype))
        start, stop, _ = self._classes.slice(self._class).indices(len(flat))
        total = Softmax(xp, (len(x),), flat.shape[1], stop - start)
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
        top, num, den = total.parts()
        if error <= TOLERANCE:
            top = top - offset[:, 0]  # (B,)
        return top, num + den[:, None] * self._center, den

    def generated(self):
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
