"""One denoiser from many shards: a noisy batch goes out, each shard returns (top, num, den), and these are merged."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

from edudiff.cluster import shard as remote
from edudiff.cluster.client import PATIENCE
from edudiff.cluster.spread import Spread
from edudiff.denoisers.base import SoftmaxDenoiser
from edudiff.support.arrays import move, to_numpy
from edudiff.support.describe import described
from edudiff.support.softmax import Part, merge
from edudiff.support.types import Array


class Sharded(SoftmaxDenoiser):
    """A denoiser whose training set is spread over the workers of a Dask cluster.

    `client`: from `connect`. `read`: a function read(first, last) that every worker can run and that returns images
    number `first` to `last` - 1, (n, H, W, C), such as `functools.partial(edudiff.data.load_range, "mnist")`, or with
    `labels=True` the images and their labels (n,), for `conditional`. `count`: size of the training set. `make`: what
    makes a denoiser with a method `partial` of some images, such as `Ideal` or `functools.partial(Patch, window=5)`;
    it is given `labels` if there are some. `shards`: how many, by default one for each worker. `gpu`: whether a worker
    with CuPy and a GPU keeps its shard there. `patience`: seconds to wait for a worker when all were lost.

    Raises TypeError or ValueError for a count or a number of shards that is none, ValueError for more shards than
    images, for images of different shapes, or for a worker whose edudiff has other formulas, TypeError for a `make`
    whose answers do not merge, and whatever `read` and `make` raise on a worker, with its address; here and at every
    call ConnectionError if the scheduler is lost, or all workers are for `patience` seconds.
    """

    def __init__(
        self,
        client: Any,
        read: Callable[[int, int], Any],
        count: int,
        make: Callable[..., Any],
        shards: int | None = None,
        gpu: bool = True,
        patience: float = PATIENCE,
    ) -> None:
        self.make, self.count = make, count
        self.spread = Spread(client, read, count, make, shards, gpu, patience)
        found = self.spread.ask(remote.about)
        self.shape = common_shape(self.spread, [about.shape for about in found])
        if not all(about.mergeable for about in found):
            raise TypeError(
                f"{make!r} makes what has no method partial, so a cluster cannot share it; for Linear use"
                " cluster.scatters"
            )
        self._labels = [about.labels for about in found]  # of each shard
        self._only: tuple[Any, ...] = ()  # the class that counts alone

    def __repr__(self) -> str:
        only = self._only[0] if self._only else None
        return described(
            self, images=(self.count, *self.shape), make=self.make, shards=len(self.spread.shards), label=only
        )

    def conditional(self, label: Any) -> "Sharded":
        """This denoiser for the images of one class alone; only the workers that have some are asked.

        Raises ValueError for a label that no image has, or if `read` returns no labels.
        """
        if None in self._labels:
            raise ValueError(
                f"class {label!r} was asked of a denoiser on a cluster whose images have no classes; let read return"
                " (images, labels)"
            )
        there = sorted({one for labels in self._labels for one in labels or ()})
        if label not in there:
            raise ValueError(f"label is {label!r}, expected one of {', '.join(map(str, there))}")
        other = copy.copy(self)
        other._only = (there[there.index(label)],)  # a plain value
        return other

    def _parts(self, x: Array, alpha: float, sigma: float, windows: Sequence[int] | None, moments: bool) -> list[Part]:
        if x.shape[1:] != self.shape:
            raise ValueError(
                f"x has shape {x.shape}, expected (B, {', '.join(map(str, self.shape))}) to match the training set"
            )
        windows = None if windows is None else list(windows)
        having = [i for i, labels in enumerate(self._labels) if all(label in labels for label in self._only)]
        arguments = to_numpy(x), alpha, sigma, windows, moments, self._only
        shares = self.spread.ask(remote.parts, *arguments, only=having)
        merged = [merge(parts) for parts in zip(*shares, strict=True)]
        return [tuple(move(array, x) for array in part) for part in merged]


def common_shape(spread: Spread, shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape of one image of all shards, (H, W, C). Raises ValueError for another number or shape in one of them."""
    for shard, shape in zip(spread.shards, shapes, strict=True):
        expected = (shard.last - shard.first, *shapes[0][1:])
        if shape != expected:
            raise ValueError(
                f"read({shard.first}, {shard.last}) returned images of shape {shape}, expected {expected}: as many as"
                " asked for, and of one shape in all shards"
            )
    return shapes[0][1:]
