"""Images in a NumPy file: `.npy`, or `.npz` with `images` and perhaps `labels`. Never a pickle, so no code runs."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edudiff.data.pixels import from_uint8
from edudiff.support import checks
from edudiff.support.describe import reason, shown
from edudiff.support.types import Array

Within = Callable[[int], tuple[int, int]]  # which of so many images are wanted: first, last
LARGEST = 2**32  # bytes of one array; a small packed file may claim any size


def read_arrays(path: Path, within: Within | None = None) -> tuple[Array, Array | None]:
    """Images (N, H, W, C) float32 in [-1, 1], and labels (N,) or None.

    `within`: a function from the number of images in the file to the (first, last) wanted; all if None. Of an .npy
    file only these are read. The file holds uint8 or floats in [-1, 1], (N, H, W) or (N, H, W, C). Raises ValueError
    for a damaged file, a pickle, another rank or dtype, NaN, or labels that do not match.
    """
    images, labels = _arrays(path)
    if within is not None:
        first, last = within(len(images))
        images, labels = images[first:last], None if labels is None else labels[first:last]  # (n, ...), (n,)
    return _as_images(images, path), labels


def count_arrays(path: Path) -> int:
    """How many images an .npy or .npz file holds. Raises ValueError as `read_arrays`."""
    return len(_arrays(path)[0])


def _arrays(path: Path) -> tuple[Array, Array | None]:
    """The images of a file, (N, H, W) or (N, H, W, C), of an .npy file not read yet, and the labels (N,) or None."""
    try:
        images, labels = _open(path)
    except checks.DAMAGED as error:
        raise ValueError(
            f"{shown(path)} cannot be read as NumPy arrays without pickle: {reason(error)}; save it again"
        ) from error
    if images.ndim not in (3, 4) or images.size == 0:
        raise ValueError(f"{shown(path)} has images {images.shape}, expected (N, H, W) or (N, H, W, C), at least one")
    if labels is not None and (labels.shape != images.shape[:1] or labels.dtype.kind not in "iu"):
        raise ValueError(
            f"{shown(path)} has labels {labels.dtype} {labels.shape} for images {images.shape}, expected one integer"
            " each"
        )
    return images, labels


def _as_images(images: Array, path: Path) -> Array:
    if images.ndim == 3:
        images = images[..., None]  # (N, H, W, 1)
    checks.channels_last(images, f"the array of images in {shown(path)}")
    if images.dtype == np.uint8:
        return from_uint8(images)
    if images.dtype.kind != "f":
        raise ValueError(f"{shown(path)} has images of dtype {images.dtype}, expected uint8, or floats in [-1, 1]")
    with np.errstate(over="ignore"):  # what is too large is found below
        images = np.array(images, np.float32)
    checks.training_set(images, f"images of {shown(path)}")
    return images


def _open(path: Path) -> tuple[Array, Array | None]:
    with open(path, "rb") as file:
        packed = zipfile.is_zipfile(file)
        file.seek(0)
        begin = file.read(len(np.lib.format.MAGIC_PREFIX))
    if not packed and begin != np.lib.format.MAGIC_PREFIX:  # NumPy would take it for a pickle
        raise ValueError("it does not begin as one" if begin else "it is empty")
    if not packed:
        return np.load(path, mmap_mode="r", allow_pickle=False), None
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.file_size > LARGEST:
                raise ValueError(f"{member.filename} has {member.file_size:,} bytes, expected at most {LARGEST:,}")
    with np.load(path, allow_pickle=False) as arrays:
        names = sorted(arrays.files)
        name = "images" if "images" in names else names[0] if len(names) == 1 else None
        if name is None:
            raise ValueError(f"it holds the arrays {', '.join(names) or '(none)'}, expected one named 'images'")
        found = [arrays[one] for one in (name, "labels") if one in names]
    if not all(isinstance(one, np.ndarray) for one in found):
        raise ValueError(f"what it holds as {name!r} is no array")
    return found[0], found[1] if len(found) == 2 and name == "images" else None
