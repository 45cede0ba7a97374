"""Moving pictures as files: GIF and animated PNG by Pillow, MP4 by the program ffmpeg."""

import io
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edudiff.support import checks
from edudiff.support.files import atomic, check_file, expanded

KINDS = {".gif": "GIF", ".png": "PNG", ".apng": "PNG", ".mp4": "MP4"}  # of a file, by how its name ends
RATE = 25  # frames of an MP4 in a second


def check(path: str | Path) -> Path:
    """Check that a moving picture can be written at `path`, as far as that can be known before; returns it as a Path.

    Raises ValueError for a name that ends otherwise than one of KINDS, OSError for a place that cannot be written to or
    an MP4 where there is no ffmpeg, ImportError without Pillow.
    """
    path = expanded(path)
    kind = KINDS[checks.one_of(path.suffix.lower(), tuple(KINDS), f"the ending of {path}")]
    check_file(path)
    pillow()
    if kind == "MP4" and shutil.which("ffmpeg") is None:
        raise OSError(f"cannot write {path}: there is no program ffmpeg here; install it, or name a .gif or .png file")
    return path


def pillow() -> Any:
    """The module PIL with its parts that draw. Raises ImportError that says how to install it."""
    try:
        import PIL
        from PIL import Image, ImageDraw, ImageFont  # noqa: F401, which makes them parts of PIL
    except ImportError:
        raise ImportError("a moving picture needs Pillow: pip install 'edudiff[plot]'") from None
    return PIL


def write(path: str | Path, frames: Sequence[Any], milliseconds: Sequence[int]) -> Path:
    """Write Pillow's images, all of one size and mode ("L" or "RGB"), each shown for so many `milliseconds`.

    Raises as `check` does; RuntimeError with the words of ffmpeg if that fails.
    """
    path = check(path)
    kind = KINDS[path.suffix.lower()]
    if kind == "MP4":
        data = _mp4(frames, milliseconds)
    else:
        buffer, (first, *rest) = io.BytesIO(), frames
        first.save(buffer, kind, save_all=True, append_images=rest, duration=list(milliseconds), loop=0)
        data = buffer.getvalue()
    with atomic(path) as file:
        file.write(data)
    return path


def _mp4(frames: Sequence[Any], milliseconds: Sequence[int]) -> bytes:
    """The frames as H.264, padded to even sides, which it asks for; each is repeated for as long as it is shown."""
    width, height = frames[0].size
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "film.mp4")
        source = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(RATE), "-i", "-")
        even = ("-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-movflags", "+faststart")
        with tempfile.TemporaryFile() as raw:
            for frame, shown in zip(frames, milliseconds, strict=True):
                data = np.asarray(frame.convert("RGB")).tobytes()
                for _ in range(max(1, round(shown * RATE / 1000))):
                    raw.write(data)
            raw.seek(0)
            command = ("ffmpeg", "-loglevel", "error", "-y", *source, *even, str(out))
            done = subprocess.run(command, stdin=raw, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode or not out.exists():
            raise RuntimeError(f"ffmpeg failed ({done.stderr.strip() or done.returncode}); name a .gif or .png file")
        return out.read_bytes()
