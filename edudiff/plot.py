"""Pictures of results: functions that return a matplotlib Figure, and one that draws with letters if there is none."""

import numpy as np

from edudiff.backend import to_numpy

SHADES = " .:-=+*#%@"


def rows(pictures, captions=None, columns=10, title=None):
    """A Figure with a row of pictures for each name: the same column is the same noise in every row.

    `pictures`: {name: (B, H, W, C)} in [-1, 1], C 1 or 3. `captions`: {name: B strings} to stand under the pictures.
    `columns`: how many of the B are shown.
    """
    from matplotlib.figure import Figure

    captions = captions or {}
    columns = min(columns, *(len(batch) for batch in pictures.values()))
    figure = Figure(figsize=(1.3 + columns, 0.5 + 1.15 * len(pictures)), layout="constrained")
    axes = figure.subplots(len(pictures), columns, squeeze=False)
    for line, (name, batch) in zip(axes, pictures.items(), strict=True):
        for i, axis in enumerate(line):
            show(axis, batch[i])
            if name in captions:
                axis.set_xlabel(captions[name][i], fontsize=8, labelpad=1)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def show(axis, picture):
    """Draw one (H, W, C) picture in [-1, 1] on a matplotlib axis, without ticks; values beyond are cut."""
    pixels = np.clip((to_numpy(picture) + 1) / 2, 0, 1)  # (H, W, C)
    pixels = pixels if pixels.shape[2] == 3 else pixels[..., 0]  # (H, W, 3) or (H, W)
    axis.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])


def losses(values, window=50):
    """A Figure of the training loss on logarithmic axes: each step's, and the mean over `window` steps."""
    from matplotlib.figure import Figure

    values = np.asarray(values)
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axis = figure.subplots()
    axis.loglog(np.arange(1, len(values) + 1), values, color="0.8", linewidth=0.7, label="each step")
    if len(values) > window:
        mean = np.convolve(values, np.full(window, 1 / window), mode="valid")
        axis.loglog(np.arange(window, len(values) + 1), mean, color="C0", label=f"mean of {window}")
    axis.set_xlabel("training step")
    axis.set_ylabel("loss")
    axis.legend(frameon=False)
    return figure


def letters(pictures):
    """A batch of pictures (B, H, W, C) as text, side by side: a letter pair a pixel, the denser the brighter."""
    grey = np.clip((to_numpy(pictures).mean(axis=3) + 1) / 2, 0, 1)  # (B, H, W)
    index = np.minimum((grey * len(SHADES)).astype(int), len(SHADES) - 1)  # (B, H, W)
    return "\n".join("  ".join("".join(2 * SHADES[i] for i in row) for row in line) for line in index.swapaxes(0, 1))
