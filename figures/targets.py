"""What a network is asked to predict: five targets, two laws of training times, one data law with an exact answer.

Run `python figures/targets.py`; it takes about two minutes on two cores, and writes `figures/results/targets.json` and
`.png`. The data are eight normal clouds, so that the best denoiser is known, and the error that is left is the
network's own: root mean square distance of its answers from the exact ones, at five times. Each target is trained with
the weighting that belongs to it: with another, the levels at which it divides by little outweigh all others.
"""

from pathlib import Path

import numpy as np

import edudiff
from edudiff import nn, plot, schedule
from edudiff.denoisers import Mixture
from edudiff.nn.noise_level import TARGETS, TIMES
from edudiff.support import files

RESULTS = Path(__file__).parent / "results"
OWN = {"edm": "edm", "eps": "eps", "x0": "x0", "v": "v", "flow": "v"}  # the weighting that makes the loss its error
AT = (0.1, 0.3, 0.5, 0.7, 0.9)


def clouds(noise=0.06):
    """The law of `toys.eight_gaussians`."""
    angle = np.pi / 4 * np.arange(8)  # (K,)
    means = 0.8 * np.stack([np.cos(angle), np.sin(angle)], 1)  # (K, 2)
    return Mixture(np.full(8, 1 / 8), means, np.tile(noise**2 * np.eye(2), (8, 1, 1)))


def errors(net, law, flow, points):
    """{time: root mean square distance of the answers of `net` from the exact ones}, on noisy `points` (N, 2)."""
    rng, found = np.random.default_rng(3), {}
    for t in AT:
        alpha, sigma = flow(t)
        x = alpha * points + sigma * rng.standard_normal(points.shape)  # (N, 2)
        found[str(t)] = float(np.sqrt(((net(x, alpha, sigma) - law(x, alpha, sigma)) ** 2).sum(1).mean()))
    return found


def main(steps=3000, count=20_000, width=64, out=RESULTS):
    """Train a network for each target and law of times, and write down how far its answers are from the exact ones."""
    law, flow = clouds(), schedule.flow()
    points = law.sample(np.random.default_rng(0), count).astype(np.float32)  # (N, 2)
    fresh = law.sample(np.random.default_rng(1), 4000)  # (4000, 2)
    records = []
    for times in TIMES:
        for target in TARGETS:
            sigma_data = float(np.sqrt((points**2).mean()))
            net = nn.MLP(2, width, 2, target=target, sigma_data=sigma_data, rng=np.random.default_rng(2))
            how = {"batch": 256, "times": times, "ema_decay": 0.99, "weighting": OWN[target]}
            *_, state = nn.train(net, points, flow, np.random.default_rng(2), steps, **how)
            found = errors(state.ema, law, flow, fresh)
            records.append(
                {"target": target, "times": times, "errors": found, "mean": float(np.mean(list(found.values())))}
            )
            print(f"{times:12} {target:5} " + ", ".join(f"{e:.4f}" for e in found.values()), flush=True)
    results = {"steps": steps, "points": count, "records": records}
    results |= {"command": "python figures/targets.py", "version": edudiff.__version__}
    out.mkdir(parents=True, exist_ok=True)
    files.write_results(out / "targets.json", results)
    files.write_figure(out / "targets.png", picture(records))
    return results


def picture(records):
    """A panel for each law of times, a line for each target."""
    figure = plot.empty_figure(9, 3.4)
    for axis, times in zip(figure.subplots(1, len(TIMES), sharey=True), TIMES, strict=True):
        for i, line in enumerate(line for line in records if line["times"] == times):
            axis.semilogy(AT, list(line["errors"].values()), label=line["target"], **plot.look(i))
        axis.set(title=f"trained at {times.replace('_', '-')} times", xlabel="time")
    figure.axes[0].set_ylabel("distance from the exact answer")
    figure.axes[0].legend(frameon=False)
    return figure


if __name__ == "__main__":
    main()
