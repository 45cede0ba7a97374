"""A whole ELS picture from all of MNIST, in 20 steps: its time, its memory, and what skipping windows gains."""

import json
import sys
import time

import numpy as np
from cluster import scales

import edudiff as ed
from edudiff.bench import records
from edudiff.bench.measure import extra_memory, interleaved
from edudiff.denoisers import Patch
from edudiff.support.random import streams

LOWEST = 6  # steps of least noise


def main(images=60_000, rounds=5, compared=15_000):
    """Print JSON records: of the picture, from the bare images on, and of its steps of least noise, both ways.

    The second is measured with `compared` images.
    """
    name, pictures = records.load("gray", images)
    schedule = ed.schedule.cosine()
    times = schedule.times(20)
    table = scales(schedule, times)
    x = ed.reverse.start(schedule, (1, *pictures.shape[1:]), streams(0, 1), like=pictures)
    Patch(pictures[:2000], window=table)(x, 0.7, 0.7)  # compiled
    walked, begun, worked = [], time.perf_counter(), time.process_time()

    def draw():
        denoise = Patch(pictures, window=table)
        for step in ed.reverse.steps(denoise, schedule, x, times):
            walked.append((step, time.perf_counter() - begun, denoise.skipped, time.process_time() - worked))
            print(f"step {step.i}: {walked[-1][1]:.1f} s, skipped {denoise.skipped:.3f}", file=sys.stderr, flush=True)

    memory = extra_memory(draw)
    seconds = np.diff([step[1] for step in walked], prepend=0.0).tolist()
    processor = np.diff([step[3] for step in walked], prepend=0.0).tolist()
    record = {"what": "picture", "data": name, "images": images, "seconds": walked[-1][1], "memory_mb": memory / 1e6}
    record |= {"processor_seconds": walked[-1][3], "step_processor_seconds": processor}
    print(json.dumps(record | {"step_seconds": seconds, "skipped": [w[2] for w in walked]}), flush=True)

    ways = {way: Patch(pictures[:compared], window=table, prune=way == "prune") for way in ("prune", "all")}
    total = dict.fromkeys(ways, 0.0)
    for step, *_ in walked[-LOWEST:]:
        calls = {way: lambda d=d: d(step.x, step.alpha, step.sigma) for way, d in ways.items()}  # noqa: B023
        for way, median in interleaved(calls, rounds).items():
            total[way] += median
    record = {"what": "pruning", "images": compared, "steps": LOWEST, "seconds": total}
    print(json.dumps(record | {"ratio": total["all"] / total["prune"]}), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
