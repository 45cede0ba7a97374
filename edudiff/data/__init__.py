"""Images and points to learn from: `shapes` (drawn by code), `toys` (2-D points), `files` (MNIST and others)."""

from edudiff.data import files, shapes, toys
from edudiff.data.files import load, load_range
from edudiff.data.pixels import from_uint8, resize, to_uint8, with_mirrored

__all__ = ["files", "from_uint8", "load", "load_range", "resize", "shapes", "to_uint8", "toys", "with_mirrored"]
