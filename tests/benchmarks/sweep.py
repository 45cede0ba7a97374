"""Calibration: eight window sizes in one sweep against each alone, and how the time of one grows with its size."""

import json
import statistics
import sys

from edudiff.bench import records
from edudiff.bench.measure import interleaved
from edudiff.denoisers import Patch

SIZES = (3, 5, 7, 9, 11, 13, 15, 17)


def main(images=896, rounds=5):
    """Print one JSON record; `sweep_over_median` compares with the median of the single sizes."""
    name, pictures = records.load("gray", images)
    x = records.noisy(pictures[:1])
    level = records.LEVEL
    single = {str(size): Patch(pictures, size, prune=False) for size in SIZES}
    calls = {name: lambda d=denoise: d(x, *level) for name, denoise in single.items()}
    seconds = interleaved(calls | {"sweep": lambda: single["3"].sweep(x, *level, SIZES)}, rounds)
    alone = [seconds[name] for name in single]
    record = {"what": "sweep", "data": name, "images": images, "seconds": seconds}
    record |= {"sweep_over_median": seconds["sweep"] / statistics.median(alone)}
    record |= {"sweep_over_3": seconds["sweep"] / seconds["3"], "sweep_over_sum": seconds["sweep"] / sum(alone)}
    print(json.dumps(record | {"17_over_3": seconds["17"] / seconds["3"]}), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
