"""`Ideal` from 60,000 pictures, a batch of 64, against the two bare matrix products inside it, in turn."""

import json
import sys

from edudiff.bench import records


def main(rounds=5, images=60_000):
    """Print one JSON record; `share` is the products' median seconds over those of `Ideal`."""
    print(json.dumps(records.ideal("ideal", rounds, images)), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
