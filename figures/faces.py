"""What each UNet invents: 1,000 drawn faces, eleven networks that differ in one thing only, the same noise.

Run `python figures/faces.py`, with the names of variants or for all but `channels_64`, which takes as long as all
others. It takes more than an hour on two cores, and writes `figures/results/faces.png` and `faces.json`. The networks
are kept in `runs/figure-faces`, so that a second run, or one after Ctrl-C, does not train again.
"""

import shlex
import sys
from pathlib import Path

from edudiff.runs.variants import USUAL, Variants, experiment

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-faces"


if __name__ == "__main__":
    names = tuple(sys.argv[1:]) or USUAL
    command = shlex.join(["python", "figures/faces.py", *sys.argv[1:]])
    experiment(Variants(variants=names), WORK, RESULTS, command, name="faces", say=print)
