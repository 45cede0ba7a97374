"""Pixels: bytes 0 to 255 on disk, floats in [-1, 1] everywhere else; and images of another size."""

import numpy as np

from edudiff.support import checks
from edudiff.support.types import Array


def from_uint8(images: Array) -> Array:
    """Bytes as floats: x / 127.5 - 1, so 0 is -1 and 255 is 1.

    `images`: (N, H, W) or (N, H, W, C) uint8. Returns (N, H, W, C) float32, C = 1 for gray ones. Raises TypeError for
    another dtype, ValueError for another rank.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise TypeError(f"images have dtype {images.dtype}, expected uint8 (0 to 255); floats need no from_uint8")
    if images.ndim not in (3, 4):
        raise ValueError(f"images have shape {images.shape}, expected (N, H, W) or (N, H, W, C)")
    if images.ndim == 3:
        images = images[..., None]  # (N, H, W, 1)
    return images.astype(np.float32) / np.float32(127.5) - np.float32(1)  # (N, H, W, C)


def to_uint8(images: Array) -> Array:
    """Floats as bytes, the inverse of `from_uint8`: rounded, and clipped to [-1, 1] first.

    `images`: floats of any shape. Returns uint8 of that shape. Raises TypeError for another dtype, ValueError for NaN
    or infinity.
    """
    images = np.asarray(images)
    if images.dtype.kind != "f":
        raise TypeError(f"images have dtype {images.dtype}, expected floats in [-1, 1]")
    if not np.isfinite(images).all():
        raise ValueError("images hold NaN or infinity, which no byte stands for; remove them first")
    return np.rint((np.clip(images, -1, 1) + 1) * 127.5).astype(np.uint8)


def resize(images: Array, size: int | tuple[int, int]) -> Array:
    """Images of another size: each new pixel is the mean of the area that it covers, so 28 -> 14 is a 2x2 mean.

    `images`: (N, H, W, C) floats. `size`: new side, or (height, width), in pixels; larger ones work too.
    Returns (N, h, w, C) of the same dtype. Raises TypeError for a size that is no integer, ValueError for a size below
    1 or another rank.
    """
    checks.finite_floats(images, "images")
    if images.ndim != 4:
        raise ValueError(f"images have shape {images.shape}, expected (N, H, W, C)")
    both = size if isinstance(size, tuple | list) else (size, size)
    height, width = (checks.integer(side, "size") for side in both)
    if images.shape[1:3] == (height, width):
        return images
    down = coverage(images.shape[1], height).astype(images.dtype)  # (h, H)
    across = coverage(images.shape[2], width).astype(images.dtype)  # (w, W)
    rows = np.einsum("hH,nHWc->nhWc", down, images, optimize=True)  # (N, h, W, C)
    return np.ascontiguousarray(np.einsum("wW,nhWc->nhwc", across, rows, optimize=True))  # (N, h, w, C)


def coverage(old: int, new: int) -> Array:
    """Share of old pixel j in new pixel i, (new, old): their overlap in units of a new pixel's width. Rows sum to 1."""
    edges = np.arange(new + 1) * (old / new)  # (new + 1,) in old pixels
    j = np.arange(old)
    overlap = np.minimum(edges[1:, None], j + 1) - np.maximum(edges[:-1, None], j)  # (new, old)
    return np.maximum(overlap, 0) * (new / old)  # (new, old)


def with_mirrored(images: Array) -> Array:
    """`images` (N, H, W, C) and each of them mirrored left to right: (2 N, H, W, C), a training set for formulas.

    Image i and its mirror image are number i and N + i. A network that is trained with `flip` learns from the same law,
    in which each of the two is as likely. Raises TypeError or ValueError for what is no training set of images.
    """
    xp = checks.training_set(images)
    if images.ndim != 4:
        raise ValueError(f"images have shape {images.shape}, expected (N, H, W, C): points have no left and right")
    return xp.concatenate([images, images[:, :, ::-1]])  # (2 N, H, W, C)
