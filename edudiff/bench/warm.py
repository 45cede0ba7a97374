"""Compile all kernels now, so that nobody waits for them later: `edudiff warm`."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import edudiff as ed
from edudiff.support.backends import has_gpu, has_numba
from edudiff.support.types import Array

LEVEL = 0.8, 0.6
TYPES = (("f4", "f4"), ("f4", "f8"), ("f8", "f8"))  # of the images, and of the noisy ones


def warm() -> Iterator[tuple[str, float]]:
    """Run each kind of work on a few small pictures; yields what it was, and the seconds that it took."""
    for name, work in works():
        begun = time.perf_counter()
        work()
        yield name, time.perf_counter() - begun


def works() -> list[tuple[str, Callable[[], Any]]]:
    """What uses all kernels that there are here: a list of names and functions without arguments."""
    found: list[tuple[str, Callable[[], Any]]] = []
    for backend in [name for name, there in (("numba", has_numba()), ("cupy", has_gpu())) if there]:
        for color, channels in (("gray", 1), ("color", 3)):
            found.append((f"local scores, {color}, {backend}", partial(_local_scores, channels, backend)))
    if has_numba():
        for color, channels in (("gray", 1), ("color", 3)):
            found.append((f"local scores that skip windows, {color}", partial(_skipping, channels)))
        found += [(f"a {make.__name__}", partial(_training, make, size)) for make, size in NETWORKS]
        found.append(("plain loops", _plain))
    return found


def place() -> Path | None:
    """The folder that keeps what Numba compiles here; None if none can be written."""
    from edudiff.fast import blocks

    path = getattr(blocks.add_blocks._cache, "cache_path", None)
    return Path(path) if path else None


NETWORKS: tuple[tuple[Any, Any], ...] = ((ed.nn.ResNet, 16), (ed.nn.UNet, (16, 16)))


def _pictures(count: int, channels: int, size: int = 8) -> Array:
    return np.random.default_rng(0).uniform(-1, 1, (count, size, size, channels))


def _local_scores(channels: int, backend: str) -> None:
    clean = _pictures(20, channels)
    for of_images, of_noisy in TYPES:
        images, x = clean.astype(of_images), clean[:1].astype(of_noisy)
        if backend == "cupy":
            import cupy

            images, x = cupy.asarray(images), cupy.asarray(x)
        for shifts in (True, False):
            denoise = ed.denoisers.Patch(images, 3, shifts=shifts, backend=backend)
            denoise.sweep(x, *LEVEL, [1, 3, 5, 7])
            denoise.posterior(x, *LEVEL)
        ed.denoisers.Patch(images, 7, backend=backend)(x, *LEVEL)  # one large window has a kernel of its own


def _skipping(channels: int) -> None:
    from edudiff.fast import pruned

    clean = _pictures(64, channels)
    for of_images, of_noisy in TYPES:
        denoise = ed.denoisers.Patch(clean.astype(of_images), 3, backend="numba")
        x = clean[:1].astype(of_noisy)
        pruned.evaluate(x, denoise._engine.clusters(3, [0]), 0.999, 0.02, 1e-6)


def _training(make: Any, channels: Any) -> None:
    images = _pictures(8, 1).astype("f4")
    for padding in ("zero", "circular"):
        net = make(channels, 1, padding=padding, rng=np.random.default_rng(0), backend="numba")
        walk = ed.nn.train(net, images, ed.schedule.cosine(), np.random.default_rng(0), 1, batch=8)
        for state in walk:
            state.net(images, *LEVEL)
            state.net(images.astype("f8"), *LEVEL)


def _plain() -> None:
    from edudiff.fast import plain

    plain.els(_pictures(1, 1), _pictures(2, 1), *LEVEL, 3)
