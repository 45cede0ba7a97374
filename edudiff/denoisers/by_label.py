"""A batch of different classes: each image is denoised by what belongs to its own."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from edudiff.denoisers.base import SoftmaxDenoiser
from edudiff.support.arrays import array_namespace
from edudiff.support.describe import described
from edudiff.support.softmax import Part
from edudiff.support.types import Array, Denoiser


class ByLabel(SoftmaxDenoiser):
    """A denoiser of a batch whose images are of different classes, image i of class `labels[i]`.

    `conditional`: a function from a label to a denoiser, such as the method of `Patch` or `Ideal`; it is asked once
    for each label. `labels`: (B,), on the host. Raises ValueError for a batch of another size.
    """

    def __init__(self, conditional: Callable[[Any], Denoiser], labels: Any) -> None:
        self.labels = np.asarray(labels)
        self.denoisers: dict[Any, Any] = {label: conditional(label) for label in np.unique(self.labels).tolist()}

    def __repr__(self) -> str:
        return described(self, labels=self.labels, denoisers=self.denoisers)

    def conditional(self, label: Any) -> Any:
        """The denoiser of one of the batch's classes. Raises ValueError for a label that no image has."""
        if label not in self.denoisers:
            raise ValueError(f"label is {label!r}, expected one of {', '.join(map(str, self.denoisers))}")
        return self.denoisers[label]

    def _parts(self, x: Array, alpha: float, sigma: float, windows: Sequence[int] | None, moments: bool) -> list[Part]:
        whole: list[Part] = []
        xp = array_namespace(x)
        for label, mine in self._places(x):
            parts = _parts_of(self.denoisers[label], x[mine], alpha, sigma, windows, moments)
            whole = whole or [tuple(xp.empty((len(x), *a.shape[1:])) for a in part) for part in parts]
            for part, some in zip(whole, parts, strict=True):
                for array, values in zip(part, some, strict=True):
                    array[mine] = values
        return whole

    def _places(self, x: Array) -> Iterator[tuple[Any, Array]]:
        """Each label, and which images of the batch are of it, (b,)."""
        if len(x) != len(self.labels):
            raise ValueError(f"a batch of {len(x)} for {len(self.labels)} labels; expected one label for each image")
        xp = array_namespace(x)
        for label in self.denoisers:
            yield label, xp.asarray(np.flatnonzero(self.labels == label))


def _parts_of(denoise, x, alpha, sigma, windows, moments):
    """The parts of one denoiser; of one that has none, such as `Linear`, its answer as a single candidate."""
    if windows is not None or isinstance(denoise, SoftmaxDenoiser):
        return denoise.partials(x, alpha, sigma, windows, moments=moments)
    if moments:
        raise TypeError(f"a {type(denoise).__name__} weighs no training items: it has no posterior over them")
    xp, x0_hat = array_namespace(x), denoise(x, alpha, sigma).reshape(len(x), -1)  # (b, D)
    return [(xp.zeros(len(x)), x0_hat.astype("float64"), xp.ones(len(x)))]
