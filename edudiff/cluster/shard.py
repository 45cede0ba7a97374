"""A share of the training set, which lives on one worker and answers for itself.

It travels as a recipe, how to read a range of the training set and which denoiser to make of it, and is made where it
arrives: every worker reads its own images, and none ever goes over the network.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from edudiff.cluster.identity import Identity, identity
from edudiff.support.arrays import move, to_numpy
from edudiff.support.backends import has_gpu, has_numba
from edudiff.support.describe import described
from edudiff.support.softmax import Part
from edudiff.support.types import Array


class Shard:
    """The denoiser `make(images)` of `read(first, last)`, made at its first use and kept; on the GPU, if `gpu` allows.

    Where `read` returns (images, labels) it is `make(images, labels=labels)`. `made_for`: the edudiff that asks. Raises
    ValueError on a worker that has another one.
    """

    def __init__(
        self,
        read: Callable[[int, int], Any],
        make: Callable[..., Any],
        first: int,
        last: int,
        gpu: bool = True,
        made_for: Identity | None = None,
    ) -> None:
        self.recipe = read, make, first, last, gpu, made_for
        self.first, self.last = first, last
        self._made: tuple[Array, Any, Any] | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return described(self, first=self.first, last=self.last, made=self._made is not None)

    def __reduce__(self) -> tuple[Any, ...]:
        return Shard, self.recipe

    def __sizeof__(self) -> int:
        """The bytes of its images, so that Dask knows what a worker holds."""
        return object.__sizeof__(self) + (0 if self._made is None else self._made[0].nbytes)

    def made(self) -> tuple[Array, Any, Any]:
        """Its images (n, H, W, C), their labels (n,) or None, and their denoiser."""
        with self._lock:
            if self._made is None:
                read, make, first, last, gpu, made_for = self.recipe
                if made_for is not None and made_for != identity():
                    raise ValueError(
                        f"it has {identity()}, but the client has {made_for}, so their answers may differ; install the"
                        " same edudiff on both"
                    )
                found = read(first, last)
                images, labels = found if isinstance(found, tuple) else (found, None)  # (n, H, W, C), (n,)
                images = _on_gpu(images) if gpu and has_gpu() else images
                self._made = images, labels, make(images) if labels is None else make(images, labels=labels)
            return self._made


class About(NamedTuple):
    """What a shard is asked for once: the shape of its images, their different labels, whether they are shared."""

    shape: tuple[int, ...]
    labels: list[Any] | None
    mergeable: bool


def prepare(shard: Shard) -> Shard:
    """The shard itself, made: what a worker keeps."""
    with named():
        shard.made()
        return shard


def about(shard: Shard) -> About:
    """What is known of a shard before it is asked for more."""
    with named():
        images, labels, denoiser = shard.made()
        found = None if labels is None else np.unique(labels).tolist()
        return About(images.shape, found, hasattr(denoiser, "partial"))


def made(shard: Shard) -> Any:
    """What was made of the shard's images, itself: for what is small and not where they are."""
    with named():
        return shard.made()[2]


def parts(
    shard: Shard,
    x: Array,
    alpha: float,
    sigma: float,
    windows: list[int] | None = None,
    moments: bool = False,
    only: tuple[Any, ...] = (),
) -> list[Part]:
    """The shard's (top, num, den) for the noisy batch `x`, all on the host: one for each of `windows`, or its own.

    `only`: the one class that counts, if not all. Of a denoiser that is asked for no windows and no `moments` a method
    `partial` is enough.
    """
    with named(), worker_threads():
        images, _, denoiser = shard.made()
        here = move(x, images)  # (B, ...)
        for label in only:
            denoiser = denoiser.conditional(label)
        if windows or moments:
            found = denoiser.partials(here, alpha, sigma, windows, moments=moments)
        else:
            found = [denoiser.partial(here, alpha, sigma)]
        return [tuple(to_numpy(array) for array in part) for part in found]


@contextmanager
def named() -> Iterator[None]:
    """Inside, on a worker, every error says which worker it is from."""
    try:
        yield
    except Exception as error:
        try:
            from distributed import get_worker

            text = f"worker {get_worker().address}: {error}"
        except (ImportError, ValueError):  # not on a worker
            raise error from None
        try:
            again: Exception = type(error)(text)
        except Exception:  # one that is made of more than a text
            again = RuntimeError(f"{type(error).__name__} on {text}")
        raise again from error


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
