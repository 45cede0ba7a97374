"""ELS, zero border, one query: the compiled kernel against the NumPy definition, in turn, in one process."""

import json
import statistics
import sys
import time

import numpy as np

from edudiff.data import shapes
from edudiff.denoisers import Patch

CASES = {"patch_3": 3, "patch_9": 9, "patch_17": 17}


def seconds(denoise, x):
    """Seconds of one answer."""
    begun = time.perf_counter()
    denoise(x, 0.7, 0.7)
    return time.perf_counter() - begun


def main(rounds=5, images=256, size=28):
    """Print one JSON record a window size: median seconds of both back ends and their ratio."""
    pictures = shapes.strokes(images, size=size, rng=np.random.default_rng(0))
    x = (0.7 * pictures[:1] + 0.7 * np.random.default_rng(1).standard_normal(pictures[:1].shape)).astype(np.float32)
    for what, window in CASES.items():
        denoisers = {backend: Patch(pictures, window, backend=backend) for backend in ("numpy", "numba")}
        found = {backend: [] for backend in denoisers}
        for _ in range(rounds + 1):
            for backend, denoise in denoisers.items():
                found[backend].append(seconds(denoise, x))
        medians = {backend: statistics.median(values[1:]) for backend, values in found.items()}
        record = {"what": what, "images": images, "size": size, **medians}
        print(json.dumps({**record, "ratio": medians["numpy"] / medians["numba"]}), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
