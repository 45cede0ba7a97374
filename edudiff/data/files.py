"""Pictures from files: MNIST, Fashion-MNIST, CIFAR-10 by name; a folder of pictures or a NumPy file by path.

A name is looked for in `root/name`, else in the folder that EDUDIFF_DATA names, else where `edudiff fetch` puts it.
"""

import os
from pathlib import Path

import numpy as np

from edudiff import check
from edudiff.data.arrays import read_arrays
from edudiff.data.cifar import read_cifar
from edudiff.data.folder import picture_paths, read_pictures
from edudiff.data.idx import read_idx
from edudiff.data.pixels import from_uint8, resize

NAMES = ("mnist", "fashion_mnist", "cifar10")
SPLITS = {"train": "train", "test": "t10k"}


def load(name, count=None, size=None, root=None, labels=False, split="train", rng=None):
    """Pictures, (N, H, W, C) float32 in [-1, 1]; with `labels=True` also their labels, (N,) int64.

    `name`: one of NAMES, or a path to a folder of pictures, an .npy or an .npz file. `count`: how many, the first ones,
    or random ones if `rng` (numpy.random.Generator) is given; all if None. `size`: side in pixels to resize to.
    `split`: "train" or "test", for names. Nothing is ever downloaded; see `edudiff.data.fetch`.

    Raises FileNotFoundError if it is not there (it lists where it looked), ValueError for a damaged file, for fewer
    than `count` pictures, or for labels that do not exist.
    """
    check.one_of(split, tuple(SPLITS), "split")
    if count is not None and (isinstance(count, bool) or not hasattr(count, "__index__")):
        raise TypeError(f"count is {count!r}, expected an integer such as 1000, or None for all")
    if count is not None and count < 1:
        raise ValueError(f"count is {count}, expected at least 1, or None for all")
    first = count if rng is None else None  # a random choice needs them all
    if name in ("mnist", "fashion_mnist"):
        images, answers = _mnist(name, root, split)
    elif name == "cifar10":
        images, answers = _cifar(root, split, first)
    else:
        images, answers = _path(Path(name).expanduser(), first, size)
    available = len(images)
    if count is not None and count > available:
        raise ValueError(f"{str(name)!r} has {available:,} pictures here, but count is {count:,}; ask for fewer")
    if labels and answers is None:
        raise ValueError(f"{str(name)!r} has no labels; use labels=False")
    chosen = slice(count) if rng is None else rng.permutation(available)[:count]
    images = images[chosen]  # (N, H, W, C)
    images = from_uint8(images) if images.dtype == np.uint8 else images
    if size is not None:
        images = resize(images, size)  # (N, size, size, C)
    return (images, answers[chosen].astype(np.int64)) if labels else images


def places(root=None):
    """The folders in which data sets are looked for, in this order: `root` alone, or EDUDIFF_DATA and the cache."""
    if root is not None:
        return [Path(root).expanduser()]
    named = os.environ.get("EDUDIFF_DATA")
    return [*([Path(named).expanduser()] if named else []), cache_folder()]


def cache_folder():
    """Where `edudiff fetch` puts data sets: $XDG_CACHE_HOME/edudiff, by default ~/.cache/edudiff."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "edudiff"


def _mnist(name, root, split):
    pictures = f"{SPLITS[split]}-images-idx3-ubyte"
    answers = f"{SPLITS[split]}-labels-idx1-ubyte"
    folder = _find(name, root, [pictures, pictures + ".gz"])
    images = read_idx(_packed_or_not(folder / pictures), dimensions=3)  # (N, H, W)
    path = _packed_or_not(folder / answers)
    if path is None:
        return images, None
    labels = read_idx(path, dimensions=1)  # (N,)
    if len(labels) != len(images):
        raise ValueError(
            f"{path} has {len(labels):,} labels for {len(images):,} pictures, expected one each; fetch {name} again"
        )
    return images, labels


def _cifar(root, split, count):
    names = [f"data_batch_{i}.bin" for i in range(1, 6)] if split == "train" else ["test_batch.bin"]
    inner = "cifar-10-batches-bin"
    folder = _find("cifar10", root, [f"{inner}/{n}" for n in names])
    return read_cifar([p for n in names if (p := folder / inner / n).exists()], count)


def _find(name, root, any_of):
    folders = [place / name for place in places(root)]
    for folder in folders:
        if any((folder / file).is_file() for file in any_of):
            return folder
    looked = "".join(f"\n  {folder / any_of[0]}" for folder in folders)
    raise FileNotFoundError(
        f"no {name} here; looked for{looked}\nFetch it with `edudiff fetch {name}`, or name the folder that holds"
        f" {name}/ with root= or the environment variable EDUDIFF_DATA"
    )


def _packed_or_not(path):
    return next((p for p in (path, path.with_name(path.name + ".gz")) if p.is_file()), None)


def _path(path, count, size):
    if path.is_dir():
        return read_pictures(picture_paths(path)[:count], size), None
    if path.suffix in (".npy", ".npz") and path.is_file():
        return read_arrays(path)
    if path.exists():
        raise ValueError(f"{path} is a file of another kind; expected a folder of pictures, an .npy or an .npz file")
    raise FileNotFoundError(
        f"{str(path)!r} is none of {', '.join(NAMES)}, and there is no such folder and no such .npy or .npz file"
    )
