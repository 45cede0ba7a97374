"""The Python that answers the playground's page: the page shows and asks, and all that is computed is computed here.

In the page it runs in Pyodide, beside the page and not in its way; a test asks the same without a browser. A question
is a name and a few words; its answers come one by one, so that each step is seen as soon as it is there.
"""

import base64
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edudiff import convnet, reverse, schedule, scores
from edudiff.compare import metrics
from edudiff.data import from_uint8, resize, shapes, to_uint8
from edudiff.data.folder import read_images
from edudiff.denoisers import Patch, provenance
from edudiff.reverse import Step
from edudiff.support import checks
from edudiff.support.random import streams
from edudiff.support.types import Array, Denoiser

SIZE = 16  # pixels, of every image
COVERING = 2 * SIZE - 1  # a window of this side sees the whole image from every pixel
STEPS = 20  # of the reverse process
LEADING = 6  # windows that are told of each pixel, at most
LEAST = 0.0005  # the share that one of them has at least; with less it is one of the others
CHANNELS = 8  # of the network
COPY = 0.05  # root mean square difference from a training image, below which the eye sees that image
QUESTIONS = ("take", "read", "draw", "windows", "train", "code")
FORMULAS = ("ideal", "local", "els")
Answer = dict[str, Any]


@dataclass
class Walk:
    """One reverse process: which denoiser drew, from which images, and its steps so far."""

    denoiser: str
    window: int
    images: Array  # (N, H, W, C)
    steps: list[Step] = field(default_factory=list)


class Play:
    """What the page has drawn and trained so far; `ask` answers its questions.

    The images on the page are RGB bytes, (N, SIZE, SIZE, 3) in one row: what is drawn by hand, taken or read is one.
    """

    def __init__(self) -> None:
        self.walk: Walk | None = None  # of a formula, the last one
        self.net: convnet.ConvNet | None = None

    def __repr__(self) -> str:
        return f"Play(walk={self.walk and self.walk.denoiser!r}, net={self.net!r})"

    def ask(self, question: str, words: dict[str, Any]) -> Iterator[Answer]:
        """The answers to one of QUESTIONS, dicts of numbers, texts and flat arrays; an error is one, too."""
        checks.one_of(question, QUESTIONS, "question")
        try:
            for answer in getattr(self, question)(**words):
                yield {name: np.ravel(v) if isinstance(v, np.ndarray) else v for name, v in answer.items()}
        except (ValueError, TypeError, ImportError, OSError, MemoryError) as error:
            yield {"error": str(error) or type(error).__name__}

    def take(self, kind: str, count: int, seed: int) -> Iterator[Answer]:
        """`count` images of a `kind` that the package draws: hands, strokes or faces."""
        checks.one_of(kind, ("hands", "strokes", "faces"), "kind")
        rng = np.random.default_rng(seed)
        if kind == "faces":
            images = resize(shapes.faces(count, 2 * SIZE, rng), SIZE)  # (N, H, W, 3), smaller than one can be drawn
        else:
            images = getattr(shapes, kind)(count, SIZE, rng)  # (N, H, W, 1)
        yield {"images": in_color(images)}

    def read(self, files: Sequence[Sequence[Any]]) -> Iterator[Answer]:
        """The images in `files`, pairs of a name and bytes: their middle squares, made small."""
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder, f"{i} {Path(name).name}") for i, (name, _) in enumerate(files)]
            for path, (_, data) in zip(paths, files, strict=True):
                path.write_bytes(in_bytes(data))
            yield {"images": in_color(read_images(paths, SIZE))}

    def draw(self, images: bytes, denoiser: str, window: int, seed: int) -> Iterator[Answer]:
        """Each step of the reverse process from the noise of a `seed`, and what the picture is like in the end."""
        training = images_of(images)  # (N, H, W, C)
        walk, denoise = Walk(denoiser, window, training), self._denoiser(training, denoiser, window)
        if denoiser != "network":
            self.walk = walk
        cosine, rng = schedule.cosine(), streams(seed, 1)
        x = reverse.start(cosine, (1, *training.shape[1:]), rng, like=training)  # (1, H, W, C)
        for step in reverse.steps(denoise, cosine, x, cosine.times(STEPS)):
            walk.steps.append(step)
            yield {"step": step.i, "steps": STEPS, "sigma": step.sigma, "x": step.x, "x0_hat": step.x0_hat}
        [nearest], [distance] = metrics.nearest(step.x_next, training)
        copy = bool(distance < COPY)
        yield {"drawn": step.x_next, "nearest": int(nearest), "distance": float(distance), "copy": copy}

    def windows(self, step: int) -> Iterator[Answer]:
        """The training windows that weigh most in each pixel of the formula's answer at a `step`, heaviest first."""
        if self.walk is None or not 0 <= step < len(self.walk.steps):
            raise ValueError("a formula has drawn no such step; draw first")
        walk, at = self.walk, self.walk.steps[step]
        window = COVERING if walk.denoiser == "ideal" else walk.window
        patch = Patch(walk.images, window, shifts=walk.denoiser == "els", backend="numpy")
        found = provenance(patch, at.x, at.alpha, at.sigma, LEADING)
        effective = np.exp(patch.entropy(at.x, at.alpha, at.sigma))  # (1, H, W)
        weight = np.where(found.weight < LEAST, 0, found.weight)  # (1, H, W, K)
        arrays = {name: getattr(found, name) for name in ("row", "column", "value")}
        arrays |= {"image": np.where(weight > 0, found.image, -1), "weight": weight}
        x0_hat = at.x0_hat.astype("float64")  # (1, H, W, C)
        shown = (weight[..., None] * found.value).sum(-2)  # (1, H, W, C)
        others = np.maximum(0, 1 - weight.sum(-1))  # (1, H, W), of all other windows together
        sums = {"shown": shown, "rest": x0_hat - shown, "others": others, "x0_hat": x0_hat}
        yield {"window": window, **arrays, **sums, "effective": effective}

    def train(self, images: bytes, seed: int, steps: int) -> Iterator[Answer]:
        """The loss of each step while a new network is trained on the images."""
        checks.integer(steps, "steps")
        training = images_of(images)  # (N, H, W, C)
        level = float(np.sqrt((training**2).mean()))
        net = convnet.init(
            np.random.default_rng(seed), CHANNELS, image_channels=training.shape[3], sigma_data=level or 1.0
        )
        rng = np.random.default_rng((seed, 1))
        for state in convnet.train(net, training, schedule.cosine(), rng=rng, steps=steps):
            self.net = state.ema
            yield {"step": state.step, "loss": state.loss}
        yield {"network": repr(self.net)}

    def code(self, images: bytes, denoiser: str, window: int, seed: int) -> Iterator[Answer]:
        """A Python program that draws the same picture where edudiff is installed."""
        images_of(images)
        yield {"code": code(images, denoiser, window, seed)}

    def _denoiser(self, images: Array, name: str, window: int) -> Denoiser:
        checks.one_of(name, (*FORMULAS, "network"), "denoiser")
        if name == "ideal":
            return scores.ideal(images)
        if name != "network":
            return getattr(scores, name)(images, window)
        if self.net is None:
            raise ValueError("there is no network yet; train one first")
        return self.net


def images_of(data: Any) -> Array:
    """The page's bytes as images (N, H, W, C), float32: C = 1 if all are gray, else 3. ValueError if there is none."""
    rgb = np.frombuffer(in_bytes(data), np.uint8).reshape(-1, SIZE, SIZE, 3)  # (N, H, W, 3)
    if not len(rgb):
        raise ValueError("there is no training picture; draw one, or take some")
    gray = bool((rgb == rgb[..., :1]).all())
    return from_uint8(rgb[..., :1] if gray else rgb)


def in_bytes(data: Any) -> bytes:
    """The bytes of what comes from the page: of an array of JavaScript, in Python already or not yet."""
    return data.tobytes() if hasattr(data, "tobytes") else bytes(data)


def in_color(images: Array) -> Array:
    """Images (N, H, W, C) as the page has them: RGB bytes, uint8 (N, H, W, 3)."""
    return np.broadcast_to(to_uint8(images), (*images.shape[:3], 3))


def code(data: Any, denoiser: str, window: int, seed: int) -> str:
    """A Python program that draws, from the page's bytes, what the page drew with one of FORMULAS."""
    checks.one_of(denoiser, FORMULAS, "denoiser")
    images = images_of(data)  # (N, H, W, C)
    packed = base64.b64encode(to_uint8(images).tobytes()).decode()
    lines = "\n".join(f'    "{line}"' for line in textwrap.wrap(packed, 100))
    made = "ideal(images)" if denoiser == "ideal" else f"{denoiser}(images, window={window})"
    return f'''\
"""Draws what the playground drew: pip install edudiff, then run this."""

from base64 import b64decode

import numpy as np

import edudiff as ed

TRAINING = b64decode(
{lines}
)
images = ed.data.from_uint8(np.frombuffer(TRAINING, np.uint8).reshape{images.shape})  # (N, H, W, C)
denoise = ed.scores.{made}
schedule = ed.schedule.cosine()
x = ed.reverse.start(schedule, (1, *images.shape[1:]), ed.support.random.streams({seed}, 1), like=images)
drawn = ed.reverse.sample(denoise, schedule, x, schedule.times({STEPS}))  # (1, H, W, C)
np.save("drawn.npy", drawn)
print(ed.plot.letters(drawn))
'''
