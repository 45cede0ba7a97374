"""What each denoiser invents in the plane: four sets of points, eight denoisers, the same noise.

Run `python figures/points.py`, or `edudiff architecture points`; it takes about a minute, and writes
`figures/results/points.png` and `points.json`.
"""

from pathlib import Path

from edudiff.runs.points import Points, experiment

RESULTS = Path(__file__).parent / "results"


if __name__ == "__main__":
    experiment(Points(), RESULTS, "python figures/points.py", name="points", say=print)
