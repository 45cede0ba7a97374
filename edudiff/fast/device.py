"""ELS and local scores on a GPU: how the work of `patch.cu` is cut up, and how its shares are joined again.

CuPy compiles the kernel when it is first needed, for the numbers at hand, and keeps what it compiled on disk.
"""

import functools
import math
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np

from edudiff.support import progress
from edudiff.support.arrays import array_namespace
from edudiff.support.describe import described
from edudiff.support.softmax import NEGLIGIBLE, TIE, Part, join, merge
from edudiff.support.types import Array

NEAR = 8  # neighboring windows that a thread compares at once: more need more registers than a thread has
BLOCK = 128  # threads that start together
THREADS = 1 << 19  # for one noisy image: pixels times shares of the training set; enough to fill any GPU a few times
MOST_SHARES = 1 << 12
ROOM = 1 << 22  # sums of a pixel and a share that are held at once
WORK = 1 << 39  # differences that one launch takes for a noisy image: less than a second, or a desktop stops a launch
NAMES = {"float32": "float", "float64": "double"}  # of types, in CUDA C


class OnDevice:
    """The engine of `Patch` on a GPU: the images (N, H, W, C), in `classes`, host arrays of places in `images`.

    `shifts`, `padding`: as for `Patch`. Answers do not depend on the batch, nor on the GPU's size.
    """

    fused = True  # x - alpha y is rounded once
    skipped = 0.0  # it compares every window

    def __init__(self, images: Array, classes: list[Array], shifts: bool, padding: str) -> None:
        xp = array_namespace(images)
        self.images, self.shifts, self.padding = xp.ascontiguousarray(images), shifts, padding
        self.classes = [xp.asarray(places.astype(np.int64)) for places in classes]  # (n,) each
        self.every = xp.concatenate(self.classes)  # (N,)
        self._orders: dict[int, Array] = {}

    def __repr__(self) -> str:
        settings: dict[str, Any] = {"shifts": self.shifts, "padding": self.padding}
        return described(self, images=self.images, classes=len(self.classes), **settings)

    def __call__(
        self,
        x: Array,
        alpha: float,
        sigma: float,
        windows: Sequence[int],
        number: int | None = None,
        typical: Array | None = None,
        offsets: Sequence[Array] | None = None,
        moments: bool = False,
    ) -> list[Part]:
        """As `edudiff.denoisers.windows.Arrays`: a list of (top, num, den), one for each of `windows`."""
        xp = array_namespace(x, self.images)
        places = self.every if number is None else self.classes[number]  # (n,)
        typical = xp.zeros(x.shape[:3], x.dtype) if typical is None else typical  # (B, H, W)
        x, typical = xp.ascontiguousarray(x), xp.ascontiguousarray(typical.astype(x.dtype, copy=False))
        several = max(1, ROOM // (_shares(len(places), x[0, ..., 0].size) * x[0, ..., 0].size))
        parts = []
        for k, window in enumerate(windows):
            some = [
                self._part(x[b : b + several], typical[b : b + several], places, alpha, sigma, window, moments)
                for b in range(0, len(x), several)
            ]
            top, *sums = (xp.concatenate(arrays) for arrays in zip(*some, strict=True))  # (B, H, W, ...) each
            parts.append((top if offsets is None else top + offsets[k], *sums))
        return parts

    def _part(self, x, typical, places, alpha, sigma, window, moments):
        """(top, num, den) of some noisy images and one window: one launch after the other, each with its images."""
        _, height, width, channels = x.shape
        step = max(1, WORK // ((height * width * window) ** 2 * channels))
        rate = 1 / (2 * sigma**2 * math.log(2))
        reach = math.log(len(places) * height * width / NEGLIGIBLE) / (math.log(2) * rate)
        level = [x.dtype.type(number) for number in (alpha, rate, reach, TIE)]
        chunks = [places[n : n + step] for n in range(0, len(places), step)]
        return merge([self._launch(x, typical, chunk, level, window, moments) for chunk in chunks])

    def _launch(self, x, typical, places, level, window, moments):
        xp = array_namespace(x)
        batch, height, width, channels = x.shape
        queries, shares, more = batch * height * width, _shares(len(places), height * width), 2 if moments else 0
        tops = xp.empty((shares, batch, height, width))
        sums = xp.empty((shares, batch, height, width, 1 + channels + more))
        numbers = len(places), height, width, window // 2, self.shifts, self.padding == "circular"
        given = (
            x, typical, self._order(window), np.int32(queries), self.images, places,
            *map(np.int32, numbers), *level, tops, sums,
        )  # fmt: skip
        types = NAMES[x.dtype.name], NAMES[self.images.dtype.name]
        add_windows = compiled(xp, *types, channels, NEAR if self.shifts else 1, more)
        add_windows((-(-queries // BLOCK), shares), (BLOCK,), given)
        num, den = sums[..., 1 : 1 + channels], sums[..., 0]  # (shares, B, H, W, C), (shares, B, H, W)
        return join(tops, num, den, *((sums[..., -2], sums[..., -1] * math.log(2)) if moments else ()))

    def _order(self, window):
        """The pixels of an image, (H * W,), those first that are compared with most windows, and like beside like."""
        if window not in self._orders:
            xp, shape = array_namespace(self.images), self.images.shape[1:3]
            r = window // 2 if self.shifts and self.padding != "circular" else 0
            rows, columns = ((np.arange(n) >= r) & (np.arange(n) < n - r) for n in shape)  # (H,), (W,): inside?
            kinds = 2 * rows[:, None] + columns  # (H, W)
            self._orders[window] = xp.asarray(np.argsort(-kinds.ravel(), kind="stable").astype(np.int32))
        return self._orders[window]


def _shares(count, pixels):
    """Into how many shares `count` training images are cut."""
    return min(count, max(1, THREADS // pixels), MOST_SHARES)


@functools.cache
def compiled(xp: Any, real: str, image: str, channels: int, near: int, moments: int) -> Any:
    """The kernel of `patch.cu` for these numbers, a function (grid, block, arguments). `xp`: CuPy."""
    progress.compiling()
    options = {"REAL": real, "IMAGE": image, "CHANNELS": channels, "NEAR": near, "MOMENTS": moments}
    source = resources.files("edudiff.fast").joinpath("patch.cu").read_text(encoding="utf-8")
    module = xp.RawModule(code=source, options=tuple(f"-D{name}={value}" for name, value in options.items()))
    return module.get_function("add_windows")
