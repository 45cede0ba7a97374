"""What a denoiser knows of a training item without that item: how well it does on what it has never seen."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from edudiff.denoisers.base import SoftmaxDenoiser
from edudiff.support import checks
from edudiff.support.arrays import array_namespace
from edudiff.support.describe import described
from edudiff.support.softmax import Part, merge
from edudiff.support.types import Array


class LeaveOneOut(SoftmaxDenoiser):
    """A denoiser of a batch, item i of it by all training items but number `left_out[i]`, exactly.

    So its error is that on unseen items, and yet it has, but for one, all the items that there are. `images`: (N, ...).
    `left_out`: (B,), different numbers below N. `make`: from images and `labels=` to a denoiser with classes, such as
    `Ideal` or `functools.partial(Patch, window=5)`; called once. `labels`: (N,), classes: then only items of the class
    of the one left out count. Items that nobody leaves out are compared with the whole batch at once.

    Raises TypeError or ValueError for numbers that are none of a training item, ValueError for one that is there twice
    or is the only item of its class, for labels that do not fit, and, when called, for a batch of another size.
    """

    def __init__(self, images: Array, left_out: Any, make: Callable[..., Any], labels: Any = None) -> None:
        checks.training_set(images)
        self.images, last = images, len(images) - 1
        self.left_out = np.array([checks.integer(n, "left_out", least=0, most=last) for n in left_out], int)  # (B,)
        if len(set(self.left_out.tolist())) < len(self.left_out):
            raise ValueError(f"left_out is {self.left_out.tolist()}, expected different numbers")
        labels = np.zeros(len(images), int) if labels is None else checks.labels(labels, None, len(images))
        _, groups, sizes = np.unique(labels, return_inverse=True, return_counts=True)  # (N,), (K,)
        own, places = groups[self.left_out], np.arange(len(self.left_out))  # (B,) each
        if (alone := self.left_out[sizes[own] == 1]).size:
            raise ValueError(f"item {alone[0]} is the only one of its class, which leaves none; leave out another")
        groups[self.left_out] = singles = len(sizes) + places  # each a class of its own
        denoiser = make(images, labels=groups)
        asked = {label: places[own == label] for label in set(own.tolist()) & set(groups.tolist())}
        asked |= {int(singles[i]): places[(own == own[i]) & (places != i)] for i in places}
        self._asked = [(denoiser.conditional(group), those) for group, those in asked.items() if len(those)]

    def __repr__(self) -> str:
        return described(self, images=self.images, left_out=self.left_out.tolist())

    def _parts(self, x: Array, alpha: float, sigma: float, windows: Sequence[int] | None, moments: bool) -> list[Part]:
        count, xp = len(self.left_out), array_namespace(x)
        if len(x) != count:
            raise ValueError(f"a batch of {len(x)} for {count} items that are left out; expected one for each")
        shares = []
        for denoiser, places in self._asked:
            those = xp.asarray(places)
            parts = denoiser.partials(x[those], alpha, sigma, windows, moments=moments)
            shares.append([_spread(part, those, count) for part in parts])
        return [merge(parts) for parts in zip(*shares, strict=True)]


def _spread(part: Part, places: Array, count: int) -> Part:
    """The part of a batch of `count`, of which the items at `places` have this one, and the others an empty one."""
    xp = array_namespace(*part)
    whole = [xp.zeros((count, *array.shape[1:])) for array in part]
    whole[0] -= np.inf  # an empty one has no top
    for array, some in zip(whole, part, strict=True):
        array[places] = some
    return tuple(whole)
