"""The table of the paper: how well each formula predicts the trained network, by data, architecture and padding.

Run `python figures/table_agreement.py`, or with the names of rows; the real pictures are read from the folder that
`EDUDIFF_DATA` names. Each row trains a network (or goes on with the one in `runs/figure-agreement`), reads the window
sizes off it on noise that is not reported, and draws the reported noise through network and formulas, which share the
training set and the time grid. Written to `figures/results`: `agreement.json`, `agreement.md`, and a picture for each
row. Rows that were measured before are kept; a star marks a masked r with another floor than the published one.

Beside the windows read off the network stand those that are told from the training set before it is trained
(`edudiff.compare.predict`): "predicted" by entropy, and "held out" by error, each image left out in its turn.
`agreement_windows.png` shows the three, and `agreement_windows.md` r with each, for the rows that were measured since
there are these rules. With `--weights` the networks of the finished rows are put into the package, where `edudiff
compare --pretrained ROW` finds them.

The rows that end in 28 or 32 have the size of the paper's pictures. Of their training some steps are kept, and the
network of each draws too: `agreement_curve.png` shows whether r has stopped rising.
"""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from edudiff import nn, plot
from edudiff.compare import draw, metrics
from edudiff.compare.bootstrap import interval
from edudiff.denoisers import WindowSchedule
from edudiff.runs import comparison, training
from edudiff.runs import folder as folders
from edudiff.runs import rows as pretrained
from edudiff.runs.choices import DEMO, Choices
from edudiff.runs.formulas import for_seeds
from edudiff.runs.run import resolve
from edudiff.support import files

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-agreement"

TOLD = ("predicted", "held_out")  # ELS with windows that are neither trained nor calibrated
OTHERS = ("local", "linear", "masked", "ideal")
COMPARED = ("els", *TOLD, *OTHERS)
SHOWN = ("network", *COMPARED)

SMALL = Choices(denoisers=COMPARED, images=1000, size=14, depth=1, channels=48, train_steps=4000, calibration=10)
COLOR = replace(SMALL, data="cifar10", size=16, by_class=True)
UNET: dict[str, Any] = {"net": "unet", "channels": 24, "images": 2000}
ROWS = {
    "mnist_resnet_zero": replace(SMALL, data="mnist"),
    "mnist_resnet_circular": replace(SMALL, data="mnist", padding="circular"),
    "mnist_unet_zero": replace(SMALL, data="mnist", **UNET),
    "fashion_resnet_zero": replace(SMALL, data="fashion_mnist", by_class=True),
    "fashion_unet_zero": replace(SMALL, data="fashion_mnist", by_class=True, **UNET),
    "cifar_resnet_zero": COLOR,
    "cifar_resnet_circular": replace(COLOR, padding="circular"),
    "cifar_unet_zero": replace(COLOR, **UNET),
    "cifar_unet_attention": replace(COLOR, **UNET, attention=(1, 2)),
    "hands_resnet_zero": Choices(denoisers=COMPARED),
    "raised_hands_resnet_zero": replace(DEMO, denoisers=COMPARED),
}
FULL = {"mnist": 28, "fashion_mnist": 28, "cifar10": 32}
ROWS |= {
    f"{name}_{FULL[job.data]}": replace(job, size=FULL[job.data], batch=32, train_steps=6000)
    for name, job in ROWS.items()
    if job.data in FULL
}
ROWS |= {  # networks that see 17 pixels, about half of the picture, as the paper's
    "fashion_resnet_wide_28": replace(ROWS["fashion_resnet_zero_28"], depth=6),
    "cifar_resnet_wide_32": replace(ROWS["cifar_resnet_zero_32"], depth=6),
}
LARGEST = 1 << 20  # bytes of the weights of a row that come with the package
MARKS = (250, 500, 1000, 2000, 3000, 4000, 5000, 6000)  # steps of the training of a row at full size
# Published medians of r for the same kind of network, at 32 pixels (Kamb & Ganguli 2024; their networks drew in 150
# steps, their formula in 20).
PUBLISHED = {
    "mnist_resnet_zero": 0.94,
    "mnist_resnet_circular": 0.77,
    "mnist_unet_zero": 0.89,
    "fashion_resnet_zero": 0.94,
    "fashion_resnet_wide": 0.94,
    "fashion_unet_zero": 0.93,
    "cifar_resnet_zero": 0.95,
    "cifar_resnet_wide": 0.95,
    "cifar_resnet_circular": 0.94,
    "cifar_unet_zero": 0.90,
    "cifar_unet_attention": 0.77,
}
# With attention a network sees all at once: it is compared with the windows of the same network without.
WINDOWS_OF = {"cifar_unet_attention": "cifar_unet_zero", "cifar_unet_attention_32": "cifar_unet_zero_32"}
UNTRAINED = "ELS neither trained nor calibrated"


def record(name, results):
    """One line of the table, with a bootstrap interval of the median r."""
    els = results["agreement"]["els"]
    line = {"row": name, **{key: results[key] for key in ("data", "net", "padding", "images", "size", "seeds")}}
    line |= {"attention": bool(results["attention"]), "by_class": results["by_class"]}
    line |= {"network": {key: results[key] for key in ("channels", "depth", "train_steps", "batch", "seed")}}
    line |= {key: els[key] for key in ("pearson_r", "r_squared", "r2_score", "beats_ideal")}
    line |= {"interval": interval(np.median, np.array(els["per_seed"]))[1:]}
    line |= {"published_r": PUBLISHED.get(name.removesuffix(f"_{results['size']}")), "windows": results["windows"]}
    line |= {"others_r": {k: v["pearson_r"] for k, v in results["agreement"].items() if k != "els"}}
    line |= {key: results[key] for key in ("train_seconds", "calibrate_seconds", "draw_seconds")}
    if "prediction" in results:
        line |= {"told": results["prediction"], "ratios": results["window_schedule"]["ratios"][::-1]}
    if "curve" in results:
        line |= {"curve": results["curve"]}
    return line | {"command": f"python figures/table_agreement.py {name}"}


def measure(job, place, table):
    """`comparison.kept`; of a row at full size with "curve": r of ELS and the networks of some training steps."""
    if job.size != FULL.get(job.data):
        return comparison.kept(job, place, table)
    run = resolve(job, files.open_folder(place))
    training.train(run, (place / folders.NETWORK).exists(), MARKS)
    results, drawn = comparison.kept(job, place, table)
    if "curve" not in results:
        nets = {step: nn.checkpoint.load_net(place / f"{step}.npz") for step in MARKS if step <= job.train_steps}
        denoisers = {step: for_seeds(run, net) for step, net in nets.items()}
        images, _ = draw(denoisers, run.schedule, run.noise, run.times)
        r = {step: metrics.pearson_r(batch, drawn["els"]) for step, batch in images.items()}  # each (B,)
        results["curve"] = [{"step": step, "pearson_r": interval(np.median, values)} for step, values in r.items()]
        files.write_results(place / folders.RESULTS, results)
    return results, drawn


def curves(lines):
    """A Figure: r of network and ELS as training goes on, of the rows at full size."""
    figure = plot.empty_figure(12, 5)
    axis = figure.subplots()
    for i, line in enumerate(lines):
        steps, r = zip(*((point["step"], point["pearson_r"]) for point in line["curve"]), strict=True)
        plot.curve(axis, steps, r, i, line["row"].replace("_", " "))
    axis.set(xscale="log", xlabel="training step", ylabel="r of the network with the ELS of the last step")
    axis.set_xticks(MARKS, [f"{step:,}" for step in MARKS])
    axis.minorticks_off()
    figure.legend(loc="outside right center", frameon=False)
    return figure


def window_curves(lines):
    """A Figure: for each row the windows read off the network, and those told before, over the noise level."""
    across = min(len(lines), 4)
    down = -(-len(lines) // across)
    figure = plot.empty_figure(3.2 * across, 2.6 * down)
    axes = figure.subplots(down, across, sharex=True, squeeze=False).ravel()
    for axis, line in zip(axes, lines, strict=False):
        axis.plot(line["ratios"], line["windows"][-len(line["ratios"]) :], "k-", label="read off the network")
        for (name, windows), style in zip(
            line["told"]["windows"].items(),
            ({"ls": "--", "color": plot.COLORS[0]}, {"ls": ":", "color": plot.COLORS[1]}),
            strict=False,
        ):
            axis.plot(line["ratios"], windows[-len(line["ratios"]) :], label=name.replace("_", " "), **style)
        axis.set(xscale="log", title=line["row"].replace("_", " "))
    for axis in axes[len(lines) :]:
        axis.set_visible(False)
    for axis in axes[max(len(lines) - across, 0) : len(lines)]:  # the lowest of each column, if the last row is short
        axis.tick_params(labelbottom=True)
    figure.supxlabel("noise level sigma / alpha")
    figure.supylabel("side of the window in pixels")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False)
    return figure


def told_markdown(lines):
    """r of ELS with windows read off the network, and told beforehand by each rule: a table in Markdown."""
    names = (
        "row",
        "pixels",
        "images",
        "windows read off the network",
        *(name.replace("_", " ") for name in TOLD),
        "published r",
    )
    text = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    for line in lines:
        r = [line["pearson_r"], *(line["others_r"][name] for name in TOLD)]
        cells = [
            line["row"].replace("_", " "),
            str(line["size"]),
            f"{line['images']:,}",
            *(f"{value:.3f}" for value in r),
        ]
        cells.append("" if line["published_r"] is None else f"{line['published_r']:.2f}")
        text.append("| " + " | ".join(cells) + " |")
    return "\n".join(text) + "\n"


def markdown(lines):
    """The records as a table in Markdown."""
    names = ("row", "pixels", "images", "ELS: r (95 %)", "r²", "R²", "published r", UNTRAINED, *OTHERS, "ELS > ideal")
    text = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    for line in lines:
        low, high = line["interval"]
        published = "" if line["published_r"] is None else f"{line['published_r']:.2f}"
        cells = [line["row"].replace("_", " "), str(line["size"]), f"{line['images']:,}"]
        cells += [
            f"{line['pearson_r']:.3f} ({low:.3f} to {high:.3f})",
            f"{line['r_squared']:.3f}",
            f"{line['r2_score']:.3f}",
        ]
        texts = {name: f"{line['others_r'][name]:.3f}" for name in OTHERS}
        texts["masked"] += "*" * ("masked_floor" in line)
        untrained = f"{line['others_r']['predicted']:.3f}" if "told" in line else ""
        cells += [published, untrained, *texts.values(), f"{line['beats_ideal']:.0%}"]
        text.append("| " + " | ".join(cells) + " |")
    return "\n".join(text) + "\n"


def main(rows=tuple(ROWS), work=WORK, out=RESULTS):
    """Measure `rows`, and write the table of these and of all that were measured before. Returns its records."""
    out, measured = files.open_folder(out), {}
    for name in rows:
        table = None
        if name in WINDOWS_OF:
            other = WINDOWS_OF[name]
            reference, _ = measure(ROWS[other], work / other, None)
            measured[other], table = record(other, reference), WindowSchedule.from_dict(reference["window_schedule"])
        results, drawn = measure(ROWS[name], work / name, table)
        line = measured[name] = record(name, results)
        print(f"{name}: r {line['pearson_r']:.3f}, closer than ideal {line['beats_ideal']:.0%}", flush=True)
        title = f"{name.replace('_', ' ')}: each column is the same noise"
        shown = {key: drawn[key] for key in SHOWN}
        files.write_figure(out / f"agreement_{name}.png", plot.rows(shown, columns=10, title=title))
    lines = known(out) | measured
    lines = [lines[name] for name in ROWS if name in lines]
    files.write_results(out / "agreement.json", lines)
    with files.atomic(out / "agreement.md") as file:
        file.write(markdown(lines).encode())
    if large := [line for line in lines if "curve" in line]:
        files.write_figure(out / "agreement_curve.png", curves(large))
    if told := [line for line in lines if "told" in line]:
        files.write_figure(out / "agreement_windows.png", window_curves(told))
        with files.atomic(out / "agreement_windows.md") as file:
            file.write(told_markdown(told).encode())
    return lines


def known(out):
    """The records that were measured before, by row."""
    path = out / "agreement.json"
    return {line["row"]: line for line in json.loads(path.read_text())} if path.exists() else {}


def finished(name, work):
    """The results that the folder of a row holds, or None if it holds none of the row as it is now."""
    path = work / name / folders.RESULTS
    return json.loads(path.read_text()) if folders.holds(path, asdict(ROWS[name])) else None


def keep_weights(rows=tuple(ROWS), work=WORK, to=None):
    """Put the networks of the finished `rows` into the package, or the folder `to`: those that take less than 1 MB."""
    for name in rows:
        if finished(name, work):
            path = pretrained.keep(name, work / name, f"python figures/table_agreement.py {name}", to, LARGEST)
            print(f"{name}: {'too large' if path is None else path}", flush=True)


if __name__ == "__main__":
    named = [word for word in sys.argv[1:] if word != "--weights"]
    (keep_weights if "--weights" in sys.argv else main)(named or tuple(ROWS))
