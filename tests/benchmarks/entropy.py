"""The entropy of the posterior beside the plain answer of the same denoiser: what the moments add to one pass."""

import json
import sys
from functools import partial

from edudiff.bench import records
from edudiff.bench.measure import costs
from edudiff.denoisers import Ideal, Patch

SIZES = (1, 3, 5, 9, 13, 17)


def main(images=896, rounds=5):
    """Print one JSON record for each kind of pictures and denoiser; `entropy_over_answer`: of processor time."""
    for kind in ("gray", "color"):
        name, pictures = records.load(kind, images)
        x = records.noisy(pictures[:1])
        level = records.LEVEL
        denoisers = {f"patch_{k}": Patch(pictures, k) for k in SIZES} | {"ideal": Ideal(pictures)}
        for which, denoise in denoisers.items():
            calls = {"answer": partial(denoise, x, *level), "entropy": partial(denoise.entropy, x, *level)}
            found = {side: cost["processor_seconds"] for side, cost in costs(calls, rounds).items()}
            record = {"what": f"entropy_{which}", "data": name, "images": images, "processor_seconds": found}
            print(json.dumps(record | {"entropy_over_answer": found["entropy"] / found["answer"]}), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
