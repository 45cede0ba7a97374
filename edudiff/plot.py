"""Pictures of results: functions that return a matplotlib Figure, how to show one, a film, letters without a screen."""

import atexit
import functools
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edudiff.support import checks, moving
from edudiff.support.arrays import to_numpy
from edudiff.support.types import Array

if TYPE_CHECKING:  # matplotlib is imported when a figure is made
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHADES = " .:-=+*#%@"
COLORS = ("#1f4aa0", "#ee8433", "#008a7e", "#000000", "#8ccbf2")  # told apart in gray and by the color-blind
MARKERS = "os^DvPX"  # with the colors: 35 lines that differ
FILM_SIDE = 112  # of an image of a film, in pixels of the screen, at most


def empty_figure(width: float, height: float) -> "Figure":
    """An empty Figure of so many inches, whose parts keep clear of each other. It needs no screen.

    Lines and bars that name no color are drawn in COLORS, in turn. What MPLBACKEND names may be unknown here, as in a
    command that a notebook starts: it is passed over.
    """
    _import_matplotlib()
    return _figure()(figsize=(width, height), layout="constrained")


@functools.cache
def _figure():
    """The class of Figures whose axes draw in COLORS."""
    from matplotlib.figure import Figure

    class Colored(Figure):
        def add_subplot(self, *args, **options):
            axis = super().add_subplot(*args, **options)
            axis.set_prop_cycle(color=COLORS)
            return axis

        def __reduce__(self):  # a class of a function has no address: pickled, it is a plain Figure
            return object.__new__, (Figure,), self.__getstate__()

    return Colored


def _import_matplotlib():
    """Import matplotlib where it would refuse: a wrong MPLBACKEND, no home for what it keeps."""
    if "matplotlib" in sys.modules:
        return
    if os.path.expanduser("~") == "~" and not os.environ.get("MPLCONFIGDIR"):
        kept = tempfile.mkdtemp(prefix="matplotlib-")
        os.environ["MPLCONFIGDIR"] = kept
        atexit.register(shutil.rmtree, kept, ignore_errors=True)
    named = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib
    finally:
        if named is not None:
            os.environ["MPLBACKEND"] = named
    if named:
        with suppress(ValueError):
            matplotlib.use(named)


def rows(
    images: Mapping[str, Array],
    captions: Mapping[str, Sequence[str]] | None = None,
    columns: int = 10,
    title: str | None = None,
) -> "Figure":
    """A Figure with a row of pictures for each name: the same column is the same noise in every row.

    `images`: {name: (B, H, W, C)} in [-1, 1], C 1 or 3. `captions`: {name: B strings} to stand under the pictures.
    `columns`: how many of the B are shown.
    """
    captions = captions or {}
    columns = min(columns, *(len(batch) for batch in images.values()))
    figure = empty_figure(1.3 + columns, 0.5 + 1.15 * len(images))
    axes = figure.subplots(len(images), squeeze=False)[:, 0]  # one a row: they take far longer to draw than pictures
    for axis, (name, batch) in zip(axes, images.items(), strict=True):
        pictures = np.stack([to_numpy(image) for image in batch[:columns]])  # (columns, H, W, C)
        height, width = pictures.shape[1:3]
        gap = -(-width // 12)
        show(axis, strip(pictures, gap)[:, :-gap])
        left = (width + gap) * np.arange(columns) - 0.5  # (columns,)
        across, down = np.array([0, width, width, 0, 0, np.nan]), np.array([0, 0, height, height, 0, np.nan])
        frames = (left[:, None] + across).ravel(), np.tile(down - 0.5, columns)  # (6 columns,) each
        axis.plot(*frames, color="black", linewidth=0.8, clip_on=False)
        axis.spines[:].set_visible(False)
        if name in captions:
            axis.set_xticks(left + width / 2, captions[name][:columns], fontsize=8)
            axis.tick_params(length=0, pad=2)
        axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def show(axis: "Axes", image: Array) -> None:
    """Draw one (H, W, C) picture in [-1, 1] on a matplotlib axis, without ticks; values beyond are cut."""
    pixels = np.clip((to_numpy(image) + 1) / 2, 0, 1)  # (H, W, C)
    pixels = pixels if pixels.shape[2] == 3 else pixels[..., 0]  # (H, W, 3) or (H, W)
    axis.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])


def strip(images: Array | Sequence[Array], gap: int = 1) -> Array:
    """Pictures (n, H, W, C) in [-1, 1] side by side, white lines between them: one of (H, n (W + gap), C)."""
    return np.concatenate(list(np.pad(images, ((0, 0), (0, 0), (0, gap), (0, 0)), constant_values=1)), axis=1)


def seams(axis: "Axes", numbers: Array) -> None:
    """Draw thin lines on a matplotlib axis between pixels that have different `numbers` (H, W): the edges of pieces."""
    line: dict[str, Any] = {"colors": "black", "linewidth": 0.6}
    i, j = np.nonzero(numbers[:, 1:] != numbers[:, :-1])
    axis.vlines(j + 0.5, i - 0.5, i + 0.5, **line)
    i, j = np.nonzero(numbers[1:] != numbers[:-1])
    axis.hlines(i + 0.5, j - 0.5, j + 0.5, **line)


def look(number: int) -> dict[str, Any]:
    """The color and the marker of the line with that number, from 0: no two of 35 have both alike."""
    return {"color": COLORS[number % len(COLORS)], "marker": MARKERS[number % len(MARKERS)]}


def curve(axis: "Axes", at: Sequence[float], intervals: Sequence[Sequence[float]], color: Any, label: str) -> None:
    """Draw values over `at` (n,) on a matplotlib axis, with their intervals: n times [value, low, high].

    `color`: the number of the line, which then has the color and the marker of `look`; or any of matplotlib's colors.
    """
    value, low, high = np.array(intervals).T  # (n,) each
    shown = look(color) if isinstance(color, int) else {"color": color, "marker": "*"}
    axis.plot(at, value, "-", label=label, **shown)
    axis.fill_between(at, low, high, color=shown["color"], alpha=0.15, linewidth=0)


def stepwise(table: Mapping[str, Mapping[str, Sequence[float]]], title: str | None = None) -> "Figure":
    """A Figure of the agreement at every step: lines for the same noisy image, dashed ones for each on its own way.

    `table`: {name: {"answers": [...], "paths": [...]}}, as `edudiff.compare.stepwise` gives it.
    """
    figure = empty_figure(6, 3.6)
    axis = figure.subplots()
    for i, (name, line) in enumerate(table.items()):
        for kind, style in (("answers", "-"), ("paths", "--")):
            axis.plot(line[kind], style, label=name if kind == "answers" else None, markersize=4, **look(i))
    axis.set(xlabel="reverse step", ylabel="r of x0_hat with the network's")
    axis.locator_params(axis="x", integer=True)
    axis.legend(title="line: same input\ndashed: own way", frameon=False, loc="lower left")
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def clouds(samples: Mapping[str, Mapping[str, Array]], reach: float = 1.3) -> "Figure":
    """A Figure of points in the plane: a row for each set, a column for each denoiser, its points over the data's.

    `samples`: {set: {name: (B, 2)}}, of which "data" is drawn gray below the others. Points further out than `reach`
    are not shown; their number stands in the corner.
    """
    names = [name for name in next(iter(samples.values())) if name != "data"]
    figure = empty_figure(1.6 * len(names), 1.65 * len(samples) + 0.2)
    axes = figure.subplots(len(samples), len(names), squeeze=False)
    for line, (title, clouds_of) in zip(axes, samples.items(), strict=True):
        for axis, name in zip(line, names, strict=True):
            for points, color in ((clouds_of["data"], "0.8"), (clouds_of[name], COLORS[0])):
                axis.plot(*to_numpy(points).T, ".", color=color, markersize=1.5)
            beyond = int((np.abs(to_numpy(clouds_of[name])) > reach).any(1).sum())
            if beyond:
                axis.text(0.97, 0.03, f"{beyond} beyond", transform=axis.transAxes, ha="right", fontsize=7)
            axis.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal")
            if title == next(iter(samples)):
                axis.set_title(name.replace("_", " "), fontsize=9)
        line[0].set_ylabel(title.replace("_", " "), fontsize=9)
    return figure


def losses(values: Sequence[float], window: int = 50) -> "Figure":
    """A Figure of the training loss on logarithmic axes: each step's, and the mean over `window` steps."""
    figure = empty_figure(6, 3.5)
    axis = figure.subplots()
    axis.loglog(np.arange(1, len(values) + 1), values, color="0.8", linewidth=0.7, label="each step")
    if len(values) > window:
        mean = np.convolve(values, np.full(window, 1 / window), mode="valid")
        axis.loglog(np.arange(window, len(values) + 1), mean, color=COLORS[0], label=f"mean of {window}")
    axis.set_xlabel("training step")
    axis.set_ylabel("loss")
    axis.legend(frameon=False)
    return figure


def history(state: Any) -> "Figure":
    """A Figure of a training run, from its `edudiff.nn.State`: loss, gradient length and learning rate of each step."""
    steps = np.arange(1, state.step + 1)
    curves = {"loss": state.losses, "gradient length": state.norms, "learning rate": state.rates}
    figure = empty_figure(6, 6)
    for axis, (name, values) in zip(figure.subplots(len(curves), sharex=True), curves.items(), strict=True):
        axis.semilogy(steps[len(steps) - len(values) :], values, linewidth=0.8)
        axis.set_ylabel(name)
    axis.set_xlabel("training step")
    return figure


def film(
    steps: Mapping[str, Iterable[Any]],
    path: str | Path,
    captions: Mapping[str, Sequence[str]] | None = None,
    columns: int = 6,
    title: str | None = None,
    seconds: float = 4.0,
) -> Path:
    """Write the reverse process as a moving picture: a row for each name, the same noise in each column.

    `steps`: {name: the steps of `edudiff.reverse.steps`}, of batches (B, H, W, C) in [-1, 1], C 1 or 3; all of as many
    steps and images. `path`: .gif, .png or .apng (an animated PNG), or .mp4 (needs the program ffmpeg). `captions`:
    {name: B strings} to stand under the last images. `columns`: how many of the B are shown. `seconds`: from noise to
    image; the last one stays for two more. Returns the path. Raises ValueError, TypeError, OSError, or ImportError
    without Pillow, before anything is written; RuntimeError if ffmpeg fails.
    """
    path = moving.check(path)
    seconds, columns = checks.positive(seconds, "seconds", most=3600.0), checks.integer(columns, "columns")
    frames = {name: _frames(name, walk, columns) for name, walk in steps.items()}  # (T + 1, B, H, W, C) each
    shapes = {batch.shape[:4] for batch in frames.values()}
    if len(shapes) != 1:
        told = ", ".join(f"{name}: {batch.shape}" for name, batch in frames.items()) or "none"
        raise ValueError(f"steps have shapes {told}; expected as many steps and images of one size for each name")
    for name, texts in (captions or {}).items():
        if name in frames and len(texts) < frames[name].shape[1]:
            raise ValueError(f"captions of {name!r} are {len(texts)}, expected one for each image")
    sheets = _sheets(frames, captions or {}, title)
    pause = round(1000 * seconds / (len(sheets) - 1))
    return moving.write(path, sheets, [700, *[pause] * (len(sheets) - 2), 2000])


def _frames(name: str, walk: Iterable[Any], columns: int) -> Array:
    """What a denoiser's batch is at each step, (T + 1, B, H, W, C): the noise first."""
    walk = list(walk)
    if not walk:
        raise ValueError(f"steps of {name!r} are none, expected those of edudiff.reverse.steps")
    if not all(hasattr(step, "x") and hasattr(step, "x_next") for step in walk):
        raise TypeError(f"steps of {name!r} hold {type(walk[0]).__name__}, expected those of edudiff.reverse.steps")
    batches = np.stack([to_numpy(x)[:columns] for x in (walk[0].x, *(step.x_next for step in walk))])
    if batches.ndim != 5 or batches.shape[4] not in (1, 3):
        raise ValueError(f"steps of {name!r} have shape {walk[0].x.shape}, expected images (B, H, W, C), C 1 or 3")
    return batches


def _sheets(frames: Mapping[str, Array], captions: Mapping[str, Sequence[str]], title: str | None) -> list[Any]:
    """The frames of a film as Pillow's images: names on the left, pictures enlarged by a whole number, a line below."""
    pil, first = moving.pillow(), next(iter(frames.values()))  # (T + 1, B, H, W, C)
    count, columns, height, width = first.shape[:4]
    font, small = pil.ImageFont.load_default(17), pil.ImageFont.load_default(14)
    scale = max(1, FILM_SIDE // max(height, width))
    left, above = 16 + round(max(font.getlength(name) for name in frames)), 34 if title else 8
    down, right = scale * height + (24 if captions else 8), scale * width + 8
    across = max(left + columns * right, left + 8 + round(font.getlength(title or "")))
    size = (across, above + len(frames) * down + 26)
    mode, white, black = ("L", 255, 0) if first.shape[4] == 1 else ("RGB", (255,) * 3, (0,) * 3)
    sheets = []
    for t in range(count):
        sheet = pil.Image.new(mode, size, white)
        pen = pil.ImageDraw.Draw(sheet)
        pen.text((left, 8), title or "", black, font)
        pen.text((left, size[1] - 22), f"reverse step {t} of {count - 1}", black, small)
        for row, (name, batches) in enumerate(frames.items()):
            top = above + row * down
            pen.text((left - 8, top + scale * height / 2), name, black, font, anchor="rm")
            for column, image in enumerate(_bytes(batches[t])):  # (H, W) or (H, W, 3)
                place = (left + column * right, top)
                picture = pil.Image.fromarray(image)
                sheet.paste(picture.resize((scale * width, scale * height), pil.Image.Resampling.NEAREST), place)
                if t == count - 1 and name in captions:
                    middle = (place[0] + scale * width / 2, top + scale * height + 10)
                    pen.text(middle, captions[name][column], black, small, anchor="mm")
        sheets.append(sheet)
    return sheets


def _bytes(images: Array) -> Array:
    """Images (B, H, W, C) in [-1, 1] as bytes in 64 shades, which a file keeps short: (B, H, W) or (B, H, W, 3)."""
    shades = np.rint(np.clip((images + 1) / 2, 0, 1) * 63) * (255 / 63)  # (B, H, W, C)
    return shades.astype("uint8").squeeze(3) if images.shape[3] == 1 else shades.astype("uint8")


def present(figure: "Figure", name: str) -> None:
    """Show a Figure where the reader is: below the cell in a notebook, else in the file `name`.png, which is named."""
    if "ipykernel" in sys.modules or "pyodide_kernel" in sys.modules:
        from IPython.display import Image, display

        image = io.BytesIO()
        figure.savefig(image, dpi=100)
        display(Image(image.getvalue()))
    else:
        figure.savefig(f"{name}.png", dpi=100)
        print(f"wrote {name}.png")


def explore(draw: Callable[..., None], **ranges: tuple[float, float, float]) -> None:
    """A window with a slider for each of `ranges`, name=(low, high, first): moving one calls `draw(axis, **values)`.

    `draw` gets an empty matplotlib axis. Opens only where there is a screen; elsewhere a line says so.
    """
    _import_matplotlib()
    import matplotlib.pyplot as plt
    from matplotlib.widgets import Slider

    figure = plt.figure(figsize=(6, 6))
    if figure.canvas.required_interactive_framework is None:
        plt.close(figure)
        print("the sliders need a window: run this lesson as a program, on a machine with a screen")
        return
    height = 0.04 * (1 + len(ranges))
    axis = figure.add_axes((0.1, height + 0.08, 0.8, 0.86 - height))
    sliders = {
        name: Slider(figure.add_axes((0.2, height - 0.04 * i, 0.6, 0.03)), name, low, high, valinit=first)
        for i, (name, (low, high, first)) in enumerate(ranges.items(), 1)
    }

    def redraw(_=None):
        axis.clear()
        draw(axis, **{name: slider.val for name, slider in sliders.items()})
        figure.canvas.draw_idle()

    for slider in sliders.values():
        slider.on_changed(redraw)
    redraw()
    plt.show()


def letters(images: Array) -> str:
    """A batch of pictures (B, H, W, C) as text, side by side: a letter pair a pixel, the denser the brighter."""
    gray = np.clip((to_numpy(images).mean(axis=3) + 1) / 2, 0, 1)  # (B, H, W)
    index = np.minimum((gray * len(SHADES)).astype(int), len(SHADES) - 1)  # (B, H, W)
    return "\n".join("  ".join("".join(2 * SHADES[i] for i in row) for row in line) for line in index.swapaxes(0, 1))
