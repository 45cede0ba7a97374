"""One training step of the network: compiled layers against the NumPy definition, in turn, in one process."""

import json
import statistics
import sys
import time

import numpy as np

import edudiff as ed

CASES = {
    "train_resnet_16": {"channels": 48, "depth": 3, "size": 16, "batch": 64},
    "train_resnet_24": {"channels": 48, "depth": 4, "size": 24, "batch": 128},
    "train_resnet_28": {"channels": 64, "depth": 6, "size": 28, "batch": 64},
}


def step_times(backend, channels, depth, size, batch, steps):
    """Seconds of each of `steps` training steps, after two that are not counted."""
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (256, size, size, 1)).astype(np.float32)
    net = ed.nn.ResNet(channels, depth, rng=rng, backend=backend)
    times, before = [], time.perf_counter()
    for _ in ed.nn.train(net, images, ed.schedule.cosine(), rng, steps + 2, batch=batch):
        now = time.perf_counter()
        times.append(now - before)
        before = now
    return times[2:]


def main(rounds=5, steps=3):
    """Print one JSON record a case: median seconds of both back ends and how many times faster the compiled one is."""
    for what, case in CASES.items():
        seconds = {"numpy": [], "numba": []}
        for _ in range(rounds):
            for backend, found in seconds.items():
                found += step_times(backend, **case, steps=steps)
        medians = {backend: statistics.median(found) for backend, found in seconds.items()}
        print(json.dumps({"what": what, **medians, "ratio": medians["numpy"] / medians["numba"]}), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
