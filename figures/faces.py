"""What each UNet invents: 1,000 drawn faces, twelve networks that differ in one thing only, the same noise.

Run `python figures/faces.py`, with the names of variants or for all; it takes about two hours on two cores, the widest
network alone one of them, and writes `figures/results/faces.png` and `faces.json`. The networks are kept in
`runs/figure-faces`, so that a second run, or one after Ctrl-C, does not train again.
"""

import shlex
import sys
from pathlib import Path

from edudiff.compare import architecture
from edudiff.compare.variants import VARIANTS

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-faces"


if __name__ == "__main__":
    names = tuple(sys.argv[1:]) or tuple(VARIANTS)
    command = shlex.join(["python", "figures/faces.py", *sys.argv[1:]])
    architecture.faces(architecture.Table(variants=names), WORK, RESULTS, command=command, name="faces")
