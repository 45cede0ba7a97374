"""How exact a sum of squared differences in float32 can be, and what to do where that is not enough.

A logit is a window's summed squared difference over 2 sigma^2. It is known to about 1e-7 of its own size, and only
differences between logits matter: a part that all candidates share costs digits and gains nothing. So a guess of the
squared difference that counts is taken off each pixel before the sum. Where the sums stay too large for float32 and
more than one candidate matters, `doubtful` says so, and the query is computed again in float64. In float64 itself none
of this is needed.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from edudiff.denoisers.windows import box_sums
from edudiff.support.arrays import array_namespace
from edudiff.support.softmax import Part
from edudiff.support.types import Array

EPSILON = 3e-8  # root mean square of the relative rounding error of one float32 operation
TOLERANCE = 2e-6  # of a pixel; the error found by measurement is up to 4 times the estimate
CHUNK = 1024  # images that are turned into float64 at once


def rechecked(engine: Any, images: Array, padding: str) -> Callable[..., list[Part]]:
    """`engine` made as exact for float32 as it needs to be: a function with the same call.

    `engine`: of a `Patch` with the training set `images` (N, H, W, C), such as `windows.Arrays`.
    """
    return partial(_evaluate, engine, *moments(images), padding)  # which can be pickled


def _evaluate(
    engine: Any,
    mean: float,
    variance: float,
    padding: str,
    x: Array,
    alpha: float,
    sigma: float,
    windows: Sequence[int],
    number: int | None = None,
    *,
    moments: bool = False,
) -> list[Part]:
    xp = array_namespace(x)
    typical = expected_square(x, alpha, sigma, mean, variance)  # (B, H, W)
    wide = typical.astype("float64")[..., None]  # (B, H, W, 1)
    offsets = [box_sums(xp, wide, k, padding=padding)[..., 0] / (-2 * sigma**2) for k in windows]  # (B, H, W) each
    parts = engine(x, alpha, sigma, windows, number, typical, offsets, moments)
    again = xp.zeros(len(x), dtype=bool)  # (B,)
    for k, part, offset in zip(windows, parts, offsets, strict=True):
        values = min(k, x.shape[1]) * min(k, x.shape[2]) * x.shape[3]
        again |= doubtful(part, offset, x, sigma, values, engine.fused)
    if bool(again.any()):
        exact = engine(x[again].astype("float64"), alpha, sigma, windows, number, moments=moments)
        for part, better in zip(parts, exact, strict=True):
            for old, new in zip(part, better, strict=True):
                old[again] = new
    return parts


def moments(images: Array) -> tuple[float, float]:
    """Mean and variance of all values of `images` (N, ...), two floats; never needs a float64 copy of them all."""
    total = squares = 0.0
    for first in range(0, len(images), CHUNK):
        some = images[first : first + CHUNK].astype("float64")
        total, squares = total + float(some.sum()), squares + float((some**2).sum())
    mean = total / images.size
    return mean, max(squares / images.size - mean**2, 0.0)


def expected_square(x: Array, alpha: float, sigma: float, mean: float, variance: float) -> Array:
    """E[|x - alpha x0|^2 | x] at each pixel if pixels were independent and Gaussian: (B, H, W, C) to (B, H, W).

    At small sigma it is sigma^2 per channel, at large sigma nearly (x - alpha mean)^2; `mean`, `variance`: of all
    training pixels, two floats.
    """
    total = alpha**2 * variance + sigma**2
    residual = (x - alpha * mean) * (sigma**2 / total)  # (B, H, W, C)
    return (residual**2 + alpha**2 * variance * sigma**2 / total).sum(-1)  # (B, H, W)


def doubtful(part: Part, offset: Array, x: Array, sigma: float, values: int, fused: bool) -> Array:
    """For which queries float32 logits are too coarse: booleans, (B,).

    `part`: (top, num, den), maybe with moments. `offset` (B, H, W): the shared part of the logits, left out where they
    were summed. `values`: how many squared differences a window has. `fused`: is x - alpha y rounded once only?
    """
    top, _, den, *_ = part
    full, summed = abs(top), abs(top - offset)  # (B, H, W) each
    # Rounding errors of single values add up like a random walk; those of the last sums are of the size of the sums.
    error = full / values**0.5 + summed  # (B, H, W)
    if not fused:
        largest = abs(x).max((1, 2, 3))[:, None, None]  # (B, 1, 1)
        error = error + (2 * full) ** 0.5 * largest / sigma  # (B, H, W)
    # An error matters where weights are shared: none where one candidate has all, little where very many have some.
    first = 1 / den  # (B, H, W)
    change = 2 * EPSILON * error * first**0.5 * (1 - first)  # (B, H, W)
    return (~(change <= TOLERANCE)).any((1, 2))  # (B,), also where it is NaN
