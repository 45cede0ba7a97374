"""Who copies and who invents: a dense network's width against the number of its training pictures.

Run `python figures/width.py`; it takes a few minutes. Multilayer perceptrons of three widths learn 10, 100 and 1,000
strokes of 14 pixels, for the same number of steps, and draw from the same noise. A picture is a copy if it is nearer to
the training set than a third of the way that an unseen picture is. The distance to the law is the median distance to
the nearest of `LAW` further pictures, over that of pictures of the law itself. Written to `figures/results`:
`width.json` and `.png`. Networks and pictures are kept in `runs/figure-width`, so that a second run, or one after
Ctrl-C, goes on with them.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import edudiff
from edudiff import data, nn, plot
from edudiff.compare.bootstrap import interval
from edudiff.compare.metrics import nearest
from edudiff.runs import folder as folders
from edudiff.runs.variants import Variants, draw, train
from edudiff.support import files

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-width"
WIDTHS, SIZES = (16, 64, 256), (10, 100, 1000)
CHOICES = Variants(size=14, train_steps=3000, batch=32, drawn=128)
COPY = 1 / 3  # of the distance of an unseen picture from its nearest training picture: nearer is a copy
UNSEEN, LAW = 200, 8000


@dataclass(frozen=True)
class Flat:
    """A denoiser of images (B, H, W, C), made of a network for flat data (B, D)."""

    net: Any

    def __call__(self, x, alpha, sigma):
        return self.net(x.reshape(len(x), -1), alpha, sigma).reshape(x.shape)


def measure(width, images, unseen, law, choices, place):
    """Train an MLP of that width on the images (N, H, W, C), draw and keep: its record and its pictures."""
    place = files.open_folder(place)
    path, wanted = place / folders.RESULTS, asdict(choices) | {"unseen": len(unseen), "law": len(law), "copy": COPY}
    if not folders.holds(path, wanted):

        def make(name, flat):
            rms = float(np.sqrt((flat**2).mean()))
            return nn.MLP(flat.shape[1], width, 2, sigma_data=rms, rng=np.random.default_rng(1))

        net, about = train(choices, f"{width}, {len(images)}", images.reshape(len(images), -1), place, make)
        drawn = draw(Flat(net), choices, images)
        files.write_arrays(place / folders.ARRAYS, {"drawn": drawn})
        files.write_results(path, about | record(drawn, images, unseen, law) | {"job": wanted})
    with np.load(place / folders.ARRAYS) as kept:
        return {k: v for k, v in json.loads(path.read_text()).items() if k != "job"}, kept["drawn"]


def record(drawn, images, unseen, law):
    """The share of copies, and the median distances to the training set and to the law: [value, low, high] each."""
    seen, usual = float(np.median(nearest(unseen, images)[1])), float(np.median(nearest(unseen, law)[1]))
    distance = nearest(drawn, images)[1] / seen  # (B,)
    line = {"copies": interval(np.mean, distance < COPY), "relative_distance": interval(np.median, distance)}
    return line | {"off_the_law": interval(np.median, nearest(drawn, law)[1] / usual)}


def image(table, drawn, examples, columns=6):
    """Drawn pictures for each width and each number of training pictures, and what they are."""
    lines = {"training": examples, **drawn}
    figure = plot.empty_figure(0.62 * columns * len(examples) + 1, 1.05 * len(lines) + 0.5)
    axes = figure.subplots(len(lines), len(examples), squeeze=False)
    for line, (width, batches) in zip(axes, lines.items(), strict=True):
        for axis, (count, batch) in zip(line, batches.items(), strict=True):
            plot.show(axis, plot.strip(batch[:columns]))
            axis.set_frame_on(False)
            if width == "training":
                axis.set_title(f"{count:,} training pictures", fontsize=10)
            else:
                found = table[width][count]
                copies, off = found["copies"][0], found["off_the_law"][0]
                axis.set_xlabel(f"copies {copies:.0%}, distance to the law {off:.2f}", fontsize=9)
        label = width if width == "training" else f"width {width}"
        line[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=10)
    return figure


def main(widths=WIDTHS, sizes=SIZES, choices=CHOICES, work=WORK, out=RESULTS):
    """Measure every width on every number of pictures, write the table and the picture. Returns the results."""
    rng, work = np.random.default_rng(choices.seed), files.open_folder(work)
    images = data.shapes.strokes(max(sizes) + UNSEEN + LAW, choices.size, rng)  # (N, H, W, 1)
    images, unseen, law = np.split(images, [max(sizes), max(sizes) + UNSEEN])
    table, drawn = {width: {} for width in widths}, {width: {} for width in widths}
    for width in widths:
        for count in sizes:
            chosen = replace(choices, images=count)
            found, made = measure(width, images[:count], unseen, law, chosen, work / f"{width}_{count}")
            table[width][count], drawn[width][count] = found, made
            print(
                f"width {width}, {count} pictures: copies {found['copies'][0]:.0%}, law {found['off_the_law'][0]:.2f}"
            )
    results = {"command": "python figures/width.py", "version": edudiff.__version__, "data": "strokes"}
    results |= {k: v for k, v in asdict(choices).items() if k not in ("data", "root", "variants", "images")}
    results |= {"copy": COPY, "unseen": UNSEEN, "law": LAW}
    results["table"] = {str(width): {str(count): v for count, v in line.items()} for width, line in table.items()}
    out = files.open_folder(out)
    files.write_figure(out / "width.png", image(table, drawn, {count: images[:count] for count in sizes}))
    files.write_results(out / "width.json", results)
    return results


if __name__ == "__main__":
    main()
