"""The formulas that are no ELS: one answer of each beside ELS of 60,000 images, and what it costs to make it."""

import json
import sys

import numpy as np

from edudiff.bench import records
from edudiff.bench.measure import costs
from edudiff.denoisers import Composite, Linear, Masked, Patch, Smoothed


def main(images=2000, rounds=3, most=60_000):
    """Print a JSON record for each: of `images` color images of 32 x 32 pixels, against ELS of `most` gray ones.

    Seconds are of processor time.
    """
    data, color = records.load("color", images)
    _, gray = records.load("gray", most)
    z, x = records.noisy(color[:1]), records.noisy(gray[:1])
    els = Patch(gray, window=5, prune=False)
    make = {
        "masked": lambda: Masked(color, tau=0.05),
        "composite": lambda: Composite(color, window=5),
        "smoothed": lambda: Smoothed(color, rng=np.random.default_rng(0)),
        "linear": lambda: Linear.fit(color),
    }
    calls = {"els": lambda: els(x, *records.LEVEL)}
    made = {}
    for name, build in make.items():
        made[name] = build()
        calls[name] = lambda d=made[name]: d(z, *records.LEVEL)
        calls[f"{name}, made"] = build
    cost = costs(calls, rounds)
    whole = cost["els"]["processor_seconds"]
    for name in make:
        record = {"what": name, "data": data, "images": len(color), "size": color.shape[1]}
        made_in = cost[f"{name}, made"]["processor_seconds"]
        record |= {"seconds": cost[name]["processor_seconds"], "make_seconds": made_in}
        record |= {"els_seconds": whole, "share": cost[name]["processor_seconds"] / whole}
        print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
