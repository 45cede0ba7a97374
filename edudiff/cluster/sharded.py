"""One denoiser from many shards: a noisy batch goes out, each shard returns (top, num, den), and these are merged.

A worker that dies takes its shards along; Dask makes them again elsewhere and repeats what was being computed.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from edudiff.cluster import shard as remote
from edudiff.cluster.client import explained, workers
from edudiff.denoisers.base import SoftmaxDenoiser
from edudiff.support import checks
from edudiff.support.arrays import move, to_numpy
from edudiff.support.describe import described
from edudiff.support.softmax import Part, merge
from edudiff.support.types import Array


class Sharded(SoftmaxDenoiser):
    """A denoiser whose training set is spread over the workers of a Dask cluster.

    `client`: from `connect`. `read`: a function read(first, last) that every worker can run and that returns images
    number `first` to `last` - 1, (n, H, W, C), such as `functools.partial(edudiff.data.load_range, "mnist")`. `count`:
    size of the training set. `make`: what makes a denoiser with a method `partial` of some images, such as `Ideal` or
    `functools.partial(Patch, window=5)`. `shards`: how many, by default one for each worker. `gpu`: whether a worker
    with CuPy and a GPU keeps its shard there.

    Raises TypeError or ValueError for a count or a number of shards that is none, ValueError for more shards than
    images, or images of different shapes, and whatever `read` and `make` raise on a worker; here and at every call
    ConnectionError if the scheduler or all workers are lost.
    """

    def __init__(
        self,
        client: Any,
        read: Callable[[int, int], Array],
        count: int,
        make: Callable[[Array], Any],
        shards: int | None = None,
        gpu: bool = True,
    ) -> None:
        self.client, self.make = client, make
        self.count = count = checks.integer(count, "count")
        shards = checks.integer(len(workers(client)) if shards is None else shards, "shards")
        if shards > count:
            raise ValueError(f"{shards} shards for {count} images, expected at most one shard for each image")
        bounds = [count * i // shards for i in range(shards + 1)]
        self._shards = [remote.Shard(read, make, first, last, gpu) for first, last in pairwise(bounds)]
        self._homes: dict[int, str] = {}  # the worker of each shard
        self._kept: dict[int, Any] = {}  # the future that keeps it there
        self.shape = self._common_shape(self._ask(remote.shape))

    def __repr__(self) -> str:
        return described(self, images=(self.count, *self.shape), make=self.make, shards=len(self._shards))

    def conditional(self, label: Any) -> Any:
        """Raises ValueError: the classes of a training set that is spread over a cluster cannot be told apart yet."""
        raise ValueError(
            f"class {label!r} was asked of a denoiser on a cluster, which does not know the classes of its images; use"
            " a denoiser on one machine, or make one of the images of that class: Sharded(client, read_class, ...)"
        )

    def _parts(
        self, x: Array, alpha: float, sigma: float, windows: Sequence[int] | None, moments: bool = False
    ) -> list[Part]:
        if x.shape[1:] != self.shape:
            raise ValueError(
                f"x has shape {x.shape}, expected (B, {', '.join(map(str, self.shape))}) to match the training set"
            )
        windows = None if windows is None else list(windows)
        shares = self._ask(remote.parts, to_numpy(x), alpha, sigma, windows, moments)
        merged = [merge(parts) for parts in zip(*shares, strict=True)]
        return [tuple(move(array, x) for array in part) for part in merged]

    def _common_shape(self, shapes):
        for shard, shape in zip(self._shards, shapes, strict=True):
            expected = (shard.last - shard.first, *shapes[0][1:])
            if shape != expected:
                raise ValueError(
                    f"read({shard.first}, {shard.last}) returned images of shape {shape}, expected {expected}: as"
                    " many as asked for, and of one shape in all shards"
                )
        return shapes[0][1:]

    def _ask(self, question, *arguments):
        """`question(shard, *arguments)` of every shard, each where it lives: a list."""
        with explained(self.client):
            self._place()
            asked = [
                self.client.submit(question, kept, *arguments, pure=False, **self._at(i))
                for i, kept in sorted(self._kept.items())
            ]
            return self.client.gather(asked)

    def _place(self):
        """Give every shard a home among the workers that are there: evenly, and moving as few as possible."""
        there = workers(self.client)
        for i, kept in self._kept.items():
            if kept.status in ("error", "cancelled", "lost"):  # it could not be read: perhaps now it can
                self._homes.pop(i, None)
        while True:
            load = {home: [i for i in self._homes if self._homes[i] == home] for home in there}
            least, most = (pick(there, key=lambda home: len(load[home])) for pick in (min, max))
            homeless = [i for i in range(len(self._shards)) if self._homes.get(i) not in there]
            if not homeless and len(load[most]) - len(load[least]) < 2:
                return
            i = homeless[0] if homeless else load[most][-1]
            self._homes[i] = least
            self._kept[i] = self.client.submit(remote.prepare, self._shards[i], pure=False, **self._at(i))

    def _at(self, i):
        """At the shard's home or, should that worker die, elsewhere."""
        return {"workers": [self._homes[i]], "allow_other_workers": True}
