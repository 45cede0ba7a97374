"""What attention does to the agreement with ELS: one UNet without it and one with it, all else alike.

Run `python figures/attention.py`: CIFAR-10, class by class, if `EDUDIFF_DATA` names a folder that holds it, else drawn
faces. The window sizes are read off the network without attention and used for both; Kamb & Ganguli 2024 (section 5.5)
also took those of a network without attention, a ResNet. Written to `figures/results`: `attention.json` and
`attention.png`; what was done is kept in `runs/figure-attention`, so that a second run, or one after Ctrl-C, goes on
with it.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path

import edudiff
from edudiff import data, plot
from edudiff.compare import agreement
from edudiff.runs import comparison
from edudiff.runs.choices import Choices
from edudiff.support import files

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-attention"
UNET = {"net": "unet", "channels": 16, "depth": 1, "batch": 32, "train_steps": 3000}
FACES = Choices(data="faces", images=200, size=24, **UNET, denoisers=("els", "ideal"))
CIFAR = replace(FACES, data="cifar10", images=1000, size=16, by_class=True)
ATTENTION = (1, 2)  # the scales, 0 the finest, at which pixels look at all others


def chosen():
    """The job on real pictures, or on drawn ones if there are none."""
    try:
        data.load(CIFAR.data, count=1)
    except FileNotFoundError:
        return FACES
    return CIFAR


def main(job=None, work=WORK, out=RESULTS):
    """Train both, draw, and write the numbers and the picture. Returns the results."""
    job = job or chosen()
    jobs = {"without": job, "with": replace(job, attention=ATTENTION, denoisers=())}
    work, out = Path(work) / job.data, files.open_folder(out)
    without, drawn = comparison.kept(jobs["without"], work / "without")
    table = edudiff.denoisers.WindowSchedule.from_dict(without["window_schedule"])
    _, other = comparison.kept(jobs["with"], work / "with", table)
    drawn = {"without": drawn["network"], "with": other["network"], "els": drawn["els"], "ideal": drawn["ideal"]}
    results = {"command": "python figures/attention.py", "version": edudiff.__version__}
    results |= {"jobs": {name: asdict(job) for name, job in jobs.items()}, "window_schedule": table.to_dict()}
    found = {name: {"network": drawn[name], "els": drawn["els"], "ideal": drawn["ideal"]} for name in jobs}
    results |= {"agreement": {name: agreement(images) for name, images in found.items()}}
    title = "UNet without and with attention: each column is the same noise"
    files.write_figure(out / "attention.png", plot.rows(drawn, columns=10, title=title))
    files.write_results(out / "attention.json", results)
    return results


if __name__ == "__main__":
    for name, found in main()["agreement"].items():
        print(f"{name} attention: {json.dumps({key: round(value['pearson_r'], 3) for key, value in found.items()})}")
