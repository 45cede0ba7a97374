"""CIFAR-10's binary batches: records of one label byte and 3 x 32 x 32 bytes, all red ones, then green, then blue."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edudiff.support.types import Array

RECORD = 1 + 3 * 32 * 32
CLASSES = 10


def count_cifar(paths: Sequence[Path]) -> int:
    """How many records the batch files hold in all. Raises ValueError for one that is not a whole number of records."""
    return sum(map(_records, paths))


def read_cifar(paths: Sequence[Path], first: int = 0, last: int | None = None) -> tuple[Array, Array]:
    """Images (N, 32, 32, 3) uint8 and labels (N,): records `first` to `last` - 1 of the batch files, in order.

    Only these are read. Raises ValueError for a file that is not a whole number of records or has a label above 9.
    """
    images, labels, passed = [], [], 0
    for path in paths:
        held = _records(path)
        start, stop = max(0, first - passed), held if last is None else min(held, last - passed)
        if start < stop:
            image, label = _batch(path, start, stop)
            images.append(image)
            labels.append(label)
        passed += held
    return np.concatenate(images), np.concatenate(labels)  # (N, 32, 32, 3), (N,)


def _records(path: Path) -> int:
    size = path.stat().st_size
    if size == 0 or size % RECORD:
        raise ValueError(
            f"{path} has {size:,} bytes, expected a whole number of records of {RECORD} bytes (10,000 records are"
            f" {10_000 * RECORD:,}): it is truncated, or not the binary version; edudiff fetch cifar10"
        )
    return size // RECORD


def _batch(path: Path, start: int, stop: int) -> tuple[Array, Array]:
    flat = np.fromfile(path, np.uint8, (stop - start) * RECORD, offset=start * RECORD)  # (n * 3073,)
    records = flat.reshape(-1, RECORD)  # (n, 3073)
    if records[:, 0].max() >= CLASSES:
        raise ValueError(f"{path} has a label {records[:, 0].max()}, expected 0 to 9: it is no CIFAR-10 binary batch")
    planes = records[:, 1:].reshape(-1, 3, 32, 32)  # (n, C, H, W)
    return planes.transpose(0, 2, 3, 1), records[:, 0]  # (n, H, W, C), (n,)
