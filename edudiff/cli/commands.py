"""The commands of the main job: `edudiff demo`, `compare`, `train`, `sample`; their options, results and words."""

import argparse
import importlib.util
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

import edudiff
from edudiff import plot
from edudiff.data.files import NAMES
from edudiff.nn.noise_level import TARGETS
from edudiff.runs import folder as folders
from edudiff.runs import formulas, main_job
from edudiff.runs.job import DRAWN, FORMULAS, NETS, Job, load_images
from edudiff.support.arrays import to_numpy
from edudiff.support.backends import BACKENDS

DEMO = Job()
QUICK = replace(DEMO, images=96, channels=24, train_steps=600, batch=32, seeds=8, calibration=3)


def add(commands):
    """Add the four commands to the `commands` of a parser."""
    demo = commands.add_parser("demo", help="the main job: hands, a network, and formulas that predict it")
    demo.add_argument("--quick", action="store_true", help="a one-minute look: fewer pictures, a smaller network")
    demo.set_defaults(run=run_compare, name="demo", base=DEMO)

    compare = commands.add_parser("compare", help="the same for other pictures, networks, denoisers and seeds")
    compare.set_defaults(run=run_compare, name="compare", base=DEMO, quick=False)
    train = commands.add_parser("train", help="train the network and keep its checkpoint")
    train.set_defaults(run=run_train, name="train", base=DEMO, quick=False)
    sample = commands.add_parser("sample", help="draw pictures with one denoiser")
    sample.set_defaults(run=run_sample, name="sample", base=DEMO, quick=False)
    sample.add_argument("--denoiser", default="els", choices=("network", *FORMULAS), help="default: els")
    sample.add_argument("--checkpoint", metavar="DIR", help="the run folder whose network draws")
    for command in (demo, compare, train, sample):
        add_job(command, drawing=command is not train, training=command is not sample)


def add_job(command, drawing, training):
    """The options of a `Job`. Only those that are given replace the base's."""

    def option(flag, **how):
        command.add_argument(flag, default=argparse.SUPPRESS, **how)

    option("--data", help=f"{', '.join(DRAWN)} (drawn by code), {', '.join(NAMES)}, or a folder of pictures")
    option("--images", type=int, help="size of the training set")
    option("--size", type=int, help="side of the pictures in pixels")
    option("--root", help="the folder that holds mnist/, fashion_mnist/, cifar10/ (default: EDUDIFF_DATA)")
    option("--seed", type=int, help="seed of everything random")
    option("--by-class", action="store_true", help="network and formulas are told the class of each picture")
    option("--padding", choices=("zero", "circular"), help="border of network and formula")
    option("--backend", choices=BACKENDS, help="default: the fastest that is installed")
    command.add_argument("--out", metavar="DIR", help="folder of the results (default: a new one under runs/)")
    if training:
        option("--net", choices=NETS, help="kind of network (default: resnet)")
        option("--channels", type=int, help="width of the network; of a UNet at its finest scale")
        option("--depth", type=int, help="residual blocks of a ResNet, blocks at each scale of a UNet")
        option("--attention", type=int, nargs="+", help="blocks or scales after which pixels look at all others")
        option("--embedding", choices=("log_snr", "time"), help="how the network is told the noise level")
        option("--target", choices=TARGETS, help="what the network predicts")
        option("--train-steps", type=int, help="steps of training")
        option("--batch", type=int, help="pictures in a step of training")
        option("--rate", type=float, help="peak learning rate")
        command.add_argument("--resume", action="store_true", help="go on with the run in --out, where it was stopped")
    if drawing:
        option("--steps", type=int, help="reverse steps of a picture")
        option("--seeds", type=int, help="how many pictures are drawn")
        option("--scheduler", metavar="ADDRESS", help="of a Dask cluster that shares the training set, or 'local'")
        option("--window", type=int, help="one window size for all noise levels, instead of calibrating")
    if drawing and training:
        option("--denoisers", nargs="+", choices=FORMULAS, help="the formulas to draw with")
        option("--calibration", type=int, help="how many pictures the window sizes are calibrated on")


def job_of(args):
    """The `Job` that the arguments ask for."""
    base = QUICK if args.quick else args.base
    given = {k: v for k, v in vars(args).items() if k in Job.__dataclass_fields__}
    if "size" not in given and given.get("data", base.data) not in DRAWN:
        given["size"] = None  # files have a size of their own
    given |= {name: tuple(given[name]) for name in ("denoisers", "attention") if name in given}
    return replace(base, **given)


def open_out(args):
    """The run's folder, made if it is not there."""
    if getattr(args, "resume", False) and not args.out:
        raise ValueError("--resume needs --out DIR, the folder of the run to go on with")
    return folders.open_folder(args.out or folders.free_folder(args.name))


def run_compare(args):
    """`edudiff demo` and `edudiff compare`."""
    job, folder = job_of(args), open_out(args)
    print(f"{job.images} {job.data} pictures; results go to {folder}", flush=True)
    try:
        results, pictures, captions = main_job.compare(job, folder, args.resume)
    except KeyboardInterrupt:
        say_how_to_resume(args, folder)
        raise
    finish(args, folder, results, pictures, captions)
    (folder / folders.PARTS).unlink(missing_ok=True)
    print(report(results))


def run_train(args):
    """`edudiff train`."""
    job, folder = job_of(args), open_out(args)
    try:
        images = load_images(job)
        state = main_job.train(job, images, folder, args.resume)
    except KeyboardInterrupt:
        say_how_to_resume(args, folder)
        raise
    results = {"data": job.data, "images": len(images), "size": images.shape[1], "train_steps": state.step}
    results |= {"seed": job.seed, "loss": float(np.mean(state.losses[-100:])), "train_seconds": state.seconds}
    finish(args, folder, results, None, figure=lambda: plot.losses(state.losses))
    print(f"loss {results['loss']:.4f} after {state.step} steps; draw with:")
    print(f"  edudiff sample --denoiser network --checkpoint {folder}{sample_options(job)}")


def sample_options(job):
    """The options, as text, with which `edudiff sample` draws the kind of pictures that the job's network learned."""
    words = []
    for name in ("data", "images", "size", "root", "by_class", "backend"):
        value = getattr(job, name)
        if value not in (None, getattr(DEMO, name)):
            words += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
    return "".join(f" {shlex.quote(word)}" for word in words)


def run_sample(args):
    """`edudiff sample`."""
    if args.denoiser == "network" and not args.checkpoint:
        raise ValueError("--denoiser network needs --checkpoint DIR, the folder of a run that trained one")
    job, folder = job_of(args), open_out(args)
    spread = job.scheduler is not None and args.denoiser in formulas.SPREAD
    images = load_images(replace(job, images=1) if spread else job)
    pictures, seconds = main_job.sample(job, images, args.denoiser, Path(args.checkpoint or folder))
    results = {"data": job.data, "images": job.images, "size": images.shape[1], "steps": job.steps, "seeds": job.seeds}
    finish(args, folder, results | {"seed": job.seed, "draw_seconds": seconds}, pictures, {})


def finish(args, folder, results, pictures, captions=None, figure=None):
    """Write results.json and picture.png; without matplotlib the pictures are shown as text."""
    folders.write_results(
        folder / folders.RESULTS, {"command": args.command, "version": edudiff.__version__, **results}
    )
    if pictures:
        folders.write_arrays(folder / folders.ARRAYS, pictures)
    if importlib.util.find_spec("matplotlib"):
        title = f"{results['data']}, seed {results['seed']}: each column is the same noise"
        shown = figure() if figure else plot.rows(pictures, captions, title=title)
        folders.write_figure(folder / folders.PICTURE, shown)
        print(f"picture: {folder / folders.PICTURE}")
    elif pictures:
        for name, batch in pictures.items():
            print(f"\n{name}\n{plot.letters(to_numpy(batch)[:3])}")
        print("for a picture: pip install 'edudiff[plot]'")
    print(f"numbers: {folder / folders.RESULTS}")


def report(results):
    """The results as a short text table."""
    with_ideal = "ideal" in results["agreement"]
    lines = [f"{'':8} {'r':>6} {'r^2':>6} {'R^2':>6}" + ("  closer to the network than ideal" if with_ideal else "")]
    for name, row in results["agreement"].items():
        measures = " ".join(f"{row[m]:6.3f}" for m in ("pearson_r", "r_squared", "r2_score"))
        lines.append(f"{name:8} {measures}" + (f"  {row['beats_ideal']:.0%}" if with_ideal else ""))
    lines.append(f"medians over {results['seeds']} seeds; {results['seconds']:.0f} s in all")
    for source, counts in results.get("fingers", {}).items():
        if isinstance(counts, dict):
            hands = sum(counts.values())
            shares = ", ".join(f"{number}: {n / hands:.0%}" for number, n in counts.items())
            lines.append(f"fingers, {source:8}  {shares}")
    if "same_count" in results.get("fingers", {}):
        lines.append(f"same count in network and els on {results['fingers']['same_count']:.0%} of the seeds")
    return "\n".join(lines)


def say_how_to_resume(args, folder):
    """After Ctrl-C: where the checkpoint is and the command that goes on from it."""
    if (folder / folders.NETWORK).exists():
        words = [w for w in shlex.split(args.command) if w != "--resume"]
        if not args.out:
            words += ["--out", str(folder)]
        again = shlex.join([*words, "--resume"])
        print(f"\nwhat was done so far is in {folder}; go on with:\n  {again}", file=sys.stderr)
