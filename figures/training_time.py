"""Agreement while training goes on: the network comes close to the formula early, and to the training pictures late.

Run `python figures/training_time.py`. Two networks are watched: the demo's kind, on 512 hands, and one that sees the
whole hand, on 16. At some steps of one run with a cosine decay of the learning rate, the moving average of the weights
is kept in `runs/figure-training-time`; each draws the same noise, with windows calibrated for it. Written to
`figures/results`: `training_time.json` and `training_time.png`.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

import edudiff as ed
from edudiff import denoisers, nn, plot
from edudiff.compare import agreement, draw, main_job, metrics
from edudiff.compare import folder as folders
from edudiff.compare.job import Job, load_pictures, new_network, noise
from edudiff.progress import bar

RESULTS = Path(__file__).parent / "results"
WORK = Path("runs") / "figure-training-time"
MANY = Job(channels=48, train_steps=3200, seeds=32, calibration=4, denoisers=("els", "linear", "ideal"))
JOBS = {"512 hands, field 9": MANY, "16 hands, field 17": replace(MANY, images=16, depth=6, channels=32)}
STEPS = (50, 100, 200, 400, 800, 1600, 3200)


def main(jobs=JOBS, steps=STEPS, work=WORK, out=RESULTS):
    """Train or resume, draw at each of `steps`, write the picture and its numbers; returns the numbers."""
    found = {"command": "python figures/training_time.py", "version": ed.__version__, "runs": {}}
    shown = {}
    for number, (name, job) in enumerate(jobs.items()):
        images, lines = load_pictures(job), []
        place = folders.open_folder(work / f"{number}")
        train(job, images, [step for step in steps if step <= job.train_steps], place)
        for step in steps:
            line, pictures = measure(job, images, nn.checkpoint.load_net(place / f"step-{step}.npz"))
            lines.append({"step": step, **line})
            shown[f"{name}:\nstep {step}"] = pictures["network"]
            print(json.dumps({"run": name, **lines[-1]}), flush=True)
        settings = {key: getattr(job, key) for key in ("data", "images", "size", "depth", "channels", "seeds", "seed")}
        found["runs"][name] = {**settings, "train_steps": job.train_steps, "lines": lines}
    out = folders.open_folder(out)
    folders.write_results(out / "training_time.json", found)
    folders.write_picture(out / "training_time.png", curves(found["runs"]))
    title = "the same noise through one network after so many steps of training"
    folders.write_picture(out / "training_time_hands.png", plot.rows(shown, columns=10, title=title))
    return found


def train(job, images, steps, place):
    """Keep the run at each of `steps`, as `step-N.npz` in `place`; goes on from the last that is there."""
    done = [step for step in steps if (place / f"step-{step}.npz").exists()]
    if len(done) == len(steps):
        return
    schedule, _ = job.times()
    state = nn.checkpoint.load(place / f"step-{max(done)}.npz") if done else None
    net, rng = state.net if state else new_network(job, images), np.random.default_rng((job.seed, 2))
    walk = nn.train(net, images, schedule, rng, job.train_steps, batch=job.batch, rate=job.rate, state=state)
    for now in bar(walk, job.train_steps - (state.step if state else 0), "training"):
        if now.step in steps:
            nn.checkpoint.save(place / f"step-{now.step}.npz", now)


def measure(job, images, net):
    """How well each formula predicts the network, and how near to the training pictures it draws; and the pictures."""
    schedule, times = job.times()
    table = main_job.scales(job, net, images, lambda make, images: make(images))
    machines = {
        "network": net,
        "els": denoisers.Between(denoisers.Patch(images, 1), table),
        "linear": denoisers.Linear.fit(images),
        "ideal": denoisers.Ideal(images),
    }
    drawn, _ = draw(machines, schedule, noise(job, images, range(job.seeds)), times)
    _, distance = metrics.nearest(drawn["network"], images)  # (B,)
    line = {f"r_{name}": row["pearson_r"] for name, row in agreement(drawn).items()}
    return line | {"distance": float(np.median(distance)), "windows": list(table.sizes)}, drawn


def curves(runs):
    """A Figure: Pearson's r with each formula over the steps of training, for each run."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(runs), 3.2), layout="constrained")
    for axis, (name, run) in zip(
        figure.subplots(1, len(runs), sharey=True, squeeze=False)[0], runs.items(), strict=True
    ):
        for formula in ("els", "linear", "ideal"):
            at = [line["step"] for line in run["lines"]]
            axis.semilogx(at, [line[f"r_{formula}"] for line in run["lines"]], "o-", label=f"r with {formula}")
        axis.set(xlabel="steps of training", title=name, ylim=(-0.1, 1.05))
        axis.legend(fontsize=8)
    return figure


if __name__ == "__main__":
    main()
