"""The local and the equivariant scores: a denoiser that sees no more than a window around each pixel."""

from collections.abc import Callable, Sequence
from typing import Any

from edudiff.denoisers import precision
from edudiff.denoisers.base import SoftmaxDenoiser
from edudiff.denoisers.classes import Classes
from edudiff.denoisers.windows import Arrays
from edudiff.support import checks
from edudiff.support.arrays import array_namespace
from edudiff.support.backends import choose
from edudiff.support.describe import described
from edudiff.support.softmax import Part
from edudiff.support.types import Array

PADDINGS = ("zero", "circular")


class Patch(SoftmaxDenoiser):
    """The best denoiser that sees a window around each pixel: four denoisers, one class, two switches.

    | `window` | `shifts` | what it is: the engine of | source: Kamb & Ganguli 2024 |
    |---|---|---|---|
    | covers the image | False | the ideal score, which copies: `edudiff.scores.ideal` | eq. 3 |
    | small | False | LS, local, windows at the same place: `edudiff.scores.local` | eq. 7-8 |
    | covers the image | True | the training set moved everywhere (on a torus): `edudiff.scores.equivariant` | eq. 5-6 |
    | small | True | ELS, both, windows everywhere: `edudiff.scores.els` | eq. 9-10; padding: B.2, eq. 41 |

    `images`: (N, H, W, C), floats in [-1, 1]. `window`: its odd side in pixels, or a function from (alpha, sigma) to it
    (such as a `WindowSchedule`). `padding`: "zero" (windows stick out of the image, and are compared with those that
    stick out alike) or "circular" (the image is a torus, the training images too). `labels`: (N,), classes that
    `conditional` can choose from. `prune`: the compiled code may skip windows that are proven to weigh less than this
    share of the whole, all of them together; False to compare every window, True for 1e-6.
    `backend`: "numpy", "numba", "cupy", or None for the fastest that is installed and can take the images.

    Raises TypeError for integer images, ValueError for an even, negative or (if it wraps) too large window, an empty
    set, NaN, or a wrong rank.
    """

    def __init__(
        self,
        images: Array,
        window: int | Callable[..., int],
        *,
        shifts: bool = True,
        padding: str = "zero",
        labels: Any = None,
        prune: float = 1e-6,
        backend: str | None = None,
    ) -> None:
        checks.training_set(images)
        if images.ndim != 4:
            raise ValueError(f"images have shape {images.shape}, expected (N, H, W, C); for points (N, D) use Ideal")
        checks.one_of(padding, PADDINGS, "padding")
        self.shape = images.shape[1:3]
        self.window = window if callable(window) else checks.window(window, self.shape, padding)
        self.prune = 1e-6 if prune is True else float(prune)
        if not 0 <= self.prune <= 0.01:
            raise ValueError(
                f"prune is {self.prune}, expected the share of weights to skip, such as 1e-6, or False for none"
            )
        self.images: Array = images
        self.shifts, self.padding, self.backend = bool(shifts), padding, choose(backend, images)
        self._classes: Classes = Classes(labels, len(images))
        if self.backend == "numba":
            from edudiff.fast.training_set import TrainingSet

            self._engine: Any = TrainingSet(images, self._classes.places(), self.shifts, padding, self.prune)
        elif hasattr(array_namespace(images), "RawModule"):  # CuPy; what else takes its place may not compile
            from edudiff.fast.device import OnDevice

            self._engine = OnDevice(images, self._classes.places(), self.shifts, padding)
        else:
            self._engine = Arrays(images, self._classes, self.shifts, padding)
        self._rechecked = precision.rechecked(self._engine, images, padding)

    def __repr__(self) -> str:
        settings: dict[str, Any] = {"shifts": None if self.shifts else False, "padding": self.padding}
        settings |= {"labels": self._classes.labels.tolist() if self._classes.labeled else None}
        return described(self, images=self.images, window=self.window, **settings, backend=self.backend)

    @property
    def used(self) -> Array:
        """The numbers of the training images that it compares with, (n,): of all, or of those of one class."""
        return self._classes.order[self._classes.slice(self._class)]

    @property
    def skipped(self) -> float:
        """The share of all pairs of windows that the last answer, of whatever class, did without."""
        return self._engine.skipped

    def window_at(self, alpha: float, sigma: float) -> int:
        """The side of the window at one noise level."""
        if callable(self.window):
            return checks.window(self.window(alpha, sigma), self.shape, self.padding)
        return self.window

    def _parts(self, x: Array, alpha: float, sigma: float, windows: Sequence[int] | None, moments: bool) -> list[Part]:
        if windows is None:
            windows = [self.window_at(alpha, sigma) if callable(self.window) else self.window]
        else:
            windows = [checks.window(k, self.shape, self.padding) for k in windows]
        engine = self._engine if x.dtype == "float64" else self._rechecked
        return engine(x, alpha, sigma, windows, self._class, moments=moments)
