"""Extra fingers: how many a hand gets, by the size of the window through which it was seen, and who agrees on it.

Run `python figures/fingers.py`. All training hands have five fingers. Networks of growing depth, each of which sees a
larger window, draw the same noise as their own ELS, and the fingers are counted by a rule (edudiff.compare.fingers).
Then ELS draws it again with the windows read off one of the networks made narrower and wider, up to the whole picture.
Written to `figures/results`: `fingers.json` and `fingers.png`. What was done is kept in `runs/figure-fingers`, so that
a second run, or one after Ctrl-C, goes on with it.
"""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

import edudiff
from edudiff import plot
from edudiff.compare import draw
from edudiff.compare.bootstrap import interval
from edudiff.compare.fingers import count_fingers_all
from edudiff.denoisers import Patch, WindowSchedule
from edudiff.runs import comparison
from edudiff.runs import folder as folders
from edudiff.runs.choices import DEMO
from edudiff.runs.run import resolve
from edudiff.support import files
from edudiff.support.progress import bar

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-fingers"
JOB = replace(DEMO, denoisers=("els",))
DEPTHS = (0, 1, 2, 4, 6)
SCALED = 2  # the depth of the network whose window sizes are scaled
FACTORS = (0.5, 0.75, 1, 1.5, 2, 3, None)  # None: the whole picture
SHOWN_DEPTHS, SHOWN_FACTORS = (0, 2, 6), (0.5, 1, 2, 3, None)  # of which hands are shown
FIVE = 5
COLORS = {"network": "k", "els": 0}


def network(job, work):
    """The job's network and its own ELS on the same noise, kept in `work`: the record and the pictures."""
    results, drawn = comparison.kept(job, work / f"depth_{job.depth}")
    images = {name: drawn[name] for name in ("network", "els")}
    counts = {name: count_fingers_all(batch) for name, batch in images.items()}
    found = {"depth": job.depth, "receptive_field": 1 + 2 * (job.depth + 2)}
    found |= {"pearson_r": results["agreement"]["els"]["pearson_r"]}
    found |= {name: results[name] for name in ("window_schedule", "loss", "train_seconds")}
    return found | {name: shares(c) for name, c in counts.items()} | same(**counts), images


def scaled(run, table, factor, work):
    """ELS of the run's noise, each window of `table` times `factor`, kept in `work`: the table and the pictures."""
    whole = 2 * max(run.images.shape[1:3]) - 1  # from here on a window covers the picture from each of its pixels
    sizes = [whole if factor is None else min(whole, max(3.0, float(factor * size))) for size in table.windows]
    used, place = WindowSchedule(table.ratios, sizes).odd(), files.open_folder(work / f"windows_{factor or 'whole'}")
    path, wanted = place / folders.RESULTS, asdict(run.choices) | {"window_schedule": used.to_dict()}
    if not folders.holds(path, wanted):
        els = Patch(run.images, window=used)
        drawn, _ = draw({"els": els}, run.schedule, run.noise, run.times, progress=bar)
        files.write_arrays(place / folders.ARRAYS, drawn)
        files.write_results(path, {"job": wanted})
    with np.load(place / folders.ARRAYS) as drawn:
        return used, drawn["els"]


def shares(counts):
    """The shares of hands with fewer than five fingers, with more, and with a wrong count: [value, low, high] each."""
    parts = {"fewer": counts < FIVE, "more": counts > FIVE, "wrong": counts != FIVE}
    found = {name: interval(np.mean, part) for name, part in parts.items()}
    return found | {"counts": counts.tolist()}


def same(network, els):
    """How often two counts (B,) of the same noise agree, and how often those of different noise do."""
    equal = network == els  # (B,)
    different = (network[:, None] == els).sum() - equal.sum()
    chance = float(different / (len(els) * (len(els) - 1)))
    return {"same_count": interval(np.mean, equal), "same_by_chance": chance}


def image(networks, windows, drawn, columns=14):
    """The curves of wrong counts and of agreement, and rows of hands with their counts. `drawn`: {name: (B, ...)}."""
    figure = plot.empty_figure(13, 4.6 + 1.1 * len(drawn))
    top, bottom = figure.subfigures(2, 1, height_ratios=[4.6, 1.1 * len(drawn)])
    left, right = top.subplots(1, 2, sharey=True)
    fields = [line["receptive_field"] for line in networks]
    for name in ("network", "els"):
        plot.curve(left, fields, [line[name]["wrong"] for line in networks], COLORS[name], f"{name}: not five fingers")
    plot.curve(left, fields, [line["network"]["more"] for line in networks], 1, "network: more than five")
    plot.curve(left, fields, [line["same_count"] for line in networks], 2, "network and els: same count")
    left.plot(
        fields, [line["same_by_chance"] for line in networks], ":", color=plot.COLORS[2], label="the same by chance"
    )
    left.set(title="networks that see more and more (all training hands have five)", ylim=(-0.03, 1.19))
    left.set(ylabel="share of hands", xlabel="receptive field, pixels", xticks=fields)
    at = range(len(windows))
    for kind, color in (("wrong", 0), ("more", 1), ("fewer", 3)):
        label = {"wrong": "els: not five fingers", "more": "more than five", "fewer": "fewer than five"}[kind]
        plot.curve(right, at, [line["els"][kind] for line in windows], color, label)
    plot.curve(right, at, [line["same_count"] for line in windows], 2, "same count as the network")
    right.set(title="ELS with narrower and wider windows", xlabel="largest window, pixels (calibrated times)")
    right.set_xticks(at, [f"{line['largest_window']}\n({line['factor'] or 'whole'})" for line in windows])
    for axis in (left, right):
        axis.legend(edgecolor="none", fontsize=8, ncols=2)
    for axis, (name, batch) in zip(bottom.subplots(len(drawn)), drawn.items(), strict=True):
        batch = batch[:columns]
        plot.show(axis, plot.strip(batch))
        axis.set_ylabel(name, rotation=0, ha="right", va="center")
        middles = (np.arange(len(batch)) + 0.5) * (batch.shape[2] + 1) - 1  # (n,)
        for at, count in zip(middles, count_fingers_all(batch), strict=True):
            look = {"color": "0.4"} if count == FIVE else {"color": "k", "fontweight": "bold"}
            axis.text(at, batch.shape[1], count, ha="center", va="top", **look)
        axis.set_frame_on(False)
    return figure


def main(job=JOB, depths=DEPTHS, factors=FACTORS, work=WORK, out=RESULTS):
    """Draw with every network and every schedule, count, write the table and the picture. Returns the results."""
    work, networks, windows, drawn = files.open_folder(work), [], [], {}
    for depth in depths:
        line, images = network(replace(job, depth=depth), work)
        networks.append(line)
        if depth in SHOWN_DEPTHS:
            drawn |= {f"{name}, field {line['receptive_field']}": batch for name, batch in images.items()}
        print(f"depth {depth}: wrong {line['network']['wrong'][0]:.0%}, els {line['els']['wrong'][0]:.0%}", flush=True)
    chosen, run = networks[depths.index(SCALED)], resolve(job)
    for factor in factors:
        used, batch = scaled(run, WindowSchedule.from_dict(chosen["window_schedule"]), factor, work)
        counts = count_fingers_all(batch)
        line = {"factor": factor, "largest_window": max(used.windows), "window_schedule": used.to_dict()}
        windows.append(line | {"els": shares(counts)} | same(np.array(chosen["network"]["counts"]), counts))
        if factor in SHOWN_FACTORS:
            drawn[f"els, windows x {factor}" if factor else "els, whole picture"] = batch
        print(f"windows times {factor}: wrong {windows[-1]['els']['wrong'][0]:.0%}", flush=True)
    training = shares(count_fingers_all(run.images))
    del training["counts"]
    results = {"command": "python figures/fingers.py", "version": edudiff.__version__, "job": asdict(job)}
    results |= {"training": training, "networks": networks, "scaled_depth": SCALED, "windows": windows}
    out = files.open_folder(out)
    files.write_figure(out / "fingers.png", image(networks, windows, drawn))
    files.write_results(out / "fingers.json", results)
    return results


if __name__ == "__main__":
    main()
