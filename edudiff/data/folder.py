"""A folder of image files, read with Pillow (the extra `data`)."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edudiff.data.pixels import from_uint8, resize
from edudiff.support.describe import reason, shown
from edudiff.support.types import Array

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")  # whatever a file is called, no other is tried
LARGEST = 2**26  # pixels of one image; a small file may claim any size


def image_paths(folder: Path) -> list[Path]:
    """The image files in `folder`, not in the folders inside it, by name; hidden ones (`._a.png`) are passed over.

    Raises ValueError if there is none, or for a name of an image that belongs to something else: a folder, a pipe, a
    socket, a device, a link to nothing.
    """
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in ENDINGS and not p.name.startswith("."))
    if not paths:
        raise ValueError(f"{shown(folder)} holds no pictures; expected files that end in {', '.join(ENDINGS)}")
    for path in paths:
        if not path.is_file():
            raise ValueError(f"{shown(path)} is called like a picture, but is no plain file; remove or rename it")
    return paths


def read_images(paths: Sequence[Path], size: int | None = None) -> Array:
    """Images as (N, H, W, C) float32 in [-1, 1]: C = 1 if all are gray, else 3, upright as their EXIF says.

    Transparency is dropped; of an animation the first picture is read. `size`: side in pixels; the middle square of
    each picture is cut out and resized. Without it all pictures must have one size. Raises ImportError without Pillow,
    ValueError for a file that is no picture or too large, or for mixed sizes.
    """
    images: list[Array] = []
    for path in paths:
        image = _image(path, size)
        images.append(image)
        if image.shape[:2] != images[0].shape[:2]:
            raise ValueError(
                f"{shown(path)} is {image.shape[0]} x {image.shape[1]} pixels, but {shown(paths[0])} is"
                f" {images[0].shape[0]} x {images[0].shape[1]}; pass size= to bring all to one size"
            )
    channels = max(p.shape[2] for p in images)
    return np.stack([np.broadcast_to(p, (*p.shape[:2], channels)) for p in images])  # (N, H, W, C)


def _image(path: Path, size: int | None) -> Array:
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError:
        raise ImportError("reading a folder of pictures needs Pillow: pip install 'edudiff[data]'") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of files that are odd but can be read
            # Opened here: of a file that it opens by name Pillow may map a TIFF that lies on its side as if upright.
            with open(path, "rb") as data, Image.open(data, formats=FORMATS) as file:
                _check(file)
                pixels = _bytes(ImageOps.exif_transpose(file))  # (H, W) or (H, W, 3)
    except MemoryError:
        raise
    except Exception as error:  # a damaged file can raise anything
        what = f"none of {', '.join(FORMATS)}" if isinstance(error, UnidentifiedImageError) else reason(error)
        why = f"({what}); remove it or save it again"
        raise ValueError(f"{shown(path)} cannot be read as a picture {why}") from error
    image = from_uint8(pixels[None] if pixels.ndim == 3 else pixels[None, ..., None])  # (1, H, W, C)
    if size is not None:
        side = min(image.shape[1:3])
        top, left = (image.shape[1] - side) // 2, (image.shape[2] - side) // 2
        image = resize(image[:, top : top + side, left : left + side], size)  # (1, size, size, C)
    return image[0]  # (H, W, C)


def _check(file: Any) -> None:
    if not 0 < file.width * file.height <= LARGEST:
        raise ValueError(f"it is {file.height} x {file.width} pixels, expected 1 to {LARGEST:,} in all")
    if file.mode == "F":
        raise ValueError("it holds floats, whose range is unknown, expected 8 or 16 bits a pixel")


def _bytes(file: Any) -> Array:
    """The pixels of an open image as uint8, (H, W) if it is gray, else (H, W, 3)."""
    if file.mode.startswith("I"):  # gray, 16 bits a pixel
        deep = np.asarray(file)  # (H, W)
        if deep.min() < 0 or deep.max() > 65535:
            raise ValueError(f"it has pixels {deep.min()} to {deep.max()}, expected 0 to 65535")
        return np.round(deep / 257).astype(np.uint8)  # (H, W)
    return np.asarray(file.convert("L" if file.mode in ("1", "L", "LA") else "RGB"))  # (H, W) or (H, W, 3)
