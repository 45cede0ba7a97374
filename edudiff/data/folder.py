"""A folder of image files, read with Pillow (the extra `data`)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edudiff.data.pixels import from_uint8, resize
from edudiff.support.types import Array

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
LARGEST = 2**26  # pixels of one image; a small file may claim any size


def image_paths(folder: Path) -> list[Path]:
    """The image files in `folder`, not in the folders inside it, by name. Raises ValueError if there is none."""
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in ENDINGS)
    if not paths:
        raise ValueError(f"{folder} holds no pictures; expected files that end in {', '.join(ENDINGS)}")
    return paths


def read_images(paths: Sequence[Path], size: int | None = None) -> Array:
    """Images as (N, H, W, C) float32 in [-1, 1]: C = 1 if all are gray, else 3; transparency is dropped.

    `size`: side in pixels; the middle square of each picture is cut out and resized. Without it all pictures must have
    one size. Raises ImportError without Pillow, ValueError for a file that is no picture or too large, or for mixed
    sizes.
    """
    images = [_image(path, size) for path in paths]
    for path, image in zip(paths, images, strict=True):
        if image.shape[:2] != images[0].shape[:2]:
            raise ValueError(
                f"{path} is {image.shape[0]} x {image.shape[1]} pixels, but {paths[0]} is"
                f" {images[0].shape[0]} x {images[0].shape[1]}; pass size= to bring all to one size"
            )
    channels = max(p.shape[2] for p in images)
    return np.stack([np.broadcast_to(p, (*p.shape[:2], channels)) for p in images])  # (N, H, W, C)


def _image(path: Path, size: int | None) -> Array:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise ImportError("reading a folder of pictures needs Pillow: pip install 'edudiff[data]'") from None
    try:
        with Image.open(path) as file:
            if file.width * file.height > LARGEST:
                raise ValueError(f"{path} is {file.height} x {file.width} pixels, expected at most {LARGEST:,} in all")
            pixels = _bytes(file)  # (H, W) or (H, W, 3)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise ValueError(f"{path} cannot be read as a picture ({error}); remove it or save it again") from error
    image = from_uint8(pixels[None] if pixels.ndim == 3 else pixels[None, ..., None])  # (1, H, W, C)
    if size is not None:
        side = min(image.shape[1:3])
        top, left = (image.shape[1] - side) // 2, (image.shape[2] - side) // 2
        image = resize(image[:, top : top + side, left : left + side], size)  # (1, size, size, C)
    return image[0]  # (H, W, C)


def _bytes(file: Any) -> Array:
    """The pixels of an open image as uint8, (H, W) if it is gray, else (H, W, 3)."""
    if file.mode.startswith("I"):  # gray, 16 bits a pixel
        deep = np.asarray(file)  # (H, W)
        if deep.min() < 0 or deep.max() > 65535:
            raise ValueError(f"{file.filename} has pixels {deep.min()} to {deep.max()}, expected 0 to 65535")
        return np.round(deep / 257).astype(np.uint8)  # (H, W)
    if file.mode == "F":
        raise ValueError(f"{file.filename} holds floats, whose range is unknown; save it with 8 or 16 bits a pixel")
    return np.asarray(file.convert("L" if file.mode in ("1", "L", "LA") else "RGB"))  # (H, W) or (H, W, 3)
