"""The training set of a run folder: kept there if it is small and the user's own, and told apart from any other."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from edudiff.data.files import NAMES
from edudiff.runs.choices import DRAWN
from edudiff.support.arrays import to_numpy
from edudiff.support.files import atomic
from edudiff.support.types import Array

FILE = "training_set.npz"
LARGEST = 16 << 20  # bytes of the images that are kept


def fingerprint(images: Array, labels: Array | None) -> dict[str, Any]:
    """What names a training set: the shape of its images (N, H, W, C) and a hash of all pixels and labels, for JSON."""
    pixels = np.ascontiguousarray(to_numpy(images), "<f4")  # (N, H, W, C)
    found = hashlib.sha256(pixels.tobytes())
    if labels is not None:
        found.update(np.ascontiguousarray(labels, "<i8").tobytes())
    return {"shape": list(images.shape), "sha256": found.hexdigest()}


def of_files(data: str) -> bool:
    """Whether the training set `data` comes from files. One that is drawn by code follows from its other choices."""
    return data not in DRAWN


def keep(folder: Path, data: str, images: Array, labels: Array | None) -> None:
    """Write the training set to `folder`, as a file that `--data` reads, if it is the user's own and not too large."""
    if not of_files(data) or data in NAMES or images.nbytes > LARGEST:
        return
    arrays: dict[str, Any] = {"images": to_numpy(images).astype("float32")}
    arrays |= {} if labels is None else {"labels": labels}
    with atomic(folder / FILE) as file:
        np.savez_compressed(file, **arrays)


def refuse_another(folder: Path, data: str, before: Any, now: dict[str, Any]) -> None:
    """Raise ValueError if the training set `now` is another than `before`, both as `fingerprint` names them."""
    if before is None or before == now or not of_files(data):
        return
    kept = f"; those that it learned are in {folder / FILE}" if (folder / FILE).exists() else ""
    was, (count, *shape) = before if isinstance(before, dict) else {}, now["shape"]
    raise ValueError(
        f"{data} has changed: {count} images of {' x '.join(map(str, shape))} with the hash {now['sha256'][:12]}, but"
        f" the run in {folder} learned {was.get('shape', [None])[0]} with the hash {str(was.get('sha256'))[:12]}{kept};"
        " bring them back, or begin anew with another --out"
    )
