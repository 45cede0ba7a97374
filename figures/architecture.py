"""Architecture decides, in one table: closed forms and networks of other kinds, beside the UNets of another figure.

Run `python figures/architecture.py`, or with the names of rows for these alone. All learn the same 1,000 faces
as the UNets of `figures/faces.py` and draw from the same noise; the rows of `faces.json` stand in the table too. A
network has seen 48,000 pictures at the end of its training, as each UNet has; three are trained three times as long,
and the base variant twice more, from other weights and with its pictures in another order: `beyond` says which UNets
differ from it by more than its trainings do among themselves. The local score and ELS use the windows that were
measured on a UNet (`edudiff.runs.usual_windows`) and draw fewer pictures, for their time; ELS once knows all faces,
once a tenth of them.
Written to `figures/results`: `architecture.json`, `.md` and `.png`, and all UNets in `architecture_unets.png`. Networks
and pictures are kept in `runs/figure-architecture`, so that a second run, or one after Ctrl-C, goes on with them.
"""

import json
import sys
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import edudiff
from edudiff import denoisers, nn, plot
from edudiff.denoisers.linear import principal
from edudiff.runs import folder as folders
from edudiff.runs import variants
from edudiff.runs.usual_windows import usual_windows
from edudiff.runs.variants import RULES, Variants
from edudiff.support import files

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-architecture"
CHOICES = Variants()
COMPONENTS, STOP = 6, 10.0  # of bottleneck and polynomial; standard deviations at which diverging paths are held
LIMIT, NEW = 0.2, 0.9  # of pictures that may break a rule, and of those that have to be new, to be new and right
FEW = 100  # faces of an equivariant local score that is beside the one of all
LONG = 3 * CHOICES.train_steps  # of two UNets
MEASURES = ("ratio", "new", "diversity")


@dataclass(frozen=True)
class Flat:
    """A denoiser of images (B, H, W, C), made of a network for flat data (B, D)."""

    net: Any

    def __call__(self, x, alpha, sigma):
        return self.net(x.reshape(len(x), -1), alpha, sigma).reshape(x.shape)


@dataclass(frozen=True)
class OnComponents:
    """A denoiser of images (B, H, W, C) that answers with what `inner` says of their first principal components."""

    mean: Any  # (H, W, C)
    basis: Any  # (D, k)
    inner: Any

    def __call__(self, x, alpha, sigma):
        flat = (x - alpha * self.mean).reshape(len(x), -1)  # (B, D)
        x0_hat = self.inner(flat @ self.basis, alpha, sigma) @ self.basis.T  # (B, D)
        return (x0_hat.reshape(x.shape) + self.mean).astype(x.dtype)


def polynomial(images, degree=3):
    """The best polynomial in the principal components of the images (N, H, W, C)."""
    mean, variances, basis = principal(images)  # (H, W, C), (K,), (D, K)
    basis = basis[:, np.argsort(variances)[-COMPONENTS:]]  # (D, k)
    points = (images - mean).reshape(len(images), -1) @ basis  # (N, k)
    return OnComponents(mean, basis, denoisers.Polynomial.fit(points, degree, stop=STOP))


def windowed(images, shifts):
    """The local score, or with `shifts` the equivariant local one, with the windows that were measured on a UNet."""
    return denoisers.Between(denoisers.Patch(images, 1, shifts=shifts), usual_windows(images.shape[1:3], "zero"))


FORMULAS = {  # {name: (makes it, how many pictures it draws)}
    "linear": (denoisers.Linear.fit, 256),
    f"bottleneck, {COMPONENTS} components": (lambda images: denoisers.Bottleneck.fit(images, COMPONENTS), 256),
    f"polynomial of degree 3, {COMPONENTS} components": (polynomial, 256),
    "local": (partial(windowed, shifts=False), 64),
    "ELS": (partial(windowed, shifts=True), 8),
    f"ELS of {FEW} faces": (lambda images: windowed(images[:FEW], shifts=True), 8),
}


def mlp(name, images, target="edm"):
    """An untrained dense network on flat images (N, D)."""
    rms = float(np.sqrt((images**2).mean()))
    return nn.MLP(images.shape[1], 128, 2, target=target, sigma_data=rms, rng=np.random.default_rng(1))


def resnet(name, images):
    """An untrained ResNet that sees 11 x 11 pixels of the images (N, H, W, C)."""
    rms = float(np.sqrt((images**2).mean()))
    return nn.ResNet(24, 3, image_channels=images.shape[3], sigma_data=rms, rng=np.random.default_rng(1))


def unet(variant, seed=1):
    """What makes an untrained UNet of that variant."""
    return lambda name, images: variants.new_network(variant, images, seed)


DENSE = {"batch": 32, "train_steps": 1500}
ANSWERS, PLAIN = partial(mlp, target="x0"), {"weighting": "x0"}
NETS = {  # {name: (what makes the network, choices of its training, what else it is told)}
    "MLP": (mlp, DENSE, {}),
    "MLP that answers x0": (ANSWERS, DENSE, PLAIN),
    "MLP that answers x0, 3 times as long": (ANSWERS, DENSE | {"train_steps": 3 * DENSE["train_steps"]}, PLAIN),
    "ResNet": (resnet, {}, {}),
    "UNet, no skips": (unet("no_skips"), {}, {}),
    "UNet, base, 3 times as long": (unet("base"), {"train_steps": LONG}, {}),
    "UNet, attention, 3 times as long": (unet("attention"), {"train_steps": LONG}, {}),
    "UNet, base, second training": (unet("base", 2), {"seed": 1}, {}),
    "UNet, base, third training": (unet("base", 3), {"seed": 2}, {}),
}
AGAIN = tuple(name for name in NETS if name.endswith(" training"))


def kept(path):
    """The pictures of a file, (B, H, W, C)."""
    with np.load(path) as file:
        return file["drawn"]


def draw(denoise, choices, images, place):
    """As `variants.draw`, but two pictures at a time, and kept in `place`: for a formula that takes its time."""
    paths = {first: place / f"pictures-{first}.npz" for first in range(0, choices.drawn, 2)}
    for first, path in paths.items():
        if not path.exists():
            two = replace(choices, drawn=min(first + 2, choices.drawn))
            files.write_arrays(path, {"drawn": variants.draw(denoise, two, images, begin=first)})
    return np.concatenate([kept(path) for path in paths.values()])


def measure(name, choices, images, place):
    """Make or train what has that name, draw, measure and keep: its record and its pictures."""
    place = files.open_folder(place)
    path = place / folders.RESULTS
    drawn_by, about = FORMULAS.get(name, (None, choices.drawn)), {}
    make, some, more = NETS.get(name, (None, {}, {}))
    learning, dense = replace(choices, **some), name.startswith("MLP")
    drawing = replace(choices, drawn=min(choices.drawn, drawn_by[1]))
    wanted = asdict(learning) | {"variants": None, "pictures": drawing.drawn} | more
    if not folders.holds(path, wanted):
        if name in FORMULAS:
            denoise = drawn_by[0](images)
        else:
            learned = images.reshape(len(images), -1) if dense else images
            denoise, about = variants.train(learning, name, learned, place, make, **more)
            denoise = Flat(denoise) if dense else denoise
            about |= {key: getattr(learning, key) for key in ("images", "train_steps", "batch", "rate", "seed")} | more
        slowly = name in FORMULAS and drawing.drawn < choices.drawn
        drawn = draw(denoise, drawing, images, place) if slowly else variants.draw(denoise, drawing, images)
        files.write_arrays(place / folders.ARRAYS, {"drawn": drawn})
        found = about | {"drawn": len(drawn)} | variants.measure(drawn, images, choices)
        files.write_results(path, found | {"job": wanted})
    return {k: v for k, v in json.loads(path.read_text()).items() if k != "job"}, kept(place / folders.ARRAYS)


def spread(lines):
    """Several trainings of one variant as one row: of each number the mean, the least and the greatest.

    `reach`: from the lowest to the highest end of their intervals.
    """

    def over(found):
        values = [one["value"] for one in found]
        reach = [min(one["low"] for one in found), max(one["high"] for one in found)]
        return {"value": float(np.mean(values)), "low": min(values), "high": max(values), "reach": reach}

    found = {name: over([line[name] for line in lines]) for name in MEASURES}
    return found | {"breaks": {rule: over([line["breaks"][rule] for line in lines]) for rule in RULES}}


def beyond(line, several):
    """The rules that a row breaks "more" or "less" than several trainings of one variant, by more than their spread.

    Its share is farther from the nearest of theirs than they lie apart, and its interval meets none of theirs. Of four
    trainings of one variant, one is that far from the other three one time in eight, if their shares are normal.
    """
    found = {}
    for rule, theirs in several["breaks"].items():
        mine, apart = line["breaks"][rule], theirs["high"] - theirs["low"]
        if mine["low"] > theirs["reach"][1] and mine["value"] > theirs["high"] + apart:
            found[rule] = "more"
        elif mine["high"] < theirs["reach"][0] and mine["value"] < theirs["low"] - apart:
            found[rule] = "less"
    return found


def new_and_right(table):
    """The rows that are new, and break each of the four rules in few pictures."""

    def worst(line):
        return max(broken["value"] for rule, broken in line["breaks"].items() if rule != "any")

    return [name for name, line in table.items() if line["new"]["value"] >= NEW and worst(line) <= LIMIT]


def markdown(table, trainings=None, differ=None):
    """The table of all rows, as Markdown: novelty, diversity, and the share of pictures that breaks each rule.

    `trainings`: {name: row} of those that stand for several trainings, with the least and the greatest number.
    `differ`: {name: what `beyond` found} of rows whose shares that lie outside such a spread are bold.
    """
    heads = ("drawn by", "pictures", "novelty", "new", "diversity", *RULES)
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, line in table.items():
        values = [str(line.get("drawn", CHOICES.drawn))]
        values += [f"{line[measured]['value']:.2f}" for measured in MEASURES]
        for rule in RULES:
            mark = "**" if rule in (differ or {}).get(name, {}) else ""
            values.append(f"{mark}{line['breaks'][rule]['value']:.0%}{mark}")
        lines.append(f"| {name} | " + " | ".join(values) + " |")
    for name, line in (trainings or {}).items():
        values = [f"{line[measured]['low']:.2f} to {line[measured]['high']:.2f}" for measured in MEASURES]
        values += [f"{line['breaks'][rule]['low']:.0%} to {line['breaks'][rule]['high']:.0%}" for rule in RULES]
        lines.append(f"| {name} | | " + " | ".join(values) + " |")
    return "\n".join(lines) + "\n"


def image(table, drawn, columns=8):
    """Pictures of each denoiser from the same noise, and beside them the share that breaks each rule."""
    letters, count = {rule: rule[0].upper() for rule in RULES if rule != "any"}, len(drawn)
    figure = plot.empty_figure(0.62 * columns + 7, 0.68 * count + 0.9)
    grid = figure.add_gridspec(count, 2, width_ratios=[0.62 * columns, 4.2])
    for i, (name, batch) in enumerate(drawn.items()):
        axis = figure.add_subplot(grid[i, 0])
        plot.show(axis, plot.strip(batch[:columns]))
        axis.set_frame_on(False)
        new = f"\nnovelty {table[name]['ratio']['value']:.2f}" if name in table else ""
        axis.set_ylabel(f"{name}{new}", rotation=0, ha="right", va="center", fontsize=8)
        if name not in table:
            continue
        bars = figure.add_subplot(grid[i, 1])
        for j, (rule, letter) in enumerate(letters.items()):
            value, low, high = (table[name]["breaks"][rule][end] for end in ("value", "low", "high"))
            bars.barh(j, value, color=str(0.25 + 0.15 * j), height=0.9)
            for color, width in (("white", 3.5), ("black", 1.2)):  # seen on any shade
                bars.plot([low, high], [j, j], color=color, linewidth=width)
            bars.text(-0.02, j, letter, ha="right", va="center", fontsize=6, fontfamily="monospace")
        bars.axvline(LIMIT, color=plot.COLORS[1], linestyle=":", linewidth=1.5)
        bars.set(xlim=(-0.05, 1.02), ylim=(3.6, -0.6), yticks=[], xticks=[0, LIMIT, 0.5, 1])
        bars.set_frame_on(False)
        last = i == count - 1
        bars.set_xticklabels(["0", "20 %", "50 %", "100 %"] if last else [], fontsize=7)
        if last:
            bars.set_xlabel("share of pictures that break a rule:\nEyes, Mouth, Skin, Outline", fontsize=8)
    figure.suptitle("1,000 faces; below the training pictures, each column is the same noise", fontsize=10)
    return figure


def unets(table, name, several, differ):
    """How often each of the UNets of `table` breaks each rule, beside the spread of `several` trainings of one."""
    rules, rows = [rule for rule in RULES if rule != "any"], [name, *table]
    figure = plot.empty_figure(11, 0.3 * len(rows) + 1.4)
    for axis, rule in zip(figure.subplots(1, len(rules), sharey=True), rules, strict=True):
        spread = several["breaks"][rule]
        axis.axvspan(spread["low"], spread["high"], color=plot.COLORS[4], alpha=0.5, linewidth=0)
        axis.plot([spread["low"], spread["high"]], [0, 0], color=plot.COLORS[0], linewidth=5, solid_capstyle="butt")
        for j, other in enumerate(table, 1):
            mine, outside = table[other]["breaks"][rule], rule in differ[other]
            axis.plot([mine["low"], mine["high"]], [j, j], color=plot.COLORS[3], linewidth=1)
            filled = {"markerfacecolor": plot.COLORS[1] if outside else "white"}
            axis.plot(mine["value"], j, "o", color=plot.COLORS[3], markersize=6, **filled)
        axis.axvline(LIMIT, color=plot.COLORS[1], linestyle=":", linewidth=1.5)
        axis.set(title=rule, xlim=(-0.03, 1.03), xticks=[0, 0.5, 1], ylim=(len(rows) - 0.5, -0.5))
        axis.set_xticklabels(["0", "50 %", "100 %"], fontsize=8)
        axis.set_yticks(range(len(rows)), rows, fontsize=9)
    title = "share of faces that break each rule; filled: farther from the band of the base's trainings than it is wide"
    figure.suptitle(title, fontsize=10)
    return figure


def main(names=(*FORMULAS, *NETS), choices=CHOICES, faces=RESULTS / "faces.json", work=WORK, out=RESULTS):
    """Measure all, write the tables and the picture. Returns the results; `faces`: the file of the other UNets."""
    (images, _), table = variants.load_images(choices), {}
    drawn = {"training": images}
    for name in names:
        place = files.open_folder(work) / name.replace(", ", "_").replace(" ", "_")
        table[name], drawn[name] = measure(name, choices, images, place)
        broken = ", ".join(f"{rule} {table[name]['breaks'][rule]['value']:.0%}" for rule in RULES)
        print(f"{name}: novelty {table[name]['ratio']['value']:.2f}; {broken}", flush=True)
    results = {"command": "python figures/architecture.py", "version": edudiff.__version__, **asdict(choices)}
    del results["variants"], results["root"]
    others = json.loads(faces.read_text())["table"]
    whole = {name: others.pop(name) for name in ("unseen", "ideal")} | table
    whole |= {f"UNet, {name.replace('_', ' ')}": line for name, line in others.items()}
    again, base = [table.pop(name) for name in AGAIN if name in table], "UNet, base"
    several = {f"{base}, {len(again) + 1} trainings": spread([whole[base], *again])} if again else {}
    single = {name: line for name, line in whole.items() if name.startswith("UNet") and name not in (base, *AGAIN)}
    differ = {name: beyond(line, *several.values()) for name, line in single.items()} if again else {}
    results |= {"components": COMPONENTS, "limit": LIMIT, "least_new": NEW, "new_and_right": new_and_right(whole)}
    results |= {"table": {name: whole[name] for name in names}, "trainings": several, "beyond_trainings": differ}
    print(f"new and right: {', '.join(results['new_and_right']) or 'none'}")
    out = files.open_folder(out)
    (out / "architecture.md").write_text(markdown(whole, several, differ))
    for name, line in several.items():
        files.write_figure(out / "architecture_unets.png", unets(single, name, line, differ))
    files.write_figure(out / "architecture.png", image(table, {name: drawn[name] for name in ("training", *table)}))
    files.write_results(out / "architecture.json", results)
    return results


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or (*FORMULAS, *NETS))
