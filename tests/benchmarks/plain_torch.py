"""Plain PyTorch's ELS: is it right, and at which form and mini-batch size is it fastest?

The code itself is `torch_patch.py`.
"""

import json
import sys

import numpy as np
from torch_patch import FORMS, PlainTorch, search

from edudiff import scores
from edudiff.bench import records


def error(form, dtype):
    """The largest difference from the page's scores in float64, for all windows, with and without shifts."""
    rng = np.random.default_rng(0)
    worst = 0.0
    for shape in ((5, 7, 6, 1), (4, 6, 6, 2)):
        images = rng.uniform(-1, 1, shape).astype(dtype)
        x = rng.standard_normal((2, *shape[1:])).astype(dtype)
        for size in (1, 3, 5, 7, 9):
            for shifts in (True, False):
                score = scores.els if shifts else scores.local
                wanted = score(images.astype("f8"), size)(x.astype("f8"), 0.7, 0.5)
                answer = PlainTorch(images, size, shifts, batch=2, form=form)(x, 0.7, 0.5)
                worst = max(worst, float(abs(answer - wanted).max()))
    return worst


def main(*cases):
    """Print JSON records: the error of each form, and its seconds from 256 pictures at each mini-batch size."""
    for form in FORMS:
        print(json.dumps({"form": form, **{d: error(form, d) for d in ("float64", "float32")}}), flush=True)
    for what in cases or records.PATCH:
        data, images = records.load(records.PATCH[what]["kind"])
        x = records.noisy(images[:1])
        for form in FORMS:
            some = images[: 16 if form == "differences" else 256]
            found = search(some, records.PATCH[what]["window"], x, *records.LEVEL, form=form)
            best = min(found, key=found.__getitem__)
            record = {"what": what, "data": data, "form": form, "images": len(some), "best_batch": best}
            record |= {"seconds_per_1000_images": 1000 * found[best] / len(some), "seconds": found}
            print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
