"""CIFAR-10's binary batches: records of one label byte and 3 x 32 x 32 bytes, all red ones, then green, then blue."""

import numpy as np

RECORD = 1 + 3 * 32 * 32
CLASSES = 10


def read_cifar(paths, count=None):
    """Pictures (N, 32, 32, 3) uint8 and labels (N,) of the batch files `paths`, in order; the first `count` if given.

    Raises ValueError for a file that is not a whole number of records or has a label above 9.
    """
    images, labels = [], []
    for path in paths:
        image, label = _batch(path)
        images.append(image)
        labels.append(label)
        if count is not None and sum(map(len, images)) >= count:
            break
    return np.concatenate(images)[:count], np.concatenate(labels)[:count]  # (N, 32, 32, 3), (N,)


def _batch(path):
    size = path.stat().st_size
    if size == 0 or size % RECORD:
        raise ValueError(
            f"{path} has {size:,} bytes, expected a whole number of records of {RECORD} bytes (10,000 records are"
            f" {10_000 * RECORD:,}): it is truncated, or not the binary version; edudiff fetch cifar10"
        )
    records = np.fromfile(path, np.uint8).reshape(-1, RECORD)  # (N, 3073)
    if records[:, 0].max() >= CLASSES:
        raise ValueError(f"{path} has a label {records[:, 0].max()}, expected 0 to 9: it is no CIFAR-10 binary batch")
    planes = records[:, 1:].reshape(-1, 3, 32, 32)  # (N, C, H, W)
    return planes.transpose(0, 2, 3, 1), records[:, 0]  # (N, H, W, C), (N,)
