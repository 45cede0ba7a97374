"""A share of the training set, which lives on one worker and answers for itself.

It travels as a recipe, how to read a range of the training set and which denoiser to make of it, and is made where it
arrives: every worker reads its own pictures, and none ever goes over the network.
"""

import threading
from contextlib import contextmanager

from edudiff.support.arrays import move, to_numpy
from edudiff.support.backends import has_gpu, has_numba


class Shard:
    """The denoiser `make(read(first, last))`, made at its first use and kept; on the worker's GPU, if `gpu` allows."""

    def __init__(self, read, make, first, last, gpu=True):
        self.recipe = read, make, first, last, gpu
        self.first, self.last = first, last
        self._made, self._lock = None, threading.Lock()

    def __reduce__(self):
        return Shard, self.recipe

    def __sizeof__(self):
        """The bytes of its images, so that Dask knows what a worker holds."""
        return object.__sizeof__(self) + (0 if self._made is None else self._made[0].nbytes)

    def made(self):
        """Its images (n, H, W, C) and their denoiser."""
        with self._lock:
            if self._made is None:
                read, make, first, last, gpu = self.recipe
                images = read(first, last)  # (n, H, W, C)
                images = _on_gpu(images) if gpu and has_gpu() else images
                self._made = images, make(images)
            return self._made


def prepare(shard):
    """The shard itself, made: what a worker keeps."""
    shard.made()
    return shard


def shape(shard):
    """The shape of the shard's images, (n, H, W, C)."""
    return shard.made()[0].shape


def partial(shard, x, alpha, sigma):
    """The shard's (top, num, den) for the noisy batch `x`, all on the host."""
    images, denoiser = shard.made()
    with worker_threads():
        return _to_host(denoiser.partial(move(x, images), alpha, sigma))


def partials(shard, x, alpha, sigma, sizes):
    """As `partial`, a list with one triple for each window size."""
    images, denoiser = shard.made()
    with worker_threads():
        return [_to_host(part) for part in denoiser._parts(move(x, images), alpha, sigma, sizes)]


@contextmanager
def worker_threads():
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


def _to_host(part):
    return tuple(map(to_numpy, part))


def _on_gpu(images):
    import cupy

    return cupy.asarray(images)
