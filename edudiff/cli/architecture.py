"""The experiments of `edudiff architecture`: run them, and write their tables and pictures."""

import argparse
from dataclasses import asdict, fields
from pathlib import Path

import edudiff
from edudiff import plot
from edudiff.runs import folder as folders
from edudiff.runs import points as in_the_plane
from edudiff.runs import variants
from edudiff.runs.points import Points
from edudiff.runs.variants import Table

__all__ = ["Points", "Table", "add", "faces", "points"]

HELP = {
    "points": "training points, and points drawn by each denoiser",
    "steps": "reverse steps",
    "method": "how to go back: ddim, ddpm, heun or euler_maruyama",
    "train_steps": "steps of training of each network",
    "batch": "items in a step of training",
    "rate": "peak learning rate",
    "seed": "seed of everything random",
    "draws": "resamples of each bootstrap interval",
    "data": "faces (drawn by code, with rules to check), fashion_mnist, cifar10, mnist, or a folder of pictures",
    "images": "training pictures",
    "size": "side of the pictures in pixels",
    "root": "the folder that holds fashion_mnist/, cifar10/ (default: EDUDIFF_DATA)",
    "drawn": "pictures drawn by each variant",
    "variants": f"which UNets: {', '.join(variants.VARIANTS)} (default: all but the last)",
}


def points(job, out, command, name="results"):
    """Points in the plane through every denoiser: print the table, write `name`.json and .png, return the results."""
    out = folders.open_folder(out)
    print(in_the_plane.header(), flush=True)
    results, samples = in_the_plane.run(job, say=_say)
    return _finish(job, out / name, command, results, lambda: plot.clouds(samples))


def faces(job, work, out, command, name="results"):
    """Pictures through every variant of the UNet, kept in `work`: print the table, write `name`.json and .png to `out`.

    Returns the results. A run that was stopped goes on where it was, if it is started again with the same `work`.
    """
    work, out = folders.open_folder(work), folders.open_folder(out)
    print(variants.header(job), flush=True)
    results, drawn = variants.run(job, work, say=_say)
    shown = {"training": variants.load_images(job)[0]} | {
        k.replace("_", " "): v for k, v in drawn.items() if k != "unseen"
    }
    title = f"{job.data}: below the training pictures, each column is the same noise"
    return _finish(job, out / name, command, results, lambda: plot.rows(shown, columns=12, title=title))


def add(command):
    """The commands `edudiff architecture points` and `edudiff architecture faces`, with an option for each choice."""
    kinds = command.add_subparsers(metavar="EXPERIMENT", required=True)
    for name, what, run in (
        ("points", "points in the plane: closed forms and small networks, two minutes", _run_points),
        ("faces", "faces, or other pictures: UNets that differ in one thing, more than an hour", _run_faces),
    ):
        kind = kinds.add_parser(name, help=what)
        for choice in fields(Points if name == "points" else Table):
            many = {"nargs": "+", "choices": tuple(variants.VARIANTS)} if choice.name == "variants" else {}
            number = (
                float
                if choice.name == "rate"
                else str
                if choice.name in ("data", "root", "variants", "method")
                else int
            )
            flag = "--" + choice.name.replace("_", "-")
            metavar = {"metavar": "NAME"} if many else {}
            more = {"type": number, "help": HELP[choice.name], "default": argparse.SUPPRESS}
            kind.add_argument(flag, **more, **many, **metavar)
        kind.add_argument("--out", metavar="DIR", help="folder of the results; faces go on with the run that it holds")
        kind.set_defaults(run=run)


def _run_points(args):
    points(_job(Points, args), _out(args, "architecture-points"), args.command)


def _run_faces(args):
    out = _out(args, "architecture-faces")
    try:
        faces(_job(Table, args), out, out, args.command)
    except KeyboardInterrupt:
        print(f"\nthe networks so far are in {out}; go on with the same command and --out {out}")
        raise


def _job(kind, args):
    given = {k: v for k, v in vars(args).items() if k in kind.__dataclass_fields__}
    if "variants" in given:
        given["variants"] = tuple(given["variants"])
    return kind(**given)


def _out(args, name):
    return Path(args.out) if args.out else folders.free_folder(name)


def _finish(job, path, command, results, figure):
    results = {"command": command, "version": edudiff.__version__, **asdict(job), **results}
    numbers, image = (path.with_name(path.name + end) for end in (".json", ".png"))
    folders.write_results(numbers, results)
    try:
        folders.write_figure(image, figure())
        print(f"picture: {image}")
    except ImportError:
        print("for a picture: pip install 'edudiff[plot]'")
    print(f"numbers: {numbers}; {results['seconds']:.0f} s")
    return results


def _say(line):
    print(line, flush=True)
