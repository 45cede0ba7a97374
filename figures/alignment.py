"""Which architecture for which target: four networks, three sets of pictures, twelve inventions.

Run `python figures/alignment.py`; it takes about 20 minutes on one core. Two dense networks, one of which answers x0
itself, a ResNet that sees a small window and a UNet that sees all learn 1,000 faces, the same faces with their pixels
shuffled (all in the same way), and 1,000 strokes, for the same number of steps. Levine & Weiss 2026 say that a network
succeeds where its bias is that of the target. Under each stands how far its pictures are from the law: the median
distance to the nearest of `LAW` further pictures, over that of pictures of the law itself. 1 is as near as they are;
what order the pixels have changes nothing. The results also have the novelty, and the squared error in denoising unseen
pictures, over that of the best linear denoiser, which knows mean and covariance of the law: the geometric mean over
`TIMES`.
Written to `figures/results`: `alignment.json` and `.png`. Networks and pictures are kept in `runs/figure-alignment`, so
that a second run, or one after Ctrl-C, goes on with them.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import edudiff
from edudiff import data, denoisers, nn, plot, schedule
from edudiff.compare.bootstrap import bootstrap
from edudiff.compare.metrics import nearest
from edudiff.compare.novelty import novelty
from edudiff.forward import add_noise
from edudiff.runs import folder as folders
from edudiff.runs.variants import BASE, Variants, draw, train
from edudiff.support import files

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-alignment"
CHOICES = Variants(images=1000, size=24, train_steps=3000, batch=8, drawn=64)
LAW, UNSEEN = 8000, 200  # pictures: the linear denoiser's, and those that the errors are measured on
TIMES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
TARGETS = {
    "faces": (data.shapes.faces, False),
    "faces, pixels shuffled": (data.shapes.faces, True),
    "strokes": (data.shapes.strokes, False),
}
NETS = {
    "MLP": "dense: it knows no neighbors",
    "MLP that answers x0": "dense: it knows no neighbors",
    "ResNet": "sees 11 x 11 pixels, the same everywhere",
    "UNet": "sees all, neighbors first",
}


@dataclass(frozen=True)
class Flat:
    """A denoiser of images (B, H, W, C), made of a network for flat data (B, D)."""

    net: Any

    def __call__(self, x, alpha, sigma):
        return self.net(x.reshape(len(x), -1), alpha, sigma).reshape(x.shape)


def new_network(name, images):
    """An untrained network of that name; `images`: (N, H, W, C), or (N, D) for an MLP."""
    settings = {"sigma_data": float(np.sqrt((images**2).mean())), "rng": np.random.default_rng(1)}
    if name.startswith("MLP"):
        return nn.MLP(images.shape[1], 256, 2, target="x0" if "x0" in name else "edm", **settings)
    settings["image_channels"] = images.shape[3]
    if name == "ResNet":
        return nn.ResNet(24, 3, **settings)
    return nn.UNet(**BASE | {"channels": (16, 32, 64, 64)}, **settings)


def pictures(target, choices):
    """Training set, unseen pictures, those of the law, and the inverse of the shuffle or None: (N, H, W, C) each."""
    (make, shuffled), count, back = TARGETS[target], choices.images + UNSEEN + LAW, None
    images = make(count, choices.size, np.random.default_rng(choices.seed))  # (N, H, W, C)
    if shuffled:
        order = np.random.default_rng((choices.seed, 4)).permutation(choices.size**2)  # (H * W,)
        images, back = place(images, order), np.argsort(order)
    return *np.split(images, [choices.images, choices.images + UNSEEN]), back


def place(images, order):
    """The pixels of (N, H, W, C) in another `order` (H * W,), the same for all pictures and channels."""
    return images.reshape(len(images), -1, images.shape[3])[:, order].reshape(images.shape)  # (N, H, W, C)


def errors(denoise, x0, seed):
    """Mean squared error of each picture at each noise level, from the same noise for every denoiser: (levels, N)."""
    rng, found = np.random.default_rng((seed, 5)), []
    for t in TIMES:
        alpha, sigma = schedule.cosine()(t)
        x = add_noise(x0, alpha, sigma, rng.standard_normal(x0.shape).astype(x0.dtype))  # (N, H, W, C)
        found.append(((denoise(x, alpha, sigma) - x0) ** 2).mean(axis=(1, 2, 3)))  # (N,)
    return np.array(found)  # (levels, N)


def relative(found, baseline):
    """The geometric mean over noise levels of the mean error over the baseline's, (levels, N) both: an `Interval`."""

    def statistic(i):
        return float(np.exp(np.log(found[:, i].mean(1) / baseline[:, i].mean(1)).mean()))

    return bootstrap(statistic, found.shape[1], rng=np.random.default_rng(0))


def off_the_law(drawn, unseen, law):
    """How far from the nearest picture of the `law` the `drawn` are, over how far `unseen` ones are: an `Interval`."""
    distance, usual = (nearest(batch, law)[1] for batch in (drawn, unseen))  # (B,), (N,)

    def statistic(i, j):
        return float(np.median(distance[i]) / np.median(usual[j]))

    return bootstrap(statistic, len(distance), len(usual), rng=np.random.default_rng(0))


def measure(name, target, choices, place_of):
    """Train, draw, measure and keep: the record of a network on a target, and its pictures with the pixels in place."""
    place_of = files.open_folder(place_of)
    path, dense = place_of / folders.RESULTS, name.startswith("MLP")
    more = {"weighting": "x0"} if "x0" in name else {}
    wanted = asdict(choices) | {"law": LAW, "unseen": UNSEEN, "times": TIMES} | more
    if not folders.holds(path, wanted):
        images, unseen, law, back = pictures(target, choices)
        learned = images.reshape(len(images), -1) if dense else images
        net, about = train(choices, name, learned, place_of, new_network, **more)
        denoise = Flat(net) if dense else net
        baseline = errors(denoisers.Linear.fit(law), unseen, choices.seed)
        each = errors(denoise, unseen, choices.seed)
        drawn = draw(denoise, choices, images)
        line = {"error": relative(each, baseline)._asdict(), "errors": (each.mean(1) / baseline.mean(1)).tolist()}
        line |= {k: v._asdict() for k, v in novelty(drawn, images, np.random.default_rng(0)).items()}
        files.write_arrays(place_of / folders.ARRAYS, {"drawn": drawn if back is None else place(drawn, back)})
        files.write_results(path, about | line | {"job": wanted})
    with np.load(place_of / folders.ARRAYS) as kept:
        return {k: v for k, v in json.loads(path.read_text()).items() if k != "job"}, kept["drawn"]


def image(table, drawn, examples, across=5, down=2):
    """Drawn pictures of each network on each target, and how near they are; above them some of the training set."""
    figure = plot.empty_figure(0.9 * across * len(examples) + 2, 1.15 * down * (len(table) + 1))
    lines = {"training": examples, **drawn}
    axes = figure.subplots(len(lines), len(examples), squeeze=False)
    for row, (name, batches) in zip(axes, lines.items(), strict=True):
        for axis, (target, batch) in zip(row, batches.items(), strict=True):
            shown = np.concatenate([plot.strip(batch[i * across : (i + 1) * across]) for i in range(down)])
            plot.show(axis, shown)
            axis.set_frame_on(False)
            if name == "training":
                axis.set_title(target, fontsize=12)
                axis.set_xlabel("what it learns", fontsize=9)
            else:
                value = table[name][target]["off_the_law"]["value"]
                note = "\n(each pixel is shown back in its place)" if "shuffled" in target else ""
                axis.set_xlabel(f"distance to the law {value:.2f} (new pictures: 1){note}", fontsize=9)
            if target == next(iter(batches)):
                label = f"{name}\n{NETS[name]}".replace(", ", ",\n").replace(": ", ":\n") if name in NETS else name
                axis.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=10)
    return figure


def main(nets=tuple(NETS), targets=tuple(TARGETS), choices=CHOICES, work=WORK, out=RESULTS):
    """Measure every network on every target, write the table and the picture. Returns the results."""
    work, table, drawn = files.open_folder(work), {name: {} for name in nets}, {name: {} for name in nets}
    examples = {}
    for target in targets:
        examples[target], unseen, law, back = pictures(target, choices)
        if back is not None:
            unseen, law = place(unseen, back), place(law, back)
        chosen = replace(choices, data="faces")  # of which only the numbers are used
        for name in nets:
            where = files.open_folder(work / target.replace(", ", "_").replace(" ", "_")) / name.replace(" ", "_")
            table[name][target], drawn[name][target] = measure(name, target, chosen, where)
            table[name][target]["off_the_law"] = off_the_law(drawn[name][target], unseen, law)._asdict()
            off, error, new = (table[name][target][key]["value"] for key in ("off_the_law", "error", "ratio"))
            print(f"{target}, {name}: distance {off:.2f}, error {error:.3f}, novelty {new:.2f}", flush=True)
    results = {"command": "python figures/alignment.py", "version": edudiff.__version__, **asdict(choices)}
    del results["data"], results["root"], results["variants"]
    results |= {"law": LAW, "unseen": UNSEEN, "times": TIMES, "table": table}
    out = files.open_folder(out)
    files.write_figure(out / "alignment.png", image(table, drawn, examples))
    files.write_results(out / "alignment.json", results)
    return results


if __name__ == "__main__":
    main()
