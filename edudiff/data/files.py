"""Images from files: MNIST, Fashion-MNIST, CIFAR-10 by name; a folder of images or a NumPy file by path.

A name is looked for in `root/name`, else in the folder that EDUDIFF_DATA names, else where `edudiff fetch` puts it.
"""

import os
from functools import partial
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np

from edudiff.data.arrays import Within, count_arrays, read_arrays
from edudiff.data.cifar import count_cifar, read_cifar
from edudiff.data.folder import image_paths, read_images
from edudiff.data.idx import idx_shape, read_idx
from edudiff.data.pixels import from_uint8, resize
from edudiff.support import checks
from edudiff.support.describe import shown
from edudiff.support.files import expanded
from edudiff.support.types import Array

NAMES = ("mnist", "fashion_mnist", "cifar10")
SPLITS = {"train": "train", "test": "t10k"}


@overload
def load(
    name: str | Path,
    count: int | None = None,
    size: int | None = None,
    root: str | Path | None = None,
    labels: Literal[False] = False,
    split: str = "train",
    rng: np.random.Generator | None = None,
    start: int = 0,
) -> Array: ...


@overload
def load(
    name: str | Path,
    count: int | None = None,
    size: int | None = None,
    root: str | Path | None = None,
    *,
    labels: Literal[True],
    split: str = "train",
    rng: np.random.Generator | None = None,
    start: int = 0,
) -> tuple[Array, Array]: ...


def load(
    name: str | Path,
    count: int | None = None,
    size: int | None = None,
    root: str | Path | None = None,
    labels: bool = False,
    split: str = "train",
    rng: np.random.Generator | None = None,
    start: int = 0,
) -> Array | tuple[Array, Array]:
    """Images, (N, H, W, C) float32 in [-1, 1]; with `labels=True` also their labels, (N,) int64.

    `name`: one of NAMES, or a path to a folder of images, an .npy or an .npz file. `count`: how many, the first ones
    from number `start` on, or random ones if `rng` (numpy.random.Generator) is given; all if None. No others are kept
    in memory, nor read where the format allows it. `size`: side in pixels to resize to. `split`: "train" or "test", for
    names. Nothing is ever downloaded; see `edudiff.data.fetch`.

    Raises FileNotFoundError if it is not there (it lists where it looked), ValueError for a damaged file, for fewer
    than `count` images, or for labels that do not exist.
    """
    checks.one_of(split, tuple(SPLITS), "split")
    if rng is not None:
        checks.generator(rng)
    if checks.integer(start, "start", 0) and rng is not None:
        raise ValueError(f"start is {start}, expected no other than 0 with rng, which chooses among all")
    if count is not None:
        checks.integer(count, "count")
    within = partial(_within, name, start, count, rng)
    if name in ("mnist", "fashion_mnist"):
        images, answers = _mnist(name, root, split, within)
    elif name == "cifar10":
        paths = _cifar_paths(root, split)
        images, answers = read_cifar(paths, *within(count_cifar(paths)))
    else:
        images, answers = _path(expanded(name), size, within)
    if labels and answers is None:
        raise ValueError(f"{str(name)!r} has no labels; use labels=False")
    chosen = slice(None) if rng is None else rng.permutation(len(images))[:count]
    images = images[chosen]  # (N, H, W, C)
    images = from_uint8(images) if images.dtype == np.uint8 else images
    if size is not None:
        images = resize(images, size)  # (N, size, size, C)
    return (images, answers[chosen].astype(np.int64)) if labels and answers is not None else images


def load_range(name: str | Path, first: int, last: int, **options: Any) -> Any:
    """Images number `first` to `last` - 1, (last - first, H, W, C): `load` with two numbers, for a part of a set."""
    return load(name, last - first, start=first, **options)


def _within(
    name: str | Path, start: int, count: int | None, rng: np.random.Generator | None, available: int
) -> tuple[int, int]:
    """Which images to read, (first, last), of so many that are `available`."""
    last = available if count is None else start + count
    if last > available or start >= available > 0:
        wanted = f"count is {count:,}" if start == 0 else f"those from number {start:,} to {last:,} are asked for"
        raise ValueError(f"{str(name)!r} has {available:,} pictures here, but {wanted}; ask for fewer")
    return (start, last) if rng is None else (0, available)  # a random choice needs them all


def places(root: str | Path | None = None) -> list[Path]:
    """The folders in which data sets are looked for, in this order: `root` alone, or EDUDIFF_DATA and the cache."""
    if root is not None:
        return [expanded(root)]
    named = os.environ.get("EDUDIFF_DATA")
    return [*([expanded(named)] if named else []), cache_folder()]


def cache_folder() -> Path:
    """Where `edudiff fetch` puts data sets: $XDG_CACHE_HOME/edudiff, by default ~/.cache/edudiff."""
    return expanded(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "edudiff"


def available(name: str | Path, root: str | Path | None = None, split: str = "train") -> int:
    """How many images `load` would give in all, without reading more of them than that needs.

    `name`, `root`, `split`: as for `load`. Raises as `load`.
    """
    checks.one_of(split, tuple(SPLITS), "split")
    if name in ("mnist", "fashion_mnist"):
        return idx_shape(_mnist_paths(str(name), root, split)[0], dimensions=3)[0]
    if name == "cifar10":
        return count_cifar(_cifar_paths(root, split))
    path = expanded(name)
    return len(image_paths(path)) if _is_folder(path) else count_arrays(path)


def _mnist_paths(name: str, root: str | Path | None, split: str) -> tuple[Path, Path]:
    """The files of the pixels and of the labels; the latter may be missing."""
    pixels = f"{SPLITS[split]}-images-idx3-ubyte"
    folder = _find(name, root, [pixels, pixels + ".gz"])
    return _packed_or_not(folder / pixels), _packed_or_not(folder / f"{SPLITS[split]}-labels-idx1-ubyte")


def _mnist(name: str, root: str | Path | None, split: str, within: Within) -> tuple[Array, Array | None]:
    path, labels = _mnist_paths(name, root, split)
    available = idx_shape(path, dimensions=3)[0]
    first, last = within(available)
    images = read_idx(path, 3, first, last)  # (n, H, W)
    if not labels.is_file():
        return images, None
    (number,) = idx_shape(labels, dimensions=1)
    if number != available:
        raise ValueError(
            f"{labels} has {number:,} labels for {available:,} pictures, expected one each; fetch {name} again"
        )
    return images, read_idx(labels, 1, first, last)  # (n, H, W), (n,)


def _cifar_paths(root: str | Path | None, split: str) -> list[Path]:
    names = [f"data_batch_{i}.bin" for i in range(1, 6)] if split == "train" else ["test_batch.bin"]
    inner = "cifar-10-batches-bin"
    folder = _find("cifar10", root, [f"{inner}/{n}" for n in names])
    return [path for n in names if (path := folder / inner / n).exists()]


def _find(name: str, root: str | Path | None, any_of: list[str]) -> Path:
    folders = [place / name for place in places(root)]
    for folder in folders:
        if any((folder / file).is_file() for file in any_of):
            return folder
    looked = "".join(f"\n  {folder / any_of[0]}" for folder in folders)
    raise FileNotFoundError(
        f"no {name} here; looked for{looked}\nFetch it with `edudiff fetch {name}`, or name the folder that holds"
        f" {name}/ with root= or the environment variable EDUDIFF_DATA"
    )


def _packed_or_not(path: Path) -> Path:
    packed = path.with_name(path.name + ".gz")
    return packed if packed.is_file() and not path.is_file() else path


def _path(path: Path, size: int | None, within: Within) -> tuple[Array, Array | None]:
    if _is_folder(path):
        paths = image_paths(path)
        first, last = within(len(paths))
        return read_images(paths[first:last], size), None
    return read_arrays(path, within)


def _is_folder(path: Path) -> bool:
    """True for a folder, False for a NumPy file; ValueError or FileNotFoundError for anything else."""
    if os.path.isdir(path):
        return True
    if path.suffix.lower() in (".npy", ".npz") and os.path.isfile(path):
        return False
    if os.path.lexists(path):
        raise ValueError(
            f"{shown(path)} is a file of another kind; expected a folder of pictures, an .npy or an .npz file"
        )
    raise FileNotFoundError(
        f"{str(path)!r} is none of {', '.join(NAMES)}, and there is no such folder and no such .npy or .npz file"
    )
