"""How much the one number of the entropy rule matters: r of network and ELS as it goes from 3 to 9 nats.

Run `python figures/windows_constant.py`, or with the names of rows of the table of agreement whose networks come with
the package. For each number the windows are told from the row's training set alone, ELS draws the same noise as the
network, and r is the median over the seeds. Beside them stands ELS with the windows that were read off the network.
Written to `figures/results`: `windows_constant.json`, `.md` and `.png`. What was done is kept in
`runs/figure-windows_constant`, so that a second run, or one after Ctrl-C, goes on with it. Real pictures are read from
the folder that `EDUDIFF_DATA` names.
"""

import json
import sys
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np

import edudiff
from edudiff import plot
from edudiff.compare import draw, metrics, predict
from edudiff.compare.bootstrap import interval
from edudiff.denoisers import WindowSchedule
from edudiff.runs import rows
from edudiff.runs.formulas import for_seeds, formulas
from edudiff.runs.parts import Parts
from edudiff.runs.prediction import window_schedule
from edudiff.runs.run import resolve
from edudiff.support import files
from edudiff.support.progress import bar

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-windows_constant"
NATS = (3, 4, 5, 5.5, 6, 7, 8, 9)
SEEDS = 32


class Remembered:
    """A patch denoiser that keeps the posteriors it was asked for: the numbers of nats differ, the questions do not."""

    def __init__(self, patch, kept):
        self.patch, self.kept = patch, kept

    def posteriors(self, x, alpha, sigma, windows):
        """As the method of `edudiff.denoisers.Patch`."""
        for k in windows:
            if (alpha, sigma, k) not in self.kept:
                self.kept[alpha, sigma, k] = self.patch.posteriors(x, alpha, sigma, [k])[k]
        return {k: self.kept[alpha, sigma, k] for k in windows}


def measure(row, seeds=SEEDS, work=WORK):
    """The record of one row: r with the windows of each number of nats, and with those read off the network."""
    pretrained = rows.pretrained(row)
    choices = replace(pretrained.choices, seeds=seeds, denoisers=("els",))
    run = resolve(choices, files.open_folder(work / row))
    parts = Parts(run.folder / "parts.npz", asdict(choices) | {"version": edudiff.__version__})
    net, kept = for_seeds(run, pretrained.net.to(run.images)), {}

    def tell(nats):
        def by_entropy(patch, *settings, **more):
            return predict.by_entropy(Remembered(patch, kept), *settings, nats=nats, **more)

        return json.dumps(window_schedule(run, by_entropy).to_dict())

    def drawn(name, denoise):
        return draw({name: denoise}, run.schedule, run.noise, run.times, progress=bar)[0][name]

    network, _ = parts("network", partial(drawn, "network", net))

    def r(name, table):
        images, _ = parts(name, lambda: drawn("els", formulas(run, table)["els"]))
        return interval(np.median, metrics.pearson_r(network, images))

    line = {"row": row, "seeds": seeds, "read_off": r("read off", pretrained.windows), "nats": {}, "windows": {}}
    for nats in NATS:
        text, _ = parts(f"windows {nats}", partial(tell, nats))
        table = WindowSchedule.from_dict(json.loads(str(text)))
        line["nats"][str(nats)] = r(f"els {nats}", table)
        line["windows"][str(nats)] = [table(*run.schedule(t)) for t in run.times[:-1].tolist()]
        print(f"{row}: {nats} nats, r {line['nats'][str(nats)][0]:.3f}", flush=True)
    return line | {"command": f"python figures/windows_constant.py {row}"}


def image(lines):
    """A Figure: r over the number of nats, a curve for each row, and a level for the windows read off its network."""
    figure = plot.empty_figure(9, 5)
    axis = figure.subplots()
    for i, line in enumerate(lines):
        look, r = plot.look(i), [line["nats"][str(nats)][0] for nats in NATS]
        axis.plot(NATS, r, label=line["row"].replace("_", " "), **look)
        axis.axhline(line["read_off"][0], color=look["color"], linestyle=":", linewidth=1)
    axis.axvline(predict.NATS, color="0.6", linewidth=1)
    axis.set(xlabel="entropy of the rule in nats", ylabel="r of network and ELS, median")
    figure.legend(loc="outside right center", frameon=False)
    return figure


def markdown(lines):
    """The records as a table in Markdown."""
    names = ("row", "seeds", *(f"{nats} nats" for nats in NATS), "read off the network")
    text = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    for line in lines:
        r = [*(line["nats"][str(nats)][0] for nats in NATS), line["read_off"][0]]
        cells = [line["row"].replace("_", " "), str(line["seeds"]), *(f"{value:.3f}" for value in r)]
        text.append("| " + " | ".join(cells) + " |")
    return "\n".join(text) + "\n"


def main(names=None, seeds=SEEDS, work=WORK, out=RESULTS):
    """Measure the rows `names`, or all that come with the package, and write them beside those measured before."""
    out = files.open_folder(out)
    path = out / "windows_constant.json"
    lines = {line["row"]: line for line in json.loads(path.read_text())} if path.exists() else {}
    for row in names or rows.names():
        lines[row] = measure(row, seeds, work)
        files.write_results(path, list(lines.values()))
        with files.atomic(out / "windows_constant.md") as file:
            file.write(markdown(lines.values()).encode())
        files.write_figure(out / "windows_constant.png", image(lines.values()))
    return list(lines.values())


if __name__ == "__main__":
    main(sys.argv[1:])
