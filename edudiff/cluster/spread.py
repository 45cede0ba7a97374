"""Shards of a training set at home on the workers of a cluster, and questions that all of them answer.

A worker that dies takes its shards along; Dask makes them again elsewhere and repeats what was being computed.
"""

from collections.abc import Callable, Collection
from itertools import pairwise
from typing import Any

from edudiff.cluster import shard as remote
from edudiff.cluster.client import PATIENCE, explained, gathered, workers
from edudiff.cluster.identity import identity
from edudiff.support import checks


class Spread:
    """`make` of each of some shards of a training set, spread over the workers of a Dask cluster.

    `client`, `read`, `count`, `make`, `shards`, `gpu`, `patience`: see `Sharded`.
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
        self.client, self.patience = client, checks.positive(patience, "patience")
        count = checks.integer(count, "count")
        with explained(client):
            shards = checks.integer(len(workers(client, patience)) if shards is None else shards, "shards")
        if shards > count:
            raise ValueError(f"{shards} shards for {count} images, expected at most one shard for each image")
        bounds = [count * i // shards for i in range(shards + 1)]
        self.shards = [remote.Shard(read, make, *two, gpu, identity()) for two in pairwise(bounds)]
        self.homes: dict[int, str] = {}  # the worker of each shard
        self.kept: dict[int, Any] = {}  # the future that keeps it there

    def __repr__(self) -> str:
        return f"Spread(shards={len(self.shards)}, workers={len(set(self.homes.values()))})"

    def ask(self, question: Callable[..., Any], *arguments: Any, only: Collection[int] | None = None) -> list[Any]:
        """`question(shard, *arguments)` of every shard, or of those in `only`, each where it lives: a list.

        Raises ConnectionError if the scheduler is lost, or all workers are and none comes back within `patience`
        seconds, and what the question raises on a worker, which it names.
        """
        with explained(self.client):
            self._place()
            asked = [
                self.client.submit(question, kept, *arguments, pure=False, **self._at(i))
                for i, kept in sorted(self.kept.items())
                if only is None or i in only
            ]
            return gathered(self.client, asked, self.patience)

    def _place(self):
        """Give every shard a home among the workers that are there: evenly, and moving as few as possible."""
        there = workers(self.client, self.patience)
        for i, kept in self.kept.items():
            if kept.status in ("error", "cancelled", "lost"):  # it could not be read: perhaps now it can
                self.homes.pop(i, None)
        while True:
            load = {home: [i for i in self.homes if self.homes[i] == home] for home in there}
            least, most = (pick(there, key=lambda home: len(load[home])) for pick in (min, max))
            homeless = [i for i in range(len(self.shards)) if self.homes.get(i) not in there]
            if not homeless and len(load[most]) - len(load[least]) < 2:
                return
            i = homeless[0] if homeless else load[most][-1]
            self.homes[i] = least
            self.kept[i] = self.client.submit(remote.prepare, self.shards[i], pure=False, **self._at(i))

    def _at(self, i):
        """At the shard's home or, should that worker die, elsewhere."""
        return {"workers": [self.homes[i]], "allow_other_workers": True}
