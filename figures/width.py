"""Who copies, who invents: dense networks from narrow to wide, each on few faces and on many.

Run `python figures/width.py`; it takes about five minutes on one core. A multilayer perceptron that answers x0 itself
learns 10, 100 or 1,000 faces of 16 pixels (drawn at 32 and averaged), for the same number of steps whatever its width
and however many they are. A drawn face is a copy if it is nearer to the training set than a third of the way that an
unseen face is. How far drawn faces are from the law is their median distance to the nearest of `LAW` further faces,
over that of unseen ones: 1 is as near as they are. Written to `figures/results`: `width.json` and `.png`. Networks and
pictures are kept in `runs/figure-width`, so that a second run, or one after Ctrl-C, goes on with them.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

import edudiff
from edudiff import data, nn, plot
from edudiff.compare.bootstrap import bootstrap
from edudiff.compare.metrics import nearest
from edudiff.runs import folder as folders
from edudiff.runs.variants import Variants, draw, train
from edudiff.support import files

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-width"
WIDTHS, COUNTS = (4, 16, 64, 256), (10, 100, 1000)
CHOICES = Variants(size=16, train_steps=4000, batch=32, drawn=128)
DEPTH, TARGET, WEIGHTING = 2, "x0", "x0"
LAW, UNSEEN = 8000, 200  # faces
COPY = 1 / 3  # of the distance of an unseen face from its nearest training face: nearer is a copy


def faces(count, choices):
    """Training faces, unseen faces, and those of the law: flat images (N, D), each pixel the mean of four."""
    size = choices.size
    drawn = data.shapes.faces(count + UNSEEN + LAW, 2 * size, np.random.default_rng(choices.seed))  # (N, 2H, 2W, C)
    small = drawn.reshape(len(drawn), size, 2, size, 2, -1).mean(axis=(2, 4))  # (N, H, W, C)
    return np.split(small.reshape(len(small), -1), [count, count + UNSEEN])  # (N, D) each


def new_network(width, images):
    """An untrained dense network for flat images (N, D)."""
    rms = float(np.sqrt((images**2).mean()))
    return nn.MLP(images.shape[1], width, DEPTH, target=TARGET, sigma_data=rms, rng=np.random.default_rng(1))


def record(drawn, images, unseen, law):
    """The share of copies, the distance to the training set and that to the law, over those of unseen faces."""
    near, far = (tuple(nearest(x, known)[1] for x in (drawn, unseen)) for known in (images, law))  # ((B,), (N,)) each
    unit, rng = float(np.median(near[1])), np.random.default_rng(0)

    def ratio(own, usual):
        return bootstrap(lambda i, j: float(np.median(own[i]) / np.median(usual[j])), len(own), len(usual), rng=rng)

    found = {"copies": bootstrap(lambda i: float((near[0][i] < COPY * unit).mean()), len(drawn), rng=rng)}
    found |= {"to_the_training_set": ratio(*near), "off_the_law": ratio(*far)}
    return {name: interval._asdict() for name, interval in found.items()}


def measure(width, sets, choices, place):
    """Train, draw, measure and keep: the record of a width on some faces, and its pictures (B, D)."""
    place = files.open_folder(place)
    path, (images, unseen, law) = place / folders.RESULTS, sets
    wanted = asdict(choices) | {"variants": None, "width": width, "depth": DEPTH, "target": TARGET}
    wanted |= {"weighting": WEIGHTING, "law": len(law), "unseen": len(unseen), "copy": COPY}
    if not folders.holds(path, wanted):
        make = lambda name, images: new_network(width, images)  # noqa: E731
        net, about = train(choices, f"width {width}", images, place, make, weighting=WEIGHTING)
        drawn = draw(net, choices, images)
        files.write_arrays(place / folders.ARRAYS, {"drawn": drawn})
        files.write_results(path, about | record(drawn, images, unseen, law) | {"job": wanted})
    with np.load(place / folders.ARRAYS) as kept:
        return {k: v for k, v in json.loads(path.read_text()).items() if k != "job"}, kept["drawn"]


def image(table, drawn, size, columns=8):
    """For each width and number of faces: drawn faces above the nearest of the training set to each."""
    widths, counts = tuple(table), tuple(next(iter(table.values())))
    figure = plot.empty_figure(0.42 * columns * len(counts) + 1.2, 1.25 * len(widths) + 0.8)
    axes = figure.subplots(len(widths), len(counts), squeeze=False)
    for row, width in zip(axes, widths, strict=True):
        for axis, count in zip(row, counts, strict=True):
            line, pairs = table[width][count], [batch[:columns] for batch in drawn[width][count]]  # (columns, D) each
            plot.show(axis, np.concatenate([plot.strip(flat.reshape(-1, size, size, 3)) for flat in pairs]))
            axis.set_frame_on(False)
            copies, off = line["copies"]["value"], line["off_the_law"]["value"]
            axis.set_xlabel(f"{copies:.0%} are copies; distance to the law {off:.2f}", fontsize=9)
            if width == widths[0]:
                axis.set_title(f"{count:,} training faces", fontsize=11)
            if count == counts[0]:
                axis.set_ylabel(f"width\n{width}", rotation=0, ha="right", va="center", fontsize=11)
    figure.suptitle("drawn faces, and under each the nearest face of the training set", fontsize=11)
    return figure


def main(widths=WIDTHS, counts=COUNTS, choices=CHOICES, work=WORK, out=RESULTS):
    """Measure every width on every number of faces, write table and picture. Returns the results."""
    work, table, drawn = files.open_folder(work), {w: {} for w in widths}, {w: {} for w in widths}
    for count in counts:
        sets = faces(count, choices)
        for width in widths:
            place = work / f"width_{width}_faces_{count}"
            line, found = measure(width, sets, replace(choices, images=count), place)
            table[width][count] = line
            drawn[width][count] = found, sets[0][nearest(found, sets[0])[0]]  # (B, D) each
            shares = f"{line['copies']['value']:.0%} copies, distance to the law {line['off_the_law']['value']:.2f}"
            print(f"{count} faces, width {width}: {shares}", flush=True)
    results = {"command": "python figures/width.py", "version": edudiff.__version__, **asdict(choices)}
    del results["data"], results["images"], results["root"], results["variants"]
    results |= {"depth": DEPTH, "target": TARGET, "weighting": WEIGHTING, "law": LAW, "unseen": UNSEEN, "copy": COPY}
    results["table"] = {str(w): {str(count): line for count, line in lines.items()} for w, lines in table.items()}
    out = files.open_folder(out)
    files.write_figure(out / "width.png", image(table, drawn, choices.size))
    files.write_results(out / "width.json", results)
    return results


if __name__ == "__main__":
    main()
