"""The local and the equivariant scores: a denoiser that sees no more than a window around each pixel."""

import copy

from edudiff.denoisers import precision, windows
from edudiff.denoisers.classes import Classes
from edudiff.denoisers.softmax import mean
from edudiff.support import checks
from edudiff.support.arrays import array_namespace
from edudiff.support.backends import choose

PADDINGS = ("zero", "circular")


class Patch:
    """The best denoiser that sees a window around each pixel: four machines, one class, two switches.

    | `window` | `shifts` | what it is | source: Kamb & Ganguli 2024 |
    |---|---|---|---|
    | covers the picture | False | the ideal score, which copies | eq. 3 |
    | small | False | LS, local: compares windows at the same place | eq. 7-8 |
    | covers the picture | True | equivariant: the training set moved everywhere (on a torus) | eq. 5-6 |
    | small | True | ELS, local and equivariant: compares windows everywhere | eq. 9-10; border: B.2, eq. 41 |

    `images`: (N, H, W, C), floats in [-1, 1]. `window`: its odd side in pixels, or a function from (alpha, sigma) to it
    (such as a `WindowSchedule`). `padding`: "zero" (windows stick out of the picture, and are compared with those that
    stick out alike) or "circular" (the picture is a torus, the training pictures too). `labels`: (N,), classes that
    `conditional` can choose from. `prune`: the compiled code may skip windows that are proven to weigh less than this
    share of the whole, all of them together; False to compare every window, True for 1e-6.
    `backend`: "numpy", "numba", "cupy", or None for the fastest.

    `skipped` is the share of all pairs of windows that the last answer did without.

    Raises TypeError for integer images, ValueError for an even, negative or (if it wraps) too large window, an empty
    set, NaN, or a wrong rank.
    """

    def __init__(self, images, window, *, shifts=True, padding="zero", labels=None, prune=1e-6, backend=None):
        checks.training_set(images)
        if images.ndim != 4:
            raise ValueError(f"images have shape {images.shape}, expected (N, H, W, C); for points (N, D) use Ideal")
        checks.one_of(padding, PADDINGS, "padding")
        self.shape = images.shape[1:3]
        self.window = window if callable(window) else checks.window(window, self.shape, padding)
        prune = 1e-6 if prune is True else float(prune)
        if not 0 <= prune <= 0.01:
            raise ValueError(
                f"prune is {prune}, expected the share of weights to skip, such as 1e-6, or False for none"
            )
        self.images, self.shifts, self.padding = images, bool(shifts), padding
        self.backend, self.prune, self.skipped = backend, prune, 0.0
        choose(backend, images)
        self._classes, self._class = Classes(labels, len(images)), None
        self._moments = precision.moments(images)
        self._laid_out = {}

    def conditional(self, label):
        """This denoiser for the pictures of one class alone, of which nothing is copied. Needs `labels`.

        Raises ValueError for a label that no picture has.
        """
        other = copy.copy(self)
        other._class = self._classes.number(label)
        return other

    @property
    def used(self):
        """The numbers of the training pictures that it compares with, (n,): of all, or of those of one class."""
        return self._classes.order[self._classes.slice(self._class)]

    def window_at(self, alpha, sigma):
        """The window size used at one noise level."""
        if callable(self.window):
            return checks.window(self.window(alpha, sigma), self.shape, self.padding)
        return self.window

    def __call__(self, x, alpha, sigma):
        """`x`: (B, H, W, C). Returns x0_hat, same shape, dtype and device."""
        return mean(self.partial(x, alpha, sigma)).astype(x.dtype)  # (B, H, W, C)

    def sweep(self, x, alpha, sigma, sizes):
        """The answers of several window sizes, which share their difference pictures: {size: x0_hat}."""
        if len(sizes) == 0:
            raise ValueError("sizes is empty, expected at least one window size")
        parts = self._parts(x, alpha, sigma, sizes)
        return {size: mean(part).astype(x.dtype) for size, part in zip(sizes, parts, strict=True)}

    def partial(self, x, alpha, sigma):
        """(top, num, den) of this training set, to be joined with others by `merge`.

        float64, shapes (B, H, W), (B, H, W, C), (B, H, W).
        """
        return self._parts(x, alpha, sigma, None)[0]

    def _parts(self, x, alpha, sigma, sizes):
        xp = checks.batch(x, self.images)
        alpha, sigma = checks.levels(alpha, sigma)
        sizes = [self.window_at(alpha, sigma)] if sizes is None else sizes
        sizes = [checks.window(k, self.shape, self.padding) for k in sizes]
        parts = self._evaluate(x, alpha, sigma, sizes)
        if x.dtype.itemsize < 8:
            again = xp.zeros(len(x), dtype=bool)  # (B,)
            fused = choose(self.backend, x, self.images) == "numba"
            for size, (part, offset) in zip(sizes, parts, strict=True):
                area = min(size, self.shape[0]) * min(size, self.shape[1]) * x.shape[3]
                again = again | precision.doubtful(part, offset, x, sigma, area, fused)
            if bool(again.any()):
                exact = self._evaluate(x[again].astype("float64"), alpha, sigma, sizes)
                for (part, offset), (part64, offset64) in zip(parts, exact, strict=True):
                    for old, new in zip((*part, offset), (*part64, offset64), strict=True):
                        old[again] = new
        return [(top + offset, num, den) for (top, num, den), offset in parts]

    def _evaluate(self, x, alpha, sigma, sizes):
        """For each size, (top, num, den) whose top lacks the offset, and that offset (B, H, W)."""
        xp = array_namespace(x)
        typical = precision.expected_square(x, alpha, sigma, *self._moments)  # (B, H, W)
        wide = typical.astype("float64")[..., None]  # (B, H, W, 1)
        offsets = [windows.box_sums(xp, wide, k, padding=self.padding)[..., 0] / (-2 * sigma**2) for k in sizes]
        query = x, self._training_set(x), alpha, sigma, sizes, self.shifts, self.padding, typical
        if choose(self.backend, x, self.images) == "numba":
            from edudiff.fast import training_set as fast

            parts, self.skipped = fast.evaluate(*query, offsets, self.prune)
        else:
            parts, self.skipped = windows.evaluate(*query), 0.0
        return list(zip(parts, offsets, strict=True))

    def _training_set(self, x):
        """The training set as the code that runs wants it: made once and kept."""
        if choose(self.backend, x, self.images) == "numba":
            from edudiff.fast.training_set import TrainingSet

            if "numba" not in self._laid_out:
                self._laid_out["numba"] = TrainingSet(self.images, self._classes.places())
            whole = self._laid_out["numba"]
            return whole if self._class is None else whole.of(self._class)
        if "numpy" not in self._laid_out:
            order = array_namespace(x).asarray(self._classes.order)  # (N,)
            images = self.images[order] if self._classes.labeled else self.images  # (N, H, W, C)
            self._laid_out["numpy"] = windows.lay_out(images)  # (H, W, C, N)
        return self._laid_out["numpy"][..., self._classes.slice(self._class)]  # (H, W, C, n)
