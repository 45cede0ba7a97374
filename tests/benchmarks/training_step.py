"""One training step, forward, backward, Adam and moving average: edudiff's back ends against plain PyTorch.

Both use the cores that the process may use. Where other programs run, `taskset -c 0` before the command is the fairer
comparison: PyTorch's threads wait for each other many times a step, edudiff's only once. Then processor time, which
other programs hardly change, is what to compare.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

import edudiff as ed
from edudiff.bench.measure import costs, extra_memory
from edudiff.support.threads import cores

CASES = {
    "resnet_48": {"net": "ResNet", "channels": 48, "depth": 4, "shape": (24, 24, 1), "batch": 128},
    "resnet_64": {"net": "ResNet", "channels": 64, "depth": 6, "shape": (28, 28, 1), "batch": 64},
    "unet": {"net": "UNet", "channels": (32, 64, 128), "depth": 2, "shape": (32, 32, 3), "batch": 32},
}
SIDES = ("numpy", "numba", "contiguous", "channels_last")  # the last two: PyTorch's memory formats
STEPS = 3  # of the run whose memory is measured


def main(rounds=7, *cases):
    """Print one JSON record a case and back end; ratios are PyTorch's over ours in seconds, ours over its in memory."""
    for what in cases or CASES:
        for record in compare(what, int(rounds)):
            print(json.dumps(record), flush=True)


def compare(what, rounds):
    """Records of one case: the seconds of all sides taken in turn, the memory of each in a process of its own."""
    from torch_twin import FORMATS, disagreement

    cost = costs({side: stepper(what, side) for side in SIDES}, rounds)
    seconds, worked = ({side: own[name] for side, own in cost.items()} for name in ("seconds", "processor_seconds"))
    memory = {side: memory_apart(what, side) for side in SIDES}
    form = min(FORMATS, key=seconds.__getitem__)
    x, level = pictures(what)[:3], np.full(3, 0.7, np.float32)
    same = disagreement(random_net(what, "numpy"), x, level, level)
    for backend in ("numpy", "numba"):
        record = {"what": what, "backend": backend, "seconds": seconds[backend]}
        record |= {"peer": f"torch, {form}", "peer_seconds": seconds[form], "ratio": seconds[form] / seconds[backend]}
        record |= {"processor_seconds": worked[backend], "peer_processor_seconds": min(worked[f] for f in FORMATS)}
        record |= {"processor_ratio": record["peer_processor_seconds"] / worked[backend]}
        record |= {"memory_mb": memory[backend] / 1e6, "peer_memory_mb": memory[form] / 1e6}
        yield record | {
            "memory_ratio": memory[backend] / memory[form],
            "disagreement": same,
            "cores": cores(),
            **CASES[what],
        }


def stepper(what, side):
    """A function that makes one training step."""
    batch, images = CASES[what]["batch"], pictures(what)
    if side in ("numpy", "numba"):
        net = network(what, side)
        walk = ed.nn.train(net, images, ed.schedule.cosine(), np.random.default_rng(0), 10**6, batch=batch)
        return lambda: next(walk)
    import torch
    from torch_twin import Twin

    twin, images = Twin(network(what, "numpy"), side), torch.tensor(images).permute(0, 3, 1, 2).contiguous()
    return lambda: twin.step(images, batch)


def pictures(what):
    return np.random.default_rng(0).uniform(-1, 1, (256, *CASES[what]["shape"])).astype(np.float32)  # (256, H, W, C)


def network(what, backend):
    case = CASES[what]
    make, colors = getattr(ed.nn, case["net"]), case["shape"][2]
    return make(case["channels"], case["depth"], image_channels=colors, rng=np.random.default_rng(1), backend=backend)


def random_net(what, backend):
    """As `network`, with no parameter at zero, so that every layer shows in the answer."""
    net, rng = network(what, backend), np.random.default_rng(2)
    moved = {name: value + 0.05 * rng.standard_normal(value.shape) for name, value in net.parameters.items()}
    return net.with_parameters({name: value.astype(np.float32) for name, value in moved.items()})


def memory_apart(what, side):
    """Peak memory of a few steps beyond that of the libraries, pictures and parameters: bytes, in a fresh process."""
    command = [sys.executable, Path(__file__), "--memory", what, side]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def memory_here(what, side):
    """What `memory_apart` prints. A small batch first: kernels are compiled, libraries have their workspace."""
    case = CASES[what]
    whole, case["batch"] = case["batch"], 1
    stepper(what, side)()
    case["batch"] = whole
    step = stepper(what, side)
    print(extra_memory(lambda: [step() for _ in range(STEPS)]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        memory_here(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
