"""What attention does to the agreement with ELS: one UNet with it and one without, all else alike.

Run `python figures/attention.py`: small colour pictures of CIFAR-10 if `EDUDIFF_DATA` names a folder that holds them,
else drawn faces. As in Kamb & Ganguli 2024 (section 5.5) the windows are calibrated on the network without attention
and used for both. Networks are kept in `runs/figure-attention`.
"""

import json
import sys
from functools import partial
from pathlib import Path

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.compare import calibrate, experiment, folder
from edudiff.progress import bar

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-attention"
ATTENTION = {"without": (), "with": (1, 2)}  # the scales, 0 the finest, at which pixels look at all others
CALIBRATION = 1_000_000  # pictures from this number on are for calibration, never reported


def pictures(count):
    """The name of the data, and `count` colour pictures of 32 pixels: (N, 32, 32, 3)."""
    try:
        return "cifar10", ed.data.load("cifar10", count)
    except FileNotFoundError:
        return "faces", ed.data.shapes.faces(count, 32, np.random.default_rng(0))


def trained(attention, images, steps, path):
    """The network, trained, or read from `path` if it was trained before; its moving average."""
    net = ed.nn.UNet((16, 32, 64), 1, attention=attention, image_channels=3, rng=np.random.default_rng(1))
    if not path.exists():
        walk = ed.nn.train(net, images, ed.schedule.cosine(), np.random.default_rng(2), steps, batch=32, rate=2e-3)
        *_, state = bar(walk, steps, path.stem)
        ed.nn.checkpoint.save(path, state)
    return ed.nn.checkpoint.load(path).average


def main(images=400, steps=2000, seeds=32, sizes=(1, 3, 5, 7, 9, 11, 13, 17), work=WORK, out=RESULTS):
    """Train both, calibrate, draw, and write `attention.json` and `attention.png`. Returns the results."""
    name, training = pictures(images)
    schedule = ed.schedule.cosine()
    times = schedule.times(20)
    folder.open_folder(work)
    nets = {key: trained(scales, training, steps, work / f"{key}.npz") for key, scales in ATTENTION.items()}
    shape = training.shape[1:]
    x = ed.reverse.start(schedule, (3, *shape), ed.forward.streams(0, range(CALIBRATION, CALIBRATION + 3)), training)
    watch = partial(bar, total=20, label="calibrating")
    patch = ed.denoisers.Patch(training, 3)
    table = calibrate(nets["without"], patch, schedule, x, times, sizes, progress=watch)
    formulas = {"els": ed.denoisers.Patch(training, scales=table), "ideal": ed.denoisers.Ideal(training)}
    shared, _, _ = experiment(
        {"network": nets["without"], **formulas}, schedule, times, shape, pictures=seeds, like=training, progress=bar
    )
    other, _, _ = experiment({"network": nets["with"]}, schedule, times, shape, pictures=seeds, like=training)
    drawn = {"without": shared["network"], "with": other["network"], "els": shared["els"], "ideal": shared["ideal"]}
    found = {
        key: ed.compare.agreement({"network": drawn[key], "els": drawn["els"], "ideal": drawn["ideal"]})
        for key in ATTENTION
    }
    results = {"command": "python figures/attention.py", "data": name, "images": images, "train_steps": steps}
    results |= {"seeds": seeds, "scale_table": table.to_dict(), "agreement": found}
    out = folder.open_folder(out)
    folder.write_picture(out / "attention.png", plot.rows(drawn, columns=12, title="UNet without and with attention"))
    folder.write_results(out / "attention.json", results)
    return results


if __name__ == "__main__":
    results = main(*map(int, sys.argv[1:]))
    print(json.dumps({k: {f: v["pearson_r"] for f, v in t.items()} for k, t in results["agreement"].items()}))
