"""The pictures that the README opens with: hands from the same noise, by a trained network and by two formulas.

Run `python figures/opening.py`. The network is the demo's, as it comes with the package, so nothing is trained; the
comparison is kept in `runs/figure-opening`. Written to `figures/results`: `opening.png`, the drawn hands with their
finger tips numbered, and `film.gif`, how they come out of the noise. The columns are chosen from all seeds: those with
more fingers than any training hand has, first those with as many by the network as by ELS.
"""

import json
import shutil
from pathlib import Path

import numpy as np

from edudiff import cli, plot
from edudiff.compare.fingers import count_fingers_all, finger_tips
from edudiff.runs import film
from edudiff.runs import folder as folders
from edudiff.support import files

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-opening"
ROW = "raised_hands_resnet_zero"
TOLD = {"network": "a trained\nnetwork", "els": "a formula,\nnot trained\n(ELS)", "ideal": "the ideal\nscore copies"}


def main(work=WORK, out=RESULTS, columns=4, row=ROW):
    """Draw the seeds of the row, unless they are there, and write both pictures. Returns the seeds shown."""
    work, out = Path(work), files.open_folder(out)
    if not (work / folders.ARRAYS).exists():
        shutil.rmtree(work, ignore_errors=True)
        cli.main(["compare", "--pretrained", row, "--denoisers", "els", "ideal", "--out", str(work)])
    with np.load(work / folders.ARRAYS) as file:
        images = {name: file[name] for name in TOLD}  # (seeds, H, W, 1) each
    results = json.loads((work / folders.RESULTS).read_text())
    most = max(int(number) for number in results["fingers"]["training"])
    seeds = chosen(count_fingers_all(images["network"]), count_fingers_all(images["els"]), most)[:columns]
    r = results["agreement"]["els"]["pearson_r"]
    figure = picture({name: batch[seeds] for name, batch in images.items()}, most)
    told = f"Each column: the same noise, chosen among {results['seeds']} for its extra fingers"
    figure.suptitle(f"{told}\nOver all {results['seeds']}, network and formula: median r = {r:.3f}", fontsize=12)
    files.write_figure(out / "opening.png", figure)
    film.write(work, out / "film.gif", seeds)
    return seeds


def chosen(network, els, most):
    """The seeds (B,), those with more than `most` fingers in both first, and of these those with the same number."""
    both = (network > most) & (els > most)
    return sorted(range(len(els)), key=lambda seed: (not both[seed], network[seed] != els[seed], seed))


def tips(image):
    """The middle of each finger tip that counts in an image (H, W, 1): [(row, column)], in pixels, around the hand."""
    found = finger_tips(image[None])[0] * max(image.shape[:2]) - 0.5  # (fingers, 2)
    bright = np.argwhere(image[..., 0] > 0).mean(0)
    return sorted(map(tuple, found), key=lambda tip: np.arctan2(*(tip - bright)))


def picture(images, most):
    """A Figure of hands {name: (B, H, W, 1)}: tips numbered, those beyond `most` on white instead of black."""
    columns = len(next(iter(images.values())))
    figure = plot.empty_figure(1.3 + 1.9 * columns, 0.4 + 2.1 * len(images))
    axes = figure.subplots(len(images), columns, squeeze=False)
    for line, (name, batch) in zip(axes, images.items(), strict=True):
        line[0].set_ylabel(TOLD[name], rotation=0, ha="right", va="center", fontsize=13)
        for axis, image in zip(line, batch, strict=True):
            plot.show(axis, image)
            found = tips(image)
            for k, (row, column) in enumerate(found, 1):
                extra = k > most
                colors = {"color": "black" if extra else "white", "fontweight": "bold" if extra else "normal"}
                ring = {"boxstyle": "circle,pad=0.2", "facecolor": "white" if extra else "black", "edgecolor": "white"}
                axis.text(column, row, str(k), ha="center", va="center", fontsize=10, bbox=ring, **colors)
            bold = "bold" if len(found) > most else "normal"
            axis.set_xlabel(film.fingers(len(found)), fontsize=13, fontweight=bold, labelpad=2)
    return figure


if __name__ == "__main__":
    main()
    print(f"wrote {RESULTS / 'opening.png'} and {RESULTS / 'film.gif'}")
