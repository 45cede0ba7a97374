"""What training does first and last: agreement with ELS comes early, copying late. One run, looked at as it goes on.

Run `python figures/training_time.py`, or with `--data mnist` for digits from the folder that `EDUDIFF_DATA` names.
Three networks: one with a small window on many pictures, as in the demo, the same on a few, and one that sees the whole
picture on the same few. Each is trained in one run, whose learning rate falls along half a cosine from its peak to the
run's end, and the moving average of its weights is kept at each of `STEPS`. From every one of those the ELS windows are
read off anew, and its pictures are compared with those that ELS, linear and ideal draw from the same noise, and with
the training set; of drawn hands it is counted how many have five fingers. Written to `figures/results`:
`training_time.json` and `.png`; what was done is kept in `runs/figure-training_time`, so that a second run, or one
after Ctrl-C, goes on with it.
"""

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

import edudiff
from edudiff import nn, plot
from edudiff.compare import agreement, draw
from edudiff.compare.bootstrap import interval
from edudiff.compare.fingers import count_fingers_all
from edudiff.compare.metrics import nearest
from edudiff.runs import folder as folders
from edudiff.runs import training
from edudiff.runs.choices import DEMO, HANDS, Choices
from edudiff.runs.formulas import formulas, window_schedule
from edudiff.runs.run import read_range, resolve
from edudiff.support import files
from edudiff.support.progress import bar

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-training_time"
STEPS = (50, 100, 200, 400, 800, 1500, 3000, 6000)
FORMULAS = ("els", "linear", "ideal")
COPY = 1 / 3  # of the distance of an unseen picture from its nearest training picture: nearer is a copy
UNSEEN = 200
FINGERS = 5
MANY = Choices(images=256, channels=48, batch=32, seeds=32, calibration=4, denoisers=FORMULAS)
JOBS = {
    "256 training pictures, a small window": MANY,
    "16 training pictures, a small window": replace(MANY, images=16),
    "16 training pictures, the whole picture seen": replace(MANY, images=16, net="unet", channels=16, depth=1),
}
COLORS = {"els": 0, "linear": 2, "ideal": 1}


def measure(run, step):
    """Draw with the network of one step and the formulas, and keep: its record and its pictures."""
    place = run.folder
    path, arrays = place / f"{step}.json", place / f"{step}-images.npz"
    wanted = asdict(run.choices) | {"copy": COPY, "unseen": UNSEEN, "fingers": FINGERS}
    if not folders.holds(path, wanted):
        net = nn.checkpoint.load_net(place / f"{step}.npz")
        table = window_schedule(run, net)
        denoisers = {"network": net, **formulas(run, table)}
        drawn, _ = draw(denoisers, run.schedule, run.noise, run.times, progress=bar)
        files.write_arrays(arrays, drawn)
        line = {"step": step, **record(run, drawn), "window_schedule": table.to_dict()}
        files.write_results(path, line | {"job": wanted})
    with np.load(arrays) as kept:
        return json.loads(path.read_text()), kept["network"]


def record(run, drawn):
    """With intervals: the median r with each formula, newness of the drawn pictures, the share that keeps the rule."""
    count, images = run.choices.images, run.images
    unseen = read_range(run.choices, count, count + UNSEEN)  # (UNSEEN, H, W, C)
    yardstick = float(np.median(nearest(unseen, images)[1]))
    found = agreement(drawn)
    line = {"pearson_r": {name: interval(np.median, np.array(found[name]["per_seed"])) for name in FORMULAS}}
    line["els_beats_ideal"] = found["els"]["beats_ideal"]
    distance = nearest(drawn["network"], images)[1]  # (B,)
    line |= {"distance_to_nearest": interval(np.median, distance), "unseen_distance": yardstick}
    if run.choices.data in HANDS:
        line["keeps"] = interval(np.mean, count_fingers_all(drawn["network"]) == FINGERS)
    return line | {"copies": interval(np.mean, distance < COPY * yardstick)}


def image(runs, images, rows=3):
    """For each run the curves against the training step, and the same noise as drawn at each step."""
    figure = plot.empty_figure(6 * len(runs), 6 + 0.8 * rows)
    for part, (name, lines) in zip(np.atleast_1d(figure.subfigures(1, len(runs))), runs.items(), strict=True):
        part.suptitle(name)
        top, bottom = part.subfigures(2, 1, height_ratios=[6, 0.8 * rows])
        r, new = top.subplots(2, 1, sharex=True)
        steps = [line["step"] for line in lines]
        for formula in FORMULAS:
            plot.curve(r, steps, [line["pearson_r"][formula] for line in lines], COLORS[formula], formula)
        distances = [[v / line["unseen_distance"] for v in line["distance_to_nearest"]] for line in lines]
        plot.curve(new, steps, distances, "k", "distance to the nearest training picture\n(an unseen picture's is 1)")
        plot.curve(new, steps, [line["copies"] for line in lines], 1, "share of copies")
        if "keeps" in lines[0]:
            plot.curve(new, steps, [line["keeps"] for line in lines], 2, "share with five fingers")
        r.set(ylabel="r of the network with", ylim=(-0.05, 1.02))
        new.set(xlabel="training step", ylim=(-0.05, max(2, 1.05 * np.max(distances))))
        new.set_xscale("log")
        new.set_xticks(steps, [str(step) for step in steps])
        new.minorticks_off()
        for axis in (r, new):
            axis.legend(frameon=False, fontsize=8)
        for i, axis in enumerate(bottom.subplots(rows)):
            plot.show(axis, plot.strip([images[name][step][i] for step in steps]))
            axis.set_frame_on(False)
        axis.set_xlabel("columns: the steps above; rows: the same noise", fontsize=8)
    return figure


def main(data=DEMO.data, jobs=None, steps=STEPS, work=WORK, out=RESULTS):
    """Train all, measure every step, write the table and the picture. Returns the results."""
    name, size = ("training_time", DEMO.size) if data == DEMO.data else (f"training_time_{data}", 14)
    told = {"data": data, "size": size, "train_steps": max(steps)}
    jobs = {kind: replace(job, **told) for kind, job in (jobs or JOBS).items()}
    work, runs, images = files.open_folder(work), {}, {}
    for kind, job in jobs.items():
        run = resolve(job, files.open_folder(work / f"{data}_{job.net}_{job.images}"))
        training.train(run, (run.folder / folders.NETWORK).exists(), marks=steps)
        measured = [measure(run, step) for step in steps]
        runs[kind] = [line for line, _ in measured]
        images[kind] = dict(zip(steps, (drawn for _, drawn in measured), strict=True))
    command = "python figures/training_time.py" + ("" if data == DEMO.data else f" --data {data}")
    results = {"command": command, "version": edudiff.__version__, "data": data, "decay": "cosine", "copy": COPY}
    results |= {"unseen": UNSEEN, "jobs": {kind: asdict(job) for kind, job in jobs.items()}, "runs": runs}
    out = files.open_folder(out)
    files.write_figure(out / f"{name}.png", image(runs, images))
    files.write_results(out / f"{name}.json", results)
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=DEMO.data, choices=(DEMO.data, "mnist", "fashion_mnist"))
    main(parser.parse_args().data)
