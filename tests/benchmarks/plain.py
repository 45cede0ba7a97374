"""ELS as plain compiled loops, in arrays, and by the kernels that are really used: how far is the climb?

    python tests/benchmarks/plain.py [rounds] [images]

One noisy image of strokes, window 3, float32; all take turns. Prints one record a line, seconds and times faster.
"""

import json
import sys

import numpy as np

import edudiff as ed
from edudiff.bench.measure import interleaved
from edudiff.fast import plain

LEVEL = (0.8, 0.6)


def main(rounds=5, images=30, window=3):
    """Seconds of each way, medians over the rounds, and how many times faster than the plain loops it is."""
    clean = ed.data.shapes.strokes(images, size=28, rng=np.random.default_rng(0)).astype(np.float32)  # (N, H, W, 1)
    noise = np.random.default_rng(1).standard_normal((1, *clean.shape[1:]))
    x = (LEVEL[0] * clean[:1] + LEVEL[1] * noise).astype(np.float32)  # (1, H, W, 1)
    patches = {b: ed.denoisers.Patch(clean, window, backend=b) for b in ("numpy", "numba")}
    calls = {"plain": lambda: plain.els(x, clean, *LEVEL, window)}
    calls |= {backend: lambda patch=patch: patch(x, *LEVEL) for backend, patch in patches.items()}
    apart = {name: float(abs(call() - calls["plain"]()).max()) for name, call in calls.items()}  # compiles, too
    seconds = interleaved(calls, rounds)
    for name, value in seconds.items():
        record = {"what": "els", "code": name, "images": images, "size": 28, "window": window, "seconds": value}
        print(json.dumps(record | {"times_faster": seconds["plain"] / value, "apart": apart[name]}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
