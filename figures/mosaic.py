"""The patch mosaic: from which training picture, and from which place in it, each pixel of a drawn picture came.

Run `python figures/mosaic.py`, or with `--data mnist` for real digits from the folder that `EDUDIFF_DATA` names.
Nothing is trained: pictures are drawn by the ELS formula, with the windows of the row in the table of agreement, and by
the ideal score. The last step is looked into, because its answer is the drawn picture: each pixel is the mean of the
centers of training windows, by their weights. A small window fits many places almost equally well, and which of them
leads is partly chance. So the maps show, for each pixel, one of the windows that weigh at least a tenth of the leading
one, chosen so that the tiles are large: pieces that come from one training picture and are moved alike.
Written to `figures/results`: `mosaic.json` and `mosaic.png`, or `mosaic_mnist`.
"""

import argparse
import heapq
import json
from collections import defaultdict
from itertools import chain, repeat
from pathlib import Path

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.compare import metrics
from edudiff.denoisers import provenance
from edudiff.runs.choices import Choices
from edudiff.runs.run import resolve
from edudiff.support import files
from edudiff.support.components import areas, pieces
from edudiff.support.progress import bar

RESULTS = Path(__file__).parent / "results"
JOBS = {"hands": Choices(seeds=6), "mnist": Choices(data="mnist", images=1000, size=14, seeds=6)}
ROWS = {"hands": "hands_resnet_zero", "mnist": "mnist_resnet_zero"}  # of the table of agreement, whose windows are used
CHOICE = {"leading": 1, "joined": 256}  # windows of each pixel to choose from
ENOUGH = 0.1  # of the leading weight, to be one of them
INK = -0.9  # pixels that are brighter are no background
NAMED = 5  # training pictures with a color of their own: those that gave most pixels
REACH = 6  # pixels: a piece that was moved so far is as dark as one can be


def main(job=JOBS["hands"], table=None, out=RESULTS):
    """Draw, look up, write the picture and its numbers; returns the numbers. `table`: a `WindowSchedule`."""
    run = resolve(job)
    images = run.images
    table = (table or calibrated(run)).odd()
    els = ed.denoisers.Patch(images, window=table)
    covering = ed.denoisers.Patch(images, 2 * max(images.shape[1:3]) - 1, shifts=False)  # the ideal score, as windows
    drawn, sources, laid = {}, {}, {}
    for key, denoise, patch in (("els", els, els), ("ideal", ed.denoisers.Ideal(images), covering)):
        *_, last = bar(ed.reverse.steps(denoise, run.schedule, run.noise, run.times), job.steps, key)
        drawn[key] = last.x_next
        sources[key] = provenance(patch, last.x, last.alpha, last.sigma, max(CHOICE.values()))
        laid[key] = {kind: [tiles(sources[key], b, count) for b in range(job.seeds)] for kind, count in CHOICE.items()}
    flag, name = ("", "mosaic") if job.data == "hands" else (f" --data {job.data}", f"mosaic_{job.data}")
    results = {"command": f"python figures/mosaic.py{flag}", "version": ed.__version__, "data": job.data}
    results |= {"images": len(images), "size": job.size, "seeds": job.seeds, "seed": job.seed, "steps": job.steps}
    results |= {
        "step": last.i,
        "alpha": last.alpha,
        "sigma": last.sigma,
        "window": els.window_at(last.alpha, last.sigma),
    }
    results |= {"window_schedule": table.to_dict(), "choice": CHOICE, "enough": ENOUGH}
    results |= {"mosaics": {key: summary(laid[key]["leading"], sources[key].weight[..., 0]) for key in laid}}
    ink = {key: drawn[key].max(-1) > INK for key in laid}  # (B, H, W)
    results |= {"leading_weight_of_ink": {key: float(np.median(sources[key].weight[ink[key], 0])) for key in laid}}
    results |= {"tiles": {key: {kind: measure(laid[key][kind], drawn[key], images) for kind in CHOICE} for key in laid}}
    folder = files.open_folder(out)
    files.write_results(folder / f"{name}.json", results)
    nearest, _ = metrics.nearest(drawn["els"], images)
    image = figure(drawn["els"], laid["els"]["joined"], sources["els"].weight[..., 0], images[nearest])
    files.write_figure(folder / f"{name}.png", image)
    return results


def calibrated(run):
    """The window sizes of a network that was trained on these pictures, a `WindowSchedule`."""
    rows = json.loads((RESULTS / "agreement.json").read_text())
    [row] = [row for row in rows if row["row"] == ROWS[run.choices.data]]
    alpha, sigma = run.schedule(run.schedule.times(len(row["windows"]))[:-1])  # each (steps,), from noise to picture
    return ed.denoisers.WindowSchedule((sigma / alpha)[::-1], row["windows"][::-1])


def tiles(source, b, count):
    """Picture `b` as tiles, four maps (4, H, W): tile, training picture, how far it was moved down, and right.

    `count`: how many of the leading windows of each pixel there are to choose from, if they weigh enough. The largest
    piece that one training picture, moved by one displacement, can give is laid first, then the largest for the pixels
    that are left, and so on: few tiles, though perhaps not the fewest.
    """
    weight, image = source.weight[b, ..., :count], source.image[b, ..., :count]  # (H, W, K)
    can_give = defaultdict(set)  # {(training picture, down, right): pixels}
    for i, j, k in np.argwhere((weight >= ENOUGH * weight[..., :1]) & (image >= 0)).tolist():
        moved = i - source.row[b, i, j, k], j - source.column[b, i, j, k]
        can_give[tuple(map(int, (image[i, j, k], *moved)))].add((i, j))
    left, maps, number = set().union(*can_give.values()), np.full((4, *weight.shape[:2]), -1), 0
    queue = [(-len(pixels), place) for place, pixels in can_give.items()]  # no piece is larger than this
    heapq.heapify(queue)
    while left:
        _, place = heapq.heappop(queue)
        piece = largest_piece(can_give[place] & left)
        if not queue or len(piece) >= -queue[0][0]:
            rows, columns = np.array(list(piece)).T
            maps[:, rows, columns] = np.array([number, *place])[:, None]
            left, number = left - piece, number + 1
        heapq.heappush(queue, (-len(piece), place))
    return maps


def largest_piece(pixels):
    """The largest of the pieces, joined side by side, that a set of pixels (i, j) falls into."""
    if len(pixels) < 2:
        return set(pixels)
    places = np.array(sorted(pixels))  # (P, 2)
    first = places.min(0)  # (2,)
    mask = np.zeros((1, *(np.ptp(places, axis=0) + 1)), bool)  # (1, h, w), the bounding box
    mask[0][tuple((places - first).T)] = True
    number = pieces(mask)  # (1, h, w)
    largest = number[0] == areas(number)[0].argmax() + 1  # (h, w)
    return set(map(tuple, (np.argwhere(largest) + first).tolist()))


def summary(maps, weight):
    """What the leading windows alone say: medians over the drawn pictures. `weight`: (B, H, W)."""
    found = {
        "training_images": [len(np.unique(image)) for _, image, _, _ in maps],
        "largest_tile": [np.bincount(number.ravel()).max() for number, *_ in maps],
        "moved": [((down != 0) | (right != 0)).mean() for _, _, down, right in maps],
        "leading_weight": np.median(weight, axis=(1, 2)),
    }
    return {key: float(np.median(values)) for key, values in found.items()} | {"pixels": maps[0][0].size}


def measure(maps, drawn, images):
    """Of one mosaic for each drawn picture, the tiles' numbers; and how like the drawn picture they are when laid."""
    sizes = [np.bincount(number.ravel()) for number, *_ in maps]
    of_each = np.concatenate([size[number] for size, (number, *_) in zip(sizes, maps, strict=True)])  # (B * H, W)
    rows, columns = np.indices(drawn.shape[1:3])  # (H, W), (H, W)
    rebuilt = np.stack([images[image, rows - down, columns - right] for _, image, down, right in maps])
    return {
        "training_images": [len(np.unique(image)) for _, image, _, _ in maps],
        "tiles": [len(size) for size in sizes],
        "largest_tile": [int(size.max()) for size in sizes],
        "unmoved": float(np.mean([(down == 0) & (right == 0) for _, _, down, right in maps])),
        "share_of_pixels_in_tiles_of_at_least": {str(n): float((of_each >= n).mean()) for n in (2, 4, 8, 16)},
        "pearson_r_with_drawn": float(np.median(metrics.pearson_r(rebuilt, drawn))),
    }


def figure(drawn, maps, weight, nearest):
    """A Figure with a column for each drawn picture and, at the right, what shades and arrows mean."""
    names = ["drawn\nby ELS", "one of its windows:\nof which picture?", "and moved\nwhich way?"]
    names += ["weight of the\nleading window", "nearest\ntraining picture"]
    whole = plot.empty_figure(1.35 * len(drawn) + 2.4, 7.6)
    axes = whole.subplots(5, len(drawn) + 1)
    for axis, name in zip(axes[:, 0], names, strict=True):
        axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    for b, (number, image, down, right) in enumerate(maps):
        tiled = by_image(image), by_distance(down, right)
        shown = drawn[b], *tiled, 2 * weight[b][..., None] - 1, nearest[b]
        captions = ["", f"{len(np.unique(image))} pictures", f"{((down != 0) | (right != 0)).mean():.0%} moved"]
        captions += [f"median {np.median(weight[b]):.2f}", ""]
        for axis, pixels, caption in zip(axes[:, b], shown, captions, strict=True):
            plot.show(axis, pixels)
            axis.set_xlabel(caption, fontsize=8, labelpad=1)
        for axis in axes[1:3, b]:
            plot.seams(axis, number)
        arrows(axes[2, b], number, down, right)
    legend = {1: f"the {NAMED} pictures that gave\nmost, each in its color;\nwhite: the others;\nlines: seams"}
    legend[2] = f"arrows: which way;\nshades: how far, white\nnot at all, darkest\n{REACH} pixels or more"
    legend[3] = "white: one window\nmakes the pixel;\nblack: many share it"
    for i, axis in enumerate(axes[:, -1]):
        axis.axis("off")
        axis.text(0, 0.5, legend.get(i, ""), va="center", fontsize=8, transform=axis.transAxes)
    whole.suptitle(
        "Each pixel is the mean of many windows; of the heaviest, one for each, laid as a mosaic", fontsize=11
    )
    return whole


def by_image(image):
    """Colors (H, W, 3) in [-1, 1] for training pictures (H, W): the same in each place that one of them gave."""
    from matplotlib.colors import to_rgb

    names, counts = np.unique(image, return_counts=True)
    colors = chain(map(to_rgb, plot.COLORS[:NAMED]), repeat((1.0, 1.0, 1.0)))
    chosen = dict(zip(names[np.argsort(-counts, kind="stable")], colors, strict=False))
    return 2 * np.array([[chosen[name] for name in row] for row in image]) - 1


def by_distance(down, right):
    """Shades (H, W, 1) in [-1, 1]: white is unmoved, the darkest was moved by REACH pixels or more."""
    return 1 - 0.8 * np.minimum(1, np.hypot(down, right) / REACH)[..., None]


def arrows(axis, number, down, right):
    """An arrow in each tile of more than two pixels, whose numbers are (H, W): which way it was moved."""
    for tile, size in enumerate(np.bincount(number.ravel())):
        i, j = np.argwhere(number == tile).T  # (n,) each
        y, x = down[i[0], j[0]], right[i[0], j[0]]
        if size > 2 and (x or y):
            center = np.hypot(i - i.mean(), j - j.mean()).argmin()  # a pixel of the tile, whatever its shape
            length = 1.6 / np.hypot(x, y)
            where = {"xy": (j[center] + length * x / 2, i[center] + length * y / 2)}
            where |= {"xytext": (j[center] - length * x / 2, i[center] - length * y / 2)}
            style = {"arrowstyle": "-|>", "color": "black", "linewidth": 1.2, "mutation_scale": 7}
            axis.annotate("", **where, arrowprops=style | {"shrinkA": 0, "shrinkB": 0})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=JOBS, default="hands", help="which pictures; mnist needs EDUDIFF_DATA")
    print(json.dumps(main(JOBS[parser.parse_args().data])["mosaics"], indent=1))
