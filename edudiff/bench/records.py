"""What is measured: each case yields one record (a plain dict, for JSON) for each back end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

import edudiff as ed
from edudiff.bench.measure import costs, extra_memory, usable
from edudiff.support import checks
from edudiff.support.arrays import to_numpy
from edudiff.support.settings import Settings, setting
from edudiff.support.types import Array

Record: TypeAlias = dict[str, Any]

LEVEL = (0.7, 0.7)  # alpha, sigma of all denoisers measured here: where neither noise nor picture is left out
PATCH: dict[str, dict[str, Any]] = {
    "patch_3": {"kind": "gray", "window": 3},
    "patch_9": {"kind": "gray", "window": 9},
    "patch_17": {"kind": "gray", "window": 17},
    "patch_rgb_9": {"kind": "color", "window": 9},
    "patch_rgb_17": {"kind": "color", "window": 17},
}
IDEAL = {"ideal": {"images": 60_000, "batch": 64}}
TRAINING = {
    "train_resnet_24": {"net": "ResNet", "channels": 48, "depth": 4, "shape": (24, 24, 1), "batch": 128},
    "train_resnet_28": {"net": "ResNet", "channels": 64, "depth": 6, "shape": (28, 28, 1), "batch": 64},
    "train_unet_32": {"net": "UNet", "channels": (32, 64, 128), "depth": 2, "shape": (32, 32, 3), "batch": 32},
}
CASES = (*PATCH, *IDEAL, *TRAINING)
KINDS: dict[str, tuple[str, int, int, Any]] = {  # a kind of pictures: the files, and what is drawn where they are not
    "gray": ("mnist", 28, 896, ed.data.shapes.strokes),
    "color": ("cifar10", 32, 1000, ed.data.shapes.faces),
}


@dataclass(frozen=True, repr=False)
class Bench(Settings):
    """What is measured and how often; the help of each setting is its explanation.

    Raises TypeError or ValueError for an unknown case, or for fewer than one image or round.
    """

    cases: tuple[str, ...] = setting((), "which measurements (default: all)", metavar="CASE")
    rounds: int = setting(5, "how many times each side takes its turn", least=1)
    images: int | None = setting(None, "size of the training sets (default: 896 to 60,000)", least=1)
    root: str | None = setting(
        None, "the folder that holds mnist/ and cifar10/ (default: EDUDIFF_DATA, else drawn)", metavar="DIR"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for what in self.cases:
            checks.one_of(what, CASES, "case")


def run(bench: Bench) -> Iterator[Record]:
    """Measure the cases; yields a record for each case and back end as soon as it is known.

    Without the data sets in `bench.root`, images are drawn.
    """
    rounds, images, root = bench.rounds, bench.images, bench.root
    for what in bench.cases or CASES:
        if what in PATCH:
            yield from patch(what, rounds, images, root)
        elif what in IDEAL:
            yield ideal(what, rounds, images, root)
        else:
            yield from training(what, rounds)


def patch(
    what: str,
    rounds: int = 5,
    images: int | None = None,
    root: str | None = None,
    peer: Callable[..., tuple[Callable[[], Any], Any]] | None = None,
) -> Iterator[Record]:
    """ELS with zero border for one noisy picture: `Patch` on each back end.

    `peer`: another library's ELS to take turns with, a function (images, window, x, alpha, sigma) that returns a call
    without arguments and what to say of it.
    """
    window = PATCH[what]["window"]
    data, training_set = load(PATCH[what]["kind"], images, root)
    x = noisy(training_set[:1])  # (1, H, W, C)
    calls, memory = {}, {}
    for backend in filter(usable, ("numpy", "numba", "cupy")):
        denoise = ed.denoisers.Patch(_placed(training_set, backend), window, backend=backend)
        calls[backend] = _answer(denoise, x, backend)
        calls[backend]()
        memory[backend] = extra_memory(calls[backend])
    form = {}
    if peer:
        calls["peer"], form["peer"] = peer(training_set, window, x, *LEVEL)
    cost = costs(calls, rounds)
    peer_cost = cost.pop("peer", None)
    shape = training_set.shape
    for backend, own in cost.items():
        record = {"what": what, "backend": backend, **own, "memory_mb": memory[backend] / 1e6}
        record |= {"data": data, "images": shape[0], "size": shape[1], "window": window}
        record["pairs_per_second"] = pairs(shape, window) / own["seconds"]
        yield record | form | ({} if peer_cost is None else _against(peer_cost["seconds"], own["seconds"]))


def ideal(what: str, rounds: int = 5, images: int | None = None, root: str | None = None) -> Record:
    """`Ideal` for a batch against the two bare matrix products inside it, x with the images and weights with them."""
    case = IDEAL[what]
    data, training_set = load("gray", images or case["images"], root)
    x = noisy(np.resize(training_set, (case["batch"], *training_set.shape[1:])))  # (B, H, W, C)
    denoise = ed.denoisers.Ideal(training_set)
    flat, rows = training_set.reshape(len(training_set), -1), x.reshape(len(x), -1)  # (N, D), (B, D)
    cost = costs({"ideal": lambda: denoise(x, *LEVEL), "product": lambda: (rows @ flat.T) @ flat}, rounds)
    own, product = cost["ideal"], cost["product"]["seconds"]
    record: Record = {"what": what, "backend": "numpy", **own}
    record |= {"memory_mb": extra_memory(lambda: denoise(x, *LEVEL)) / 1e6, "data": data}
    record |= {"images": len(training_set), "size": x.shape[1], "batch": len(x)}
    return record | {"product_seconds": product, "share": product / own["seconds"]}


def training(what: str, rounds: int = 5) -> Iterator[Record]:
    """One training step of the network, forward, backward and Adam, on each back end."""
    case = TRAINING[what]
    walks = {backend: _training_steps(case, backend) for backend in filter(usable, ("numpy", "numba"))}
    calls = {backend: lambda walk=walk: next(walk) for backend, walk in walks.items()}
    for call in calls.values():
        call()
    for backend, own in costs(calls, rounds).items():
        memory = extra_memory(calls[backend]) / 1e6
        yield {"what": what, "backend": backend, **own, "memory_mb": memory, **case}


def load(kind: str, count: int | None = None, root: str | None = None) -> tuple[str, Array]:
    """The name and the first `count` pictures of a kind, from files if they are there, else drawn."""
    return source(kind, root), range_of(kind, 0, count or KINDS[kind][2], root)


def source(kind: str, root: str | None = None) -> str:
    """What the pictures of a kind are taken from here: the name of the files if they are there, else of what draws."""
    name, _, _, draw = KINDS[kind]
    try:
        ed.data.load(name, 1, root=root)
    except FileNotFoundError:
        name = draw.__name__
    return name


def range_of(kind: str, first: int, last: int, root: str | None = None) -> Array:
    """Pictures number `first` to `last` - 1 of a kind: what `load` reads or draws, in parts."""
    name, size, _, draw = KINDS[kind]
    try:
        return ed.data.load_range(name, first, last, root=root)
    except FileNotFoundError:
        return draw(last, size=size, rng=np.random.default_rng(0))[first:]


def noisy(x0: Array) -> Array:
    """The pictures with noise at LEVEL, float32."""
    alpha, sigma = LEVEL
    noise = np.random.default_rng(1).standard_normal(x0.shape)
    return (alpha * x0 + sigma * noise).astype(np.float32)


def pairs(shape: tuple[int, ...], window: int) -> int:
    """How many pairs of windows ELS with zero border compares for one noisy picture.

    >>> pairs((10, 5, 5, 1), 3)  # on each axis 3 x 3 inner pairs, and 2 at the edges, each with itself
    1210
    """
    number = shape[0]
    for length in shape[1:3]:
        inner = max(length - window + 1, 0)
        number *= inner**2 + length - inner
    return number


def _training_steps(case, backend):
    rng, shape = np.random.default_rng(0), case["shape"]
    images = rng.uniform(-1, 1, (256, *shape)).astype(np.float32)  # (256, H, W, C)
    make = getattr(ed.nn, case["net"])
    net = make(case["channels"], case["depth"], image_channels=shape[2], rng=rng, backend=backend)
    return ed.nn.train(net, images, ed.schedule.cosine(), rng, 10**6, batch=case["batch"])


def _placed(images, backend):
    if backend != "cupy":
        return images
    import cupy

    return cupy.asarray(images)


def _answer(denoise, x, backend):
    """A call that waits for the answer to be on the host."""
    placed = _placed(x, backend)
    return lambda: to_numpy(denoise(placed, *LEVEL))


def _against(peer_seconds, seconds):
    return {"peer_seconds": peer_seconds, "ratio": peer_seconds / seconds}
