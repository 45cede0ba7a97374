"""When a network copies and when it invents: the same two networks on 1, 2, 10, 100 and 1,000 training pictures.

Run `python figures/data_size.py`, or with `--data mnist` for digits from the folder that `EDUDIFF_DATA` names. One of
the networks sees a small window, the other the whole picture. Each of the ten is trained for the same number of steps
and draws the same noise, beside its own ELS and the ideal score. Written to `figures/results`: `data_size.json` and
`.png`. What was done is kept in `runs/figure-data_size`, so that a second run, or one after Ctrl-C, goes on with it.

The measure of newness is an unseen picture of the same kind: how far it is, in the median, from its nearest training
picture. A drawn picture that is nearer than a third of that is called a copy. (The usual rule compares with the
distance to the second nearest training picture, which a set of one does not have.)
"""

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

import edudiff
from edudiff import plot
from edudiff.compare import agreement, draw
from edudiff.compare.bootstrap import interval
from edudiff.compare.metrics import nearest
from edudiff.runs import folder as folders
from edudiff.runs import training
from edudiff.runs.choices import DEMO, Choices
from edudiff.runs.formulas import formulas, window_schedule
from edudiff.runs.run import read_range, resolve
from edudiff.support import files
from edudiff.support.progress import bar

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-data_size"
SIZES = (1, 2, 10, 100, 1000)
COPY = 1 / 3  # of an unseen picture's distance
UNSEEN = 200  # unseen pictures, those after the first 1,000
SMALL = Choices(channels=32, batch=32, train_steps=2500, seeds=128, calibration=4, denoisers=("els", "ideal"))
NETS = {
    "a network that sees a small window": SMALL,
    "a network that sees the whole picture": replace(SMALL, net="unet", channels=16, depth=1, calibration=3),
}
COLORS = {"els": 0, "ideal": 1, "network": "k"}


def measure(job, place, matched):
    """Train the job's network or go on with it, draw, and keep: its record and its pictures. `matched`: ELS's seeds."""
    place, wanted = files.open_folder(place), asdict(job) | {"matched": matched}
    wanted |= {"copy": COPY, "unseen": UNSEEN}
    path = place / folders.RESULTS
    if not folders.holds(path, wanted):
        run = resolve(job, place)
        net = training.train(run, resume=(place / folders.NETWORK).exists()).ema
        table = window_schedule(run, net)
        drawn, _ = draw({"network": net}, run.schedule, run.noise, run.times, progress=bar)
        predicted, _ = draw(formulas(run, table), run.schedule, run.noise[:matched], run.times, progress=bar)
        drawn |= predicted
        drawn["nearest"] = run.images[nearest(drawn["network"], run.images)[0]]
        files.write_arrays(place / folders.ARRAYS, drawn)
        found = record(run, drawn, matched) | {"receptive_field": net.receptive_field}
        files.write_results(path, found | {"window_schedule": table.to_dict(), "job": wanted})
    with np.load(place / folders.ARRAYS) as kept:
        return json.loads(path.read_text()), dict(kept)


def record(run, drawn, matched):
    """The numbers of one network: agreement with the formulas, newness of its pictures and theirs."""
    first, images = max(SIZES), run.images
    unseen = read_range(run.choices, first, first + UNSEEN)  # (UNSEEN, H, W, C)
    yardstick = float(np.median(nearest(unseen, images)[1]))
    same = agreement({"network": drawn["network"][:matched], "els": drawn["els"], "ideal": drawn["ideal"]})
    line = {"images": len(images), "steps": run.choices.train_steps, "unseen_distance": yardstick}
    line["pearson_r"] = {name: interval(np.median, np.array(found["per_seed"])) for name, found in same.items()}
    line["els_beats_ideal"] = same["els"]["beats_ideal"]
    sources = {"network": drawn["network"], "els": drawn["els"], "ideal": drawn["ideal"], "unseen": unseen}
    distances = {name: nearest(batch, images)[1] / yardstick for name, batch in sources.items()}
    line["relative_distance"] = {name: interval(np.median, found) for name, found in distances.items()}
    line["copies"] = {name: interval(np.mean, found < COPY) for name, found in distances.items()}
    return line


def image(lines, images, columns=6):
    """Drawn pictures with the nearest training picture below, two rows for each size, and the curves."""
    names, sizes = list(images), [line["images"] for line in lines if line["net"] == lines[0]["net"]]
    figure = plot.empty_figure(6 * len(names), 1.55 * len(sizes) + 7)
    top, bottom = figure.subfigures(2, 1, height_ratios=[1.55 * len(sizes), 7])
    for part, name in zip(np.atleast_1d(top.subfigures(1, len(names))), names, strict=True):
        part.suptitle(name)
        shown = [images[name][size][row][:columns] for size in sizes for row in ("network", "nearest")]
        labels = [label for size in sizes for label in (f"{size:,}: drawn", "nearest")]
        for axis, label, batch in zip(part.subplots(len(shown)), labels, shown, strict=True):
            axis.set_ylabel(label, rotation=0, ha="right", va="center")
            plot.show(axis, plot.strip(batch))
            axis.set_frame_on(False)
    axes = bottom.subplots(3, len(names), squeeze=False, sharex=True, sharey="row")
    for (r, share, new), name in zip(axes.T, names, strict=True):
        mine = [line for line in lines if line["net"] == name]
        for source in ("els", "ideal"):
            plot.curve(r, sizes, [line["pearson_r"][source] for line in mine], COLORS[source], f"network and {source}")
        for source in ("network", "els"):
            plot.curve(share, sizes, [line["copies"][source] for line in mine], COLORS[source], source)
            plot.curve(new, sizes, [line["relative_distance"][source] for line in mine], COLORS[source], source)
        new.axhline(1, color="0.6", linestyle=":", label="an unseen picture")
        new.axhline(COPY, color="0.6", linestyle="--", label="below: a copy")
        r.set(title=name, ylabel="Pearson r")
        share.set(ylabel="share of copies", ylim=(-0.05, 1.05))
        new.set(xlabel="training pictures", ylabel="distance to nearest\n(of an unseen picture: 1)")
        new.set_xscale("log")
        new.set_xticks(sizes, [f"{size:,}" for size in sizes])
        for axis in (r, share, new):
            axis.legend(fontsize=8, edgecolor="none")
    return figure


def main(data=DEMO.data, sizes=SIZES, nets=None, matched=32, work=WORK, out=RESULTS):
    """Measure every network on every size, write the table and the picture. Returns the results."""
    name, size = ("data_size", DEMO.size) if data == DEMO.data else (f"data_size_{data}", 14)
    nets = {net: replace(job, data=data, size=size) for net, job in (nets or NETS).items()}
    lines, images = [], {net: {} for net in nets}
    for net, job in nets.items():
        for count in sizes:
            place = files.open_folder(work) / data / f"{job.net}_{count}"
            line, images[net][count] = measure(replace(job, images=count), place, matched)
            lines.append({"net": net} | line)
            print(f"{net}, {count}: copies {line['copies']['network'][0]:.0%}", flush=True)
    command = "python figures/data_size.py" + ("" if data == DEMO.data else f" --data {data}")
    results = {"command": command, "version": edudiff.__version__, "data": data, "copy": COPY, "matched_seeds": matched}
    results |= {
        "unseen": UNSEEN,
        "jobs": {net: asdict(job) | {"images": sizes} for net, job in nets.items()},
        "records": lines,
    }
    out = files.open_folder(out)
    files.write_figure(out / f"{name}.png", image(lines, images))
    files.write_results(out / f"{name}.json", results)
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=DEMO.data, choices=(DEMO.data, "mnist", "fashion_mnist"))
    main(parser.parse_args().data)
