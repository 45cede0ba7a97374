"""The opening picture: the same noise through the network and the formulas, a finger count under each hand.

Run `python figures/hands.py`; it is the demo's job, and writes `figures/results/hands.png` and `hands.json`. The
network is kept in `runs/figure-hands`, so that a second run, or one after Ctrl-C, does not train again.
"""

from pathlib import Path

import edudiff
from edudiff import plot
from edudiff.runs import comparison, report
from edudiff.runs import folder as folders
from edudiff.runs.choices import DEMO
from edudiff.support import files

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-hands"
ROWS = ("network", "els", "predicted", "local", "linear", "ideal", "nearest")


def main(job=DEMO, work=WORK, out=RESULTS):
    """Train or resume, calibrate, draw, and write the picture and its numbers. Returns the results."""
    folder = files.open_folder(work)
    results, images, captions = comparison.compare(job, folder, resume=(folder / folders.NETWORK).exists())
    shown = {name: images[name] for name in ROWS}
    title = "rows: denoisers; columns: the same noise; numbers: fingers"
    out = files.open_folder(out)
    files.write_figure(out / "hands.png", plot.rows(shown, captions, columns=12, title=title))
    kept = {"command": "python figures/hands.py", "version": edudiff.__version__, **results}
    files.write_results(out / "hands.json", kept)
    (folder / folders.PARTS).unlink(missing_ok=True)
    return results


if __name__ == "__main__":
    print("\n".join(report.lines(main())))
