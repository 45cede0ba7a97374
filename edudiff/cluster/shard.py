"""A share of the training set, which lives on one worker and answers for itself.

It travels as a recipe, how to read a range of the training set and which denoiser to make of it, and is made where it
arrives: every worker reads its own images, and none ever goes over the network.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from edudiff.support.arrays import move, to_numpy
from edudiff.support.backends import has_gpu, has_numba
from edudiff.support.describe import described
from edudiff.support.softmax import Part
from edudiff.support.types import Array


class Shard:
    """The denoiser `make(read(first, last))`, made at its first use and kept; on the worker's GPU, if `gpu` allows."""

    def __init__(
        self, read: Callable[[int, int], Array], make: Callable[[Array], Any], first: int, last: int, gpu: bool = True
    ) -> None:
        self.recipe = read, make, first, last, gpu
        self.first, self.last = first, last
        self._made: tuple[Array, Any] | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return described(self, first=self.first, last=self.last, made=self._made is not None)

    def __reduce__(self) -> tuple[Any, ...]:
        return Shard, self.recipe

    def __sizeof__(self) -> int:
        """The bytes of its images, so that Dask knows what a worker holds."""
        return object.__sizeof__(self) + (0 if self._made is None else self._made[0].nbytes)

    def made(self) -> tuple[Array, Any]:
        """Its images (n, H, W, C) and their denoiser."""
        with self._lock:
            if self._made is None:
                read, make, first, last, gpu = self.recipe
                images = read(first, last)  # (n, H, W, C)
                images = _on_gpu(images) if gpu and has_gpu() else images
                self._made = images, make(images)
            return self._made


def prepare(shard: Shard) -> Shard:
    """The shard itself, made: what a worker keeps."""
    shard.made()
    return shard


def shape(shard: Shard) -> tuple[int, ...]:
    """The shape of the shard's images, (n, H, W, C)."""
    return shard.made()[0].shape


def parts(
    shard: Shard, x: Array, alpha: float, sigma: float, windows: list[int] | None = None, moments: bool = False
) -> list[Part]:
    """The shard's (top, num, den) for the noisy batch `x`, all on the host: one for each of `windows`, or its own.

    Of a denoiser that is asked for no windows and no `moments` a method `partial` is enough.
    """
    images, denoiser = shard.made()
    here = move(x, images)  # (B, ...)
    with worker_threads():
        if windows or moments:
            found = denoiser.partials(here, alpha, sigma, windows, moments=moments)
        else:
            found = [denoiser.partial(here, alpha, sigma)]
    return [tuple(to_numpy(array) for array in part) for part in found]


@contextmanager
def worker_threads() -> Iterator[None]:
    """Inside, Numba's kernels use as many threads as Dask gives the worker (`--nthreads`), and no more."""
    if not has_numba():
        yield
        return
    import numba
    from distributed import get_worker

    before = numba.get_num_threads()
    numba.set_num_threads(min(get_worker().state.nthreads, before))
    try:
        yield
    finally:
        numba.set_num_threads(before)


def _on_gpu(images: Array) -> Array:
    import cupy

    return cupy.asarray(images)
