"""What each UNet invents: 1,000 drawn faces, twelve networks that differ in one thing only, the same noise.

Run `python figures/faces.py`, or `edudiff architecture faces`; it takes most of an hour on two cores, and writes
`figures/results/faces.png` and `faces.json`. The networks are kept in `runs/figure-faces`, so that a second run, or one
after Ctrl-C, does not train again.
"""

from pathlib import Path

from edudiff.compare import architecture

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-faces"


if __name__ == "__main__":
    architecture.faces(architecture.Table(), WORK, RESULTS, command="python figures/faces.py", name="faces")
