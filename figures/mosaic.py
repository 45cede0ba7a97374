"""The patch mosaic: from which training picture, and from which place in it, each pixel of a drawn picture came.

Run `python figures/mosaic.py`, or with `mnist` for real digits, which are read from the folder that `EDUDIFF_DATA`
names. Nothing is trained: pictures are drawn by the ELS formula with the window sizes of the demo, and by the ideal
score. Of the finished picture, for each pixel, the training window is looked up that weighs most in the answer of the
same formula at little noise, with a window of 7 pixels, in the middle of those that drew it. Written to
`figures/results`: `mosaic.json` and `mosaic.png`.
"""

import colorsys
import json
import sys
from pathlib import Path

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.compare import folder as folders
from edudiff.compare import metrics, provenance
from edudiff.compare.job import Job, load_pictures, noise
from edudiff.data.rules import pieces
from edudiff.progress import bar

RESULTS = Path(__file__).parent / "results"
JOBS = {"hands": Job(seeds=6), "mnist": Job(data="mnist", images=1000, size=14, seeds=6)}
WINDOW, LEVEL = 7, (1.0, 0.05)  # alpha and sigma
GOLDEN = 0.618034  # of a turn of the colour wheel: numbers that follow each other get colours far apart


def main(job=JOBS["hands"], table=None, out=RESULTS, name="mosaic"):
    """Draw, look up, write the picture and its numbers; returns the numbers. `table`: window sizes, a `Scales`."""
    images = load_pictures(job)
    schedule, times = job.times()
    table = (table or demo_table()).odd()
    whole = 2 * job.size - 1  # a window that covers the picture wherever it stands: the ideal score
    formulas = {"els": (ed.denoisers.Patch(images, scales=table), WINDOW), "ideal": (ed.denoisers.Ideal(images), whole)}
    x, measured, drawn = noise(job, images, range(job.seeds)), {}, {}
    for key, (denoise, window) in formulas.items():
        *_, last = bar(ed.reverse.steps(denoise, schedule, x, times), job.steps, key)
        source = provenance(ed.denoisers.Patch(images, window, shifts=key == "els"), last.x_next, *LEVEL)
        measured[key], drawn[key] = numbers(source), (last.x_next, source)
    picture, source = drawn["els"]
    nearest, _ = metrics.nearest(picture, images)
    moves = [
        source.row[..., 0] - np.arange(images.shape[1])[:, None],
        source.column[..., 0] - np.arange(images.shape[2]),
    ]
    shown = {
        "drawn by ELS": picture,
        "colour: which picture": paint((source.picture[..., 0] * GOLDEN) % 1.0, source.weight[..., 0]),
        "colour: moved which way": paint(np.arctan2(*moves) / (2 * np.pi) % 1.0, np.hypot(*moves) / job.size),
        "white: one source alone": 2 * source.weight - 1,
        "nearest picture": images[nearest],
    }
    results = {"command": f"python figures/mosaic.py {job.data}", "version": ed.__version__, "data": job.data}
    results |= {"images": len(images), "size": job.size, "seeds": job.seeds, "seed": job.seed}
    results |= {"window": WINDOW, "alpha": LEVEL[0], "sigma": LEVEL[1], "scale_table": table.to_dict()}
    results |= {"mosaics": measured}
    out = folders.open_folder(out)
    folders.write_results(out / f"{name}.json", results)
    title = "each column is one drawn picture; equal colours are pixels from one training picture, or moved alike"
    folders.write_picture(out / f"{name}.png", plot.rows(shown, columns=job.seeds, title=title))
    return results


def numbers(source):
    """What a mosaic is made of: medians over the drawn pictures."""
    picture = source.picture[..., 0]  # (B, H, W)
    height, width = picture.shape[1:]
    moved = (source.row[..., 0] != np.arange(height)[:, None]) | (source.column[..., 0] != np.arange(width))
    tiles = [max(np.bincount(pieces(p == n)[0].ravel())[1:].max() for n in np.unique(p)) for p in picture[:, None]]
    found = {"training_pictures": [len(np.unique(p)) for p in picture], "largest_tile": tiles}
    found |= {"moved": moved.mean((1, 2)), "leading_weight": np.median(source.weight[..., 0], (1, 2))}
    return {key: float(np.median(values)) for key, values in found.items()} | {"pixels": height * width}


def demo_table():
    """The window sizes that the demo calibrated."""
    return ed.denoisers.Scales.from_dict(json.loads((RESULTS / "hands.json").read_text())["scale_table"])


def paint(hue, strength):
    """Colours (B, H, W, 3) in [-1, 1] from hues (B, H, W) in [0, 1) and how far they are from grey, up to 1."""
    hue, strength = np.broadcast_arrays(hue, np.minimum(1, 3 * np.asarray(strength)))
    colours = [
        colorsys.hsv_to_rgb(h, 0.75 * s, 0.45 + 0.5 * s) for h, s in zip(hue.ravel(), strength.ravel(), strict=True)
    ]
    return 2 * np.array(colours).reshape(*hue.shape, 3) - 1


if __name__ == "__main__":
    kind = sys.argv[1] if len(sys.argv) > 1 else "hands"
    print(json.dumps(main(JOBS[kind], name="mosaic" if kind == "hands" else f"mosaic_{kind}")["mosaics"], indent=1))
