"""How many fingers: the hands of network and formula, as the window grows and as the network's receptive field grows.

Run `python figures/fingers.py`. All training hands have five fingers. First the demo's network is left alone and the
window sizes calibrated for it are scaled, from a half to threefold; then networks of growing receptive field are
trained, each for the same number of steps, each with windows calibrated for itself. Networks are kept in
`runs/figure-fingers`. Written to `figures/results`: `fingers.json` and `fingers.png`.
"""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.compare import folder as folders
from edudiff.compare import main_job
from edudiff.compare.bootstrap import bootstrap
from edudiff.compare.job import Job, load_pictures, noise
from edudiff.data.fingers import count_fingers_all
from edudiff.denoisers import Between, Patch, Scales
from edudiff.progress import bar

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-fingers"
BASE = Job(channels=48, train_steps=2000, calibration=4, denoisers=("els", "ideal"))
FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
DEPTHS = (0, 2, 4, 6)
DEPTH = 2  # of the network whose windows are scaled


def main(job=BASE, factors=FACTORS, depths=DEPTHS, work=WORK, out=RESULTS):
    """Draw all, count, write the picture and its numbers; returns the numbers."""
    runs = {depth: main_job.kept(replace(job, depth=depth), work / f"depth-{depth}") for depth in depths}
    by_field = []
    for depth, (results, drawn) in runs.items():
        line = {"receptive_field": 1 + 2 * (depth + 2), "windows": results["scales"]}
        line |= {"pearson_r": results["agreement"]["els"]["pearson_r"], "network": fingers(drawn["network"])}
        by_field.append(line | {"els": fingers(drawn["els"]), "same": same(drawn["network"], drawn["els"])})
    job = replace(job, depth=DEPTH)
    results, drawn = runs[DEPTH]
    table = Scales.from_dict(results["scale_table"])
    by_window, hands = [], {}
    for factor in factors:
        wider = Scales(table.ratios, [max(1.0, factor * size) for size in table.sizes])
        hands[factor] = scaled(job, wider, f"x {factor:g}")
        chosen, times = job.times()
        line = {"factor": factor, "windows": [wider(*chosen(t)) for t in times[:-1].tolist()]}
        line |= {"els": fingers(hands[factor]), "same": same(drawn["network"], hands[factor])}
        by_window.append(line)
    found = {"command": "python figures/fingers.py", "version": ed.__version__, "images": job.images, "size": job.size}
    found |= {"seeds": job.seeds, "seed": job.seed, "train_steps": job.train_steps, "channels": job.channels}
    found |= {"training": fingers(load_pictures(job)), "ideal": fingers(drawn["ideal"])}
    found |= {"by_window": by_window, "by_field": by_field}
    out = folders.open_folder(out)
    folders.write_results(out / "fingers.json", found)
    rows = {f"windows x {factor:g}": batch for factor, batch in hands.items()}
    for depth, (_, pictures) in runs.items():
        rows |= {f"field {1 + 2 * (depth + 2)}: network": pictures["network"], "its ELS" + " " * depth: pictures["els"]}
    captions = {name: [str(n) for n in count_fingers_all(batch)] for name, batch in rows.items()}
    title = "numbers of fingers; each column is the same noise"
    folders.write_picture(out / "fingers.png", plot.rows(rows, captions, columns=12, title=title))
    folders.write_picture(out / "fingers_curves.png", curves(found))
    return found


def scaled(job, table, label):
    """ELS hands for window sizes that nothing calibrated, (seeds, H, W, 1)."""
    images, (schedule, times) = load_pictures(job), job.times()
    denoise = Between(Patch(images, 1, border=job.padding, backend=job.backend), table)
    drawn, _ = ed.compare.draw({label: denoise}, schedule, noise(job, images, range(job.seeds)), times, progress=bar)
    return drawn[label]


def fingers(hands):
    """The share of hands with five fingers, more and fewer, each with its interval, and all counts."""
    counts = count_fingers_all(hands)  # (B,)
    kinds = {"wrong": counts != 5, "more": counts > 5, "fewer": counts < 5}
    shares = {name: interval(values) for name, values in kinds.items()}
    return shares | {"counts": {str(n): int((counts == n).sum()) for n in np.unique(counts)}}


def same(hands, others):
    """On which share of the seeds both have the same number of fingers, with its interval."""
    return interval(count_fingers_all(hands) == count_fingers_all(others))


def interval(values):
    """A share and its bootstrap interval, as a dict."""
    share = partial(lambda i, values: values[i].mean(), values=values)
    return bootstrap(share, len(values), rng=np.random.default_rng(0), draws=1000)._asdict()


def curves(found):
    """A Figure: shares of wrong counts and of equal counts, over window and over receptive field."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    kinds = (
        ("by_window", "factor", "windows, times those calibrated"),
        ("by_field", "receptive_field", "receptive field"),
    )
    for axis, (table, key, label) in zip(axes, kinds, strict=True):
        lines, at = found[table], [line[key] for line in found[table]]
        shares = {
            "ELS: wrong": [line["els"]["wrong"] for line in lines],
            "same count": [line["same"] for line in lines],
        }
        if table == "by_field":
            shares["network: wrong"] = [line["network"]["wrong"] for line in lines]
        for name, values in shares.items():
            low = [v["value"] - v["low"] for v in values]
            high = [v["high"] - v["value"] for v in values]
            axis.errorbar(at, [v["value"] for v in values], [low, high], marker="o", capsize=2, label=name)
        axis.set(xlabel=label, ylim=(-0.03, 1.03))
        axis.legend(fontsize=8)
    axes[0].set_ylabel("share of the hands")
    return figure


if __name__ == "__main__":
    print(json.dumps({k: v for k, v in main().items() if k.startswith("by_")}, indent=1))
