"""One ELS picture: one process with one thread, two Dask workers with one thread each, and the same with one killed."""

import functools
import json
import os
import signal
import sys
import time

import numba
import numpy as np

import edudiff as ed
from edudiff import cluster
from edudiff.bench import records
from edudiff.denoisers import Patch, WindowSchedule
from edudiff.support.random import streams

# From the lowest noise to the highest: MNIST, ResNet with zero padding (Kamb & Ganguli 2024, the published table).
WINDOWS = (3, 3, 5, 5, 5, 7, 7, 7, 9, 9, 11, 11, 11, 11, 13, 15, 15, 15, 15, 15)


def scales(schedule, times):
    """A window for each step of the grid, taken from WINDOWS in proportion."""
    levels = [schedule(t) for t in times[:-1]]
    sizes = [WINDOWS[len(WINDOWS) * i // len(levels)] for i in range(len(levels))]
    return WindowSchedule([sigma / alpha for alpha, sigma in levels], sizes[::-1])


def drawn(denoise, schedule, x, times, at=None, event=None):
    """The picture and the seconds that it took; `event` happens when step `at` is done."""
    begun = time.perf_counter()
    for step in ed.reverse.steps(denoise, schedule, x, times):
        if step.i == at:
            event()
    return step.x_next, time.perf_counter() - begun


def main(images=20_000, steps=20):
    """Print one JSON record: the seconds of each way, their shares of the first, and how far their pictures differ."""
    read = functools.partial(records.range_of, "gray")
    schedule = ed.schedule.cosine()
    times = schedule.times(steps)
    make = functools.partial(Patch, window=scales(schedule, times), backend="numba")
    pictures = read(0, images)
    x = ed.reverse.start(schedule, (1, *pictures.shape[1:]), streams(0, 1))
    numba.set_num_threads(1)
    with cluster.connect("local", local_workers=2) as client:
        spread = cluster.Sharded(client, read, images, make)
        alone = make(pictures)
        for denoise in (spread, alone):
            denoise(x, 0.7, 0.7)  # compiled, laid out
        one, one_seconds = drawn(alone, schedule, x, times)
        two, two_seconds = drawn(spread, schedule, x, times)
        victim = next(iter(client.run(os.getpid).values()))
        kill = functools.partial(os.kill, victim, signal.SIGKILL)
        three, three_seconds = drawn(spread, schedule, x, times, at=steps // 2, event=kill)
    record = {"what": "cluster", "images": images, "steps": steps, "one_thread_seconds": one_seconds}
    record |= {"two_workers_seconds": two_seconds, "share": two_seconds / one_seconds}
    record |= {"one_killed_seconds": three_seconds, "one_killed_share": three_seconds / one_seconds}
    record |= {f"{name}_differs_by": float(np.abs(a - one).max()) for name, a in (("two", two), ("killed", three))}
    print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
