"""Two clocks: when drawn pictures begin to keep the rules, and when they begin to be copies, for three training sets.

Run `python figures/clocks.py`, or with `--data hands` for hands instead of faces; `--network attention --images 64` is
another UNet of `edudiff architecture faces`, on 64 pictures only. One UNet is trained on more and more pictures, with a
learning rate that stays as it is, so that what is seen at a step does not depend on when the run was planned to end.
The moving average of its weights is kept at each of `STEPS`, and draws from the same noise each time. A face keeps the
rules if it keeps all four, a hand if it has five fingers. A picture is a copy if it is nearer to the training set than
a third of the way that an unseen picture is. A clock strikes when a half of the pictures do. Between the two strikes is
the window in which training may stop (after Wang, Finn & Liu 2026, arXiv 2605.10019). Written to `figures/results`:
`clocks.json` and `.png`. Networks and pictures are kept in `runs/figure-clocks`, so that a second run, or one after
Ctrl-C, goes on with them.
"""

import argparse
import json
import math
import shlex
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

import edudiff
from edudiff import data, nn, plot, schedule
from edudiff.compare.bootstrap import interval
from edudiff.compare.fingers import count_fingers_all
from edudiff.compare.metrics import nearest
from edudiff.compare.rules import face_rules
from edudiff.reverse import sample, start
from edudiff.runs import folder as folders
from edudiff.runs.choices import Choices
from edudiff.runs.training import keep
from edudiff.runs.variants import VARIANTS, new_network
from edudiff.support import files
from edudiff.support.random import streams

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-clocks"
SIZES = (4, 16, 64)
STEPS = (100, 200, 400, 800, 1600, 3200, 6400)
JOB = {"network": "base", "batch": 8, "rate": 1e-3, "drawn": 64, "reverse_steps": 20, "method": "ddpm", "seed": 0}
COPY = 1 / 3  # of the distance of an unseen picture from its nearest training picture: nearer is a copy
UNSEEN = 200
HALF = 0.5
SIDES = {"faces": 32, "hands": Choices().size}  # pixels
RULES = {
    "faces": lambda images: np.all(list(face_rules(images).values()), axis=0),  # (B,)
    "hands": lambda images: count_fingers_all(images) == 5,  # (B,)
}
KEPT, COPIED = plot.look(0), plot.look(1) | {"linestyle": "--"}


def train(images, place, steps, job):
    """Train on the images (N, H, W, C) or go on, and keep the network of each of `steps` as STEP.npz."""
    path = place / folders.NETWORK
    state = nn.checkpoint.load(path) if path.exists() else None
    net = state.net if state else new_network(job["network"], images)
    settings = {"batch": job["batch"], "rate": job["rate"], "decay": 1.0, "state": state}
    rng = np.random.default_rng((job["seed"], 2))
    states = nn.train(net, images, schedule.cosine(), rng, max(steps), **settings)

    def mark(now):
        if now.step in steps:
            nn.checkpoint.save(place / f"{now.step}.npz", now)

    keep(states, path, max(steps) - (state.step if state else 0), f"{len(images)} pictures", state, mark)


def measure(kind, images, unseen, place, step, job):
    """Draw with the network of one step, and keep: its record and its pictures (B, H, W, C)."""
    path, arrays = place / f"{step}.json", place / f"{step}-images.npz"
    wanted = job | {"images": len(images), "copy": COPY, "unseen": len(unseen)}
    if not folders.holds(path, wanted):
        net, chosen = nn.checkpoint.load(place / f"{step}.npz").ema, schedule.cosine()
        rngs = streams(job["seed"], job["drawn"])
        x = start(chosen, (job["drawn"], *images.shape[1:]), rngs, like=images)  # (B, H, W, C)
        drawn = sample(net, chosen, x, chosen.times(job["reverse_steps"]), job["method"], rng=rngs)  # (B, H, W, C)
        files.write_arrays(arrays, {"drawn": drawn})
        files.write_results(path, {"step": step, **record(kind, drawn, images, unseen), "job": wanted})
    with np.load(arrays) as kept:
        line, drawn = {k: v for k, v in json.loads(path.read_text()).items() if k != "job"}, kept["drawn"]
    if kind == "faces":
        line["breaks"] = {rule: interval(np.mean, ~keeps) for rule, keeps in face_rules(drawn).items()}
    return line, drawn


def record(kind, drawn, images, unseen):
    """The share of drawn pictures that keep the rules, that are copies, and that do the one and are not the other."""
    yardstick = float(np.median(nearest(unseen, images)[1]))
    distance = nearest(drawn, images)[1]  # (B,)
    keeps, copies = RULES[kind](drawn), distance < COPY * yardstick  # (B,), (B,)
    shares = {"keeps": keeps, "copies": copies, "keeps_and_new": keeps & ~copies}
    line = {name: interval(np.mean, share) for name, share in shares.items()}
    return line | {"distance_to_nearest": interval(np.median, distance), "unseen_distance": yardstick}


def strike(steps, shares, level=HALF):
    """The training step at which the shares first reach `level`, between two steps as on a logarithmic axis, or None.

    `steps`: (n,) rising; `shares`: (n,). The first step itself if it is there from the first.
    """
    if shares[0] >= level:
        return float(steps[0])
    for (a, low), (b, high) in pairwise(zip(steps, shares, strict=True)):
        if high >= level:
            part = (level - low) / (high - low)
            return math.exp((1 - part) * math.log(a) + part * math.log(b))
    return None


def clocks(lines):
    """When each clock strikes, in training steps; None for one that does not before the end."""
    steps = [line["step"] for line in lines]
    return {name: strike(steps, [line[name][0] for line in lines]) for name in ("keeps", "copies")}


def image(kind, runs, images, training, rows=3):
    """For each training set both shares against the training step, the window, and the same noise at each step."""
    figure = plot.empty_figure(5 * len(runs), 4.6 + 0.75 * rows)
    rule = "keep all four rules" if kind == "faces" else "have five fingers"
    for part, (count, lines) in zip(np.atleast_1d(figure.subfigures(1, len(runs))), runs.items(), strict=True):
        steps, found = [line["step"] for line in lines], clocks(lines)
        top, bottom = part.subfigures(2, 1, height_ratios=[4.4, 0.75 * rows])
        axis = top.subplots()
        for name, style, label in (("keeps", KEPT, rule), ("copies", COPIED, "are copies")):
            value, low, high = np.array([line[name] for line in lines]).T  # (n,) each
            axis.plot(steps, value, label=label, **style)
            axis.fill_between(steps, low, high, color=style["color"], alpha=0.15, linewidth=0)
        new = [line["keeps_and_new"][0] for line in lines]
        axis.plot(steps, new, color="k", linestyle=":", label=f"{rule}, and are new")
        axis.set_title(f"{count} training pictures\n{described(found, steps[-1])}", fontsize=10)
        if found["keeps"] and (found["copies"] or math.inf) > found["keeps"]:
            axis.axvspan(found["keeps"], found["copies"] or steps[-1], color="0.9", zorder=0)
        axis.axhline(HALF, color="0.6", linewidth=0.8)
        axis.set(xlabel="training step", ylabel="share of drawn pictures that", ylim=(-0.03, 1.03), xscale="log")
        axis.set_xticks(steps, [str(step) for step in steps])
        axis.minorticks_off()
        axis.legend(frameon=False, fontsize=8, loc="upper left")
        for i, axis in enumerate(bottom.subplots(rows)):
            last = training[count][nearest(images[count][steps[-1]][i : i + 1], training[count])[0]]  # (1, H, W, C)
            plot.show(axis, plot.strip([*(images[count][step][i] for step in steps), np.ones_like(last[0]), last[0]]))
            axis.set_frame_on(False)
        axis.set_xlabel("columns: the steps above, and the nearest training picture\nrows: the same noise", fontsize=8)
    return figure


def described(found, last):
    """What the two clocks say, in words; `last`: the last step looked at."""
    when = {k: f"not by {last}" if step is None else f"step {step:.0f}" for k, step in found.items()}
    return f"half keep the rules: {when['keeps']}; half are copies: {when['copies']}"


def main(kind="faces", sizes=SIZES, steps=STEPS, job=None, side=None, work=WORK, out=RESULTS, command=""):
    """Train on each number of pictures, measure every step, write the table and the picture. Returns the results."""
    job = JOB | (job or {})
    other = "" if job["network"] == JOB["network"] else f"{job['network']}_"
    name = "_".join(["clocks", *([other[:-1]] if other else []), *([kind] if kind != "faces" else [])])
    job["size"] = side or SIDES[kind]
    drawing = getattr(data.shapes, kind)(max(sizes) + UNSEEN, job["size"], np.random.default_rng(job["seed"]))
    unseen = drawing[max(sizes) :]  # (UNSEEN, H, W, C)
    runs, images = {}, {}
    for count in sizes:
        place = files.open_folder(files.open_folder(work) / f"{other}{kind}_{count}")
        folders.remember(place / folders.CHOICES, {**job, "images": count})
        train(drawing[:count], place, steps, job)
        measured = [measure(kind, drawing[:count], unseen, place, step, job) for step in steps]
        runs[count] = [line for line, _ in measured]
        images[count] = dict(zip(steps, (drawn for _, drawn in measured), strict=True))
        print(f"{count} training pictures: {described(clocks(runs[count]), max(steps))}", flush=True)
    results = {"command": f"python figures/clocks.py{command}"}
    results |= {"version": edudiff.__version__, "data": kind, **job, "decay": "none", "copy": COPY, "unseen": UNSEEN}
    results |= {"half": HALF, "runs": {str(count): lines for count, lines in runs.items()}}
    results |= {"clocks": {str(count): clocks(lines) for count, lines in runs.items()}}
    out = files.open_folder(out)
    training = {count: drawing[:count] for count in sizes}
    files.write_figure(out / f"{name}.png", image(kind, runs, images, training))
    files.write_results(out / f"{name}.json", results)
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="faces", choices=tuple(RULES), help="what is drawn (default: faces)")
    parser.add_argument("--network", default=JOB["network"], choices=tuple(VARIANTS), help="which UNet (default: base)")
    parser.add_argument("--images", type=int, nargs="+", default=SIZES, help="training pictures (default: 4 16 64)")
    parser.add_argument("--last", type=int, default=max(STEPS), choices=STEPS, help="last step (default: 6400)")
    args = parser.parse_args()
    chosen = tuple(step for step in STEPS if step <= args.last)
    said = shlex.join(["", *sys.argv[1:]])[2:]  # without the empty first word
    main(args.data, tuple(args.images), chosen, {"network": args.network}, command=said)
