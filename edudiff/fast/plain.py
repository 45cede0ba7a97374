"""ELS and local scores as one compiled function that reads as the formula: the first rung, before the fast kernels.

x0_hat(i, j) = sum w y_n(p, q) / sum w,   w = exp(-|window of x at (i, j) - alpha window of y_n at (p, q)|^2 / 2s^2)

over all images y_n and the places (p, q) whose window sticks out as that of (i, j) does, with s = sigma (Kamb & Ganguli
2024, eq. 9-10 and B.2). `edudiff.scores.els` is the same in arrays. `patch` and `pruned` climb on from here: they add
up no square twice, take several images at once, and leave out what cannot matter.
"""

import math
from typing import Any

import numpy as np

from edudiff.fast.jit import compiled
from edudiff.support.types import Array

MODES: dict[str, Any] = {"zero": "constant", "circular": "wrap"}  # what NumPy calls them


def els(
    x: Array, images: Array, alpha: float, sigma: float, window: int, padding: str = "zero", shifts: bool = True
) -> Array:
    """The ELS score of `x` (B, H, W, C), or the local one without `shifts`: x0_hat, in the dtype of x.

    `images`: (N, H, W, C). `window`: the odd side of the windows. `padding`: "zero" or "circular".
    """
    r = window // 2
    around, mode = ((0, 0), (r, r), (r, r), (0, 0)), MODES[padding]
    padded = [np.pad(a.astype(np.float64), around, mode) for a in (x, images)]  # (B or N, H + 2r, W + 2r, C)
    x0_hat = np.empty(x.shape)  # (B, H, W, C)
    average(x0_hat, *padded, float(alpha), float(sigma), r, padding == "circular", shifts)
    return x0_hat.astype(x.dtype)


@compiled
def average(x0_hat, x, images, alpha, sigma, radius, circular, shifts):
    """Fill `x0_hat`, one pixel of one noisy image after the other, with the mean of the centers of its candidates."""
    batch, height, width, channels = x0_hat.shape
    num, rule = np.empty(channels), (radius, circular, shifts)
    for b in range(batch):
        for i in range(height):
            for j in range(width):
                top, den = -np.inf, 0.0  # the largest logit so far; the sum of the weights exp(logit - top)
                num[:] = 0.0  # the sum of weight * center
                for image in images:  # (H + 2r, W + 2r, C)
                    for p in range(height):
                        for q in range(width):
                            if not (alike(i, p, height, rule) and alike(j, q, width, rule)):
                                continue
                            logit = -distance(x[b], i, j, image, p, q, alpha, radius) / (2 * sigma**2)
                            if logit > top:  # all weights so far were relative to a lower top
                                fade = math.exp(top - logit)
                                top, den = logit, den * fade
                                num *= fade
                            weight = math.exp(logit - top)
                            den += weight
                            for c in range(channels):
                                num[c] += weight * image[p + radius, q + radius, c]
                x0_hat[b, i, j] = num / den


@compiled
def alike(i, p, length, rule):
    """May the windows of i and p be compared, along one axis: do they stick out of the image in the same way?"""
    radius, circular, shifts = rule
    return i == p or (shifts and (circular or (min(i, p) >= radius and max(i, p) < length - radius)))


@compiled
def distance(x, i, j, y, p, q, alpha, radius):
    """|window of x at (i, j) - alpha * window of y at (p, q)|^2: what sticks out is in the padding of both."""
    total = 0.0
    for a in range(2 * radius + 1):
        for b in range(2 * radius + 1):
            for c in range(x.shape[2]):
                total += (x[i + a, j + b, c] - alpha * y[p + a, q + b, c]) ** 2
    return total
