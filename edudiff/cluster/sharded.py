"""One denoiser from many shards: a noisy batch goes out, each shard returns (top, num, den), and these are merged.

A worker that dies takes its shards along; Dask makes them again elsewhere and repeats what was being computed.
"""

from itertools import pairwise
from typing import Any

from edudiff.cluster import shard as remote
from edudiff.cluster.connect import explained, workers
from edudiff.denoisers.softmax import mean, merge
from edudiff.support import checks
from edudiff.support.arrays import move, to_numpy


class Sharded:
    """A denoiser whose training set is spread over the workers of a Dask cluster.

    `client`: from `connect`. `read`: a function read(first, last) that every worker can run and that returns pictures
    number `first` to `last` - 1, (n, H, W, C), such as `functools.partial(edudiff.data.load_range, "mnist")`. `count`:
    size of the training set. `make`: what makes a denoiser with a method `partial` of some images, such as `Ideal` or
    `functools.partial(Patch, window=5)`. `shards`: how many, by default one for each worker. `gpu`: whether a worker
    with CuPy and a GPU keeps its shard there.

    Raises ValueError for no images, more shards than images, or pictures of different shapes, and whatever `read` and
    `make` raise on a worker; here and at every call ConnectionError if the scheduler or all workers are lost.
    """

    def __init__(self, client, read, count, make, shards=None, gpu=True):
        self.client = client
        shards = len(workers(client)) if shards is None else shards
        for value, name in ((count, "count"), (shards, "shards")):
            if isinstance(value, bool) or not hasattr(value, "__index__"):
                raise TypeError(f"{name} is {value!r}, expected an integer >= 1")
            if value < 1:
                raise ValueError(f"{name} is {value}, expected at least 1")
        if shards > count:
            raise ValueError(f"{shards} shards for {count} images, expected at most one shard for each image")
        bounds = [count * i // shards for i in range(shards + 1)]
        self._shards = [remote.Shard(read, make, first, last, gpu) for first, last in pairwise(bounds)]
        self._homes: dict[int, str] = {}  # the worker of each shard
        self._kept: dict[int, Any] = {}  # the future that keeps it there
        self.shape = self._common_shape(self._ask(remote.shape))

    def __call__(self, x, alpha, sigma):
        """`x`: (B, H, W, C) or (B, D). Returns x0_hat, same shape, dtype and device."""
        return _answer(self.partial(x, alpha, sigma), x)  # (B, ...)

    def partial(self, x, alpha, sigma):
        """(top, num, den) of the whole training set, as its denoiser's own `partial` returns it, on the host."""
        return merge(self._ask(remote.partial, *self._checked(x, alpha, sigma)))

    def sweep(self, x, alpha, sigma, sizes):
        """The answers of several window sizes, {size: x0_hat}; for shards that are `Patch` denoisers."""
        if len(sizes) == 0:
            raise ValueError("sizes is empty, expected at least one window size")
        parts = self._ask(remote.partials, *self._checked(x, alpha, sigma), list(sizes))
        return {size: _answer(merge(part), x) for size, part in zip(sizes, zip(*parts, strict=True), strict=True)}

    def _checked(self, x, alpha, sigma):
        checks.batch(x)
        if x.shape[1:] != self.shape:
            raise ValueError(
                f"x has shape {x.shape}, expected (B, {', '.join(map(str, self.shape))}) to match the training set"
            )
        return to_numpy(x), *checks.levels(alpha, sigma)

    def _common_shape(self, shapes):
        for shard, shape in zip(self._shards, shapes, strict=True):
            expected = (shard.last - shard.first, *shapes[0][1:])
            if shape != expected:
                raise ValueError(
                    f"read({shard.first}, {shard.last}) returned pictures of shape {shape}, expected {expected}: as"
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


def _answer(part, x):
    return move(mean(part).astype(x.dtype).reshape(x.shape), x)  # (B, ...)
