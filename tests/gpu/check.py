"""The parts of check.sh: each prints what it found, one JSON record a line, and fails if something is wrong."""

import contextlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

DRY = os.environ.get("EDUDIFF_DRY_RUN") == "1"
ROOT = Path(__file__).parents[2]
MNIST, SIDE = 60_000, 28
STEPS = 2 if DRY else 16  # of training, for whose losses the host waits at once
LEVELS = [(0.999, 0.02), (0.8, 0.6), (0.2, 0.98)]
CLOSE = {"float32": 1e-5, "float64": 1e-8}  # the largest difference of a pixel that is still right

if DRY:  # a stand-in that compiles the kernel for this processor, and a card that is none
    import standin_cuda
    import standin_cupy

    cupy = standin_cupy.module()
    cupy.RawModule, cupy.cuda = standin_cuda.RawModule, standin_cuda.Cuda
    sys.modules["cupy"] = cupy
    for name in ("EDUDIFF_DATA",):
        os.environ.pop(name, None)


def main(part, *arguments):
    """Run one part of PARTS, or `gather`."""
    if part == "gather":
        return gather(*arguments)
    wrong = 0
    for record in PARTS[part]():
        wrong += record.get("right") is False
        print(json.dumps({"part": part, **record}), flush=True)
    return min(wrong, 1)


def gather(lines, out, *missing):
    """Put all lines into one file, and say what is missing."""
    records = [json.loads(line) for line in Path(lines).read_text().splitlines() if line.startswith("{")]
    last = {"part": "all", "what": "end", "missing": list(missing), "dry_run": DRY}
    Path(out).write_text("[\n " + ",\n ".join(map(json.dumps, [*records, last])) + "\n]\n")
    print(json.dumps(last))
    return 1 if missing else 0


def card():
    """Which GPU and which libraries."""
    import cupy

    properties = cupy.cuda.runtime.getDeviceProperties(0)
    record = {"what": "card", "name": properties["name"].decode(), "memory_gb": properties["totalGlobalMem"] / 1e9}
    record |= {"multiprocessors": properties["multiProcessorCount"], "cuda": cupy.cuda.runtime.runtimeGetVersion()}
    record["cores"] = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    for package in ("numpy", "numba", "cupy", "torch"):
        there = importlib.util.find_spec(package) if package not in sys.modules else True
        record[package] = getattr(__import__(package), "__version__", "") if there else None
    yield record


def exact():
    """ELS by the kernel against its definition in arrays, on the same card and on this machine's processor."""
    from edudiff.denoisers import Patch, precision
    from edudiff.denoisers.windows import Arrays

    count = 3 if DRY else 20  # small pictures: arrays take a step for each displacement
    for shape in (count, 12, 11, 1), (count, 12, 12, 3):
        images, x = noisy_case(shape)
        for kind in CLOSE:
            for padding, shifts, windows in (("zero", True, [1, 3, 9]), ("circular", True, [7]), ("zero", False, [5])):
                own = images.astype(kind)
                there = Patch(there_of(own), 3, padding=padding, shifts=shifts)
                here = Patch(own, 3, padding=padding, shifts=shifts, backend="numpy")
                arrays = Arrays(there_of(own), there._classes, shifts, padding)
                definition = arrays if kind == "float64" else precision.rechecked(arrays, there_of(own), padding)
                apart = {"definition": 0.0, "host": 0.0, "entropy": 0.0}
                for alpha, sigma in LEVELS:
                    z = (alpha * x[0] + sigma * x[1]).astype(kind)
                    answers = there.sweep(there_of(z), alpha, sigma, windows)
                    for window, part in zip(windows, definition(there_of(z), alpha, sigma, windows), strict=True):
                        mean = part[1] / part[2][..., None]
                        apart["definition"] = max(apart["definition"], far(answers[window], mean))
                    for window, mean in here.sweep(z, alpha, sigma, windows).items():
                        apart["host"] = max(apart["host"], far(answers[window], mean))
                    entropy = far(there.entropy(there_of(z), alpha, sigma), here.entropy(z, alpha, sigma))
                    apart["entropy"] = max(apart["entropy"], entropy)
                right = max(apart["definition"], apart["host"], 0.1 * apart["entropy"]) < CLOSE[kind]
                record = {"what": "els", "dtype": kind, "shape": shape, "padding": padding, "shifts": shifts}
                yield record | {"windows": windows, "apart": apart, "right": right}


def tests():
    """The tests that are marked `gpu`: how many passed."""
    chosen = [] if DRY else ["-m", "gpu"]
    files = ["tests/test_standin_cupy.py"] if DRY else ["tests"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--tb=short", *chosen, *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    print(done.stdout, file=sys.stderr)
    said = done.stdout.strip().splitlines()
    failed = [line.split()[1] for line in said if line.startswith(("FAILED", "ERROR")) and " " in line]
    passed = sum(line.split("[")[0].count(".") for line in said if set(line.split("[")[0].strip()) <= set(".sxXFE"))
    yield {"what": "pytest -m gpu", "passed": passed, "failed": failed, "right": done.returncode == 0 and passed > 0}


def speed():
    """ELS: the kernel, its definition in arrays on the card, the processor, and plain PyTorch on the same card."""
    from edudiff.bench.measure import interleaved
    from edudiff.bench.records import pairs
    from edudiff.denoisers import Patch
    from edudiff.denoisers.windows import Arrays

    alpha, sigma = 0.8, 0.6
    cases = [(12, 3)] if DRY else [(896, 3), (896, 9), (896, 17), (10_000, 3), (10_000, 9), (10_000, 17)]
    for count, window in cases:
        images, data = pictures(count)
        x = (alpha * images[:1] + sigma * np.random.default_rng(1).standard_normal(images[:1].shape)).astype("f4")
        there, z = Patch(there_of(images), window), there_of(x)
        calls = {"cupy": lambda d=there, z=z: d(z, alpha, sigma).get()}
        record = {"what": f"els_{window}", "data": data, "images": count, "window": window}
        if count < 1000:
            here, arrays = Patch(images, window), Arrays(there_of(images), there._classes, True, "zero")
            calls[here.backend] = lambda d=here, x=x: d(x, alpha, sigma)
            record["apart_host"] = far(calls["cupy"](), calls[here.backend]())
            calls["arrays"] = lambda d=arrays, z=z, w=window: d(z, alpha, sigma, [w])[0][1].get()
        if torch_device():
            from torch_patch import fastest

            plain = fastest(images, window, x, alpha, sigma, device=torch_device())
            calls["torch"] = lambda d=plain, x=x: d(x, alpha, sigma)
            record |= {"torch_form": f"{plain.form}, {plain.batch}", "apart": far(calls["cupy"](), calls["torch"]())}
        seconds = interleaved(calls, 1 if DRY else 3)
        record |= {"seconds": seconds, "times_faster": {k: v / seconds["cupy"] for k, v in seconds.items()}}
        yield record | {"pairs_per_second": pairs(images.shape, window) / seconds["cupy"]}


def training():
    """Training steps of three networks on the card: NumPy's answer, and PyTorch's speed.

    The host waits for the losses of STEPS steps at once, on both sides, as it does for those of `nn.train`.
    """
    import training_step

    from edudiff.bench.measure import interleaved
    from edudiff.nn import train
    from edudiff.schedule import cosine

    if DRY:
        for case in training_step.CASES.values():
            case |= {"channels": (4, 4, 4) if case["net"] == "UNet" else 4, "shape": (8, 8, 1), "batch": 2, "depth": 1}
    for what, case in training_step.CASES.items():
        net, level = training_step.random_net(what, "numpy"), np.full(3, 0.7, np.float32)
        x = training_step.pictures(what)
        there = training_step.network(what, "cupy").with_parameters(net.parameters).to(there_of(x))
        apart = far(there(there_of(x[:3]), there_of(level), there_of(level)), net(x[:3], level, level))
        walk = train(there, there_of(x), cosine(), np.random.default_rng(0), 10**6, batch=case["batch"])
        twins = {}
        if torch_device():
            from torch_twin import FORMATS, Twin

            for form in FORMATS:
                twins[f"torch, {form}"] = twin_step(Twin(net, form, torch_device()), x, case["batch"])
        calls = {"cupy": lambda walk=walk: [next(walk) for _ in range(STEPS)][-1].loss, **twins}
        seconds = {side: value / STEPS for side, value in interleaved(calls, 1 if DRY else 5).items()}
        best = min(twins, key=seconds.__getitem__, default=None)
        record = {"what": what, "seconds": seconds, "apart": apart, "right": apart < 1e-3}
        yield record | {"ratio": seconds[best] / seconds["cupy"] if best else None}


def twin_step(twin, images, batch):
    import torch

    images = torch.tensor(images).permute(0, 3, 1, 2).contiguous().to(torch_device())
    return lambda: [twin.step(images, batch) for _ in range(STEPS)][-1].item()


def picture():
    """One picture from all 60,000 images of MNIST, in 20 steps: its seconds, from images on the card on."""
    from cluster import scales

    import edudiff as ed
    from edudiff.support.random import streams

    images, data = pictures(40 if DRY else MNIST)
    there, schedule = there_of(images), ed.schedule.cosine()
    times = schedule.times(3 if DRY else 20)
    table = scales(schedule, times)
    x = ed.reverse.start(schedule, (1, *images.shape[1:]), streams(0, 1), like=there)
    ed.denoisers.Patch(there[:100], window=table)(x, 0.7, 0.7)  # compiled
    begun = time.perf_counter()
    drawn = ed.reverse.sample(ed.denoisers.Patch(there, window=table), schedule, x, times).get()
    took = time.perf_counter() - begun
    right = bool(np.isfinite(drawn).all() and abs(drawn).max() < 1.5)
    yield {"what": "picture", "data": data, "images": len(images), "seconds": took, "right": right}


def demo():
    """`edudiff demo --backend cupy`: seconds, and that the theory predicts the network as it does elsewhere."""
    tiny = "--images 20 --size 14 --channels 4 --depth 1 --train-steps 3 --seeds 2 --steps 3 --calibration 1"
    with tempfile.TemporaryDirectory() as folder:
        took, status = command("demo --backend cupy", tiny if DRY else "", folder)
        results = json.loads((Path(folder) / "results.json").read_text()) if status == 0 else {}
    found = {key: value for key, value in results.items() if isinstance(value, int | float | str | list)}
    yield {"what": "demo", "seconds": took, "right": status == 0, "results": found}


def commands():
    """`--backend cupy` of every command that has it."""
    cupy = "--backend cupy"
    small = f"--images {12 if DRY else 200} --size {14 if DRY else 16} {cupy}"
    network = "--channels 8 --depth 1 --train-steps 5"
    with tempfile.TemporaryDirectory() as folder:
        for name, line in {
            "compare": f"compare {small} {network} --seeds 2 --steps 3 --calibration 1 --denoisers els ideal linear",
            "train": f"train {small} {network}",
            "sample, formula": f"sample {small} --denoiser els --window 3 --seeds 2 --steps 3",
            "sample, network": f"sample --denoiser network --checkpoint {folder}/train {cupy} --seeds 2 --steps 3",
            "explore": f"explore {folder}/compare",
            "bench": "bench --cases patch_9 --images 12 --rounds 1",
        }.items():
            out = f"{folder}/{name.replace(', ', '_')}"
            took, status = command(line, "", None if name in ("explore", "bench") else out)
            yield {"what": name, "seconds": took, "right": status == 0}


PARTS = {part.__name__: part for part in (card, exact, tests, speed, training, picture, demo, commands)}


def command(line, more, out):
    """Run a command of edudiff; returns its seconds and status. What it says goes to standard error, the log."""
    from edudiff.cli import main

    words = [*line.split(), *more.split(), *(["--out", out] if out else [])]
    said, begun = io.StringIO(), time.perf_counter()
    with contextlib.redirect_stdout(said):
        status = main(words)
    took = time.perf_counter() - begun
    print(f"$ edudiff {' '.join(words)}\n{said.getvalue()}", file=sys.stderr)
    return took, status


def there_of(array):
    """A host array on the card."""
    import cupy

    return cupy.asarray(array)


def far(a, b):
    """The largest difference of two arrays, wherever they are."""
    from edudiff.support.arrays import to_numpy

    return float(abs(to_numpy(a).astype(np.float64) - to_numpy(b)).max())


def noisy_case(shape):
    """Some images, and two of them with the noise that will be added."""
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, shape)
    return images, (images[:2], rng.standard_normal((2, *shape[1:])))


def pictures(count):
    """So many pictures of MNIST, or random ones of the same shape, and which."""
    import edudiff as ed

    try:
        return ed.data.load("mnist", count), "mnist"
    except (OSError, ValueError):
        side = 10 if DRY else SIDE
        return np.random.default_rng(0).uniform(-1, 1, (count, side, side, 1)).astype(np.float32), "random"


def torch_device():
    """Where PyTorch computes: "cuda"; None without it, which the record then lacks."""
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu" if DRY else None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
