"""Where a trained network looks: how much each value of its answer changes with each value that it is asked."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from edudiff.forward import add_noise
from edudiff.schedule import Schedule
from edudiff.support import checks
from edudiff.support.arrays import array_namespace, to_numpy
from edudiff.support.random import standard_normal
from edudiff.support.types import Array, Rng


def sensitivity(net: Any, x: Array, alpha: float, sigma: float) -> Array:
    """Mean over a batch `x` (B, ...) of |dx0_hat_m / dx_j| of a network: (D, D) host float64, row j and column m.

    `net`: an `edudiff.nn.Net`: its `forward`, and its `input_gradient` once for each of the D values of an item.
    """
    alpha, sigma = checks.levels(alpha, sigma)
    xp, width = array_namespace(x), math.prod(x.shape[1:])
    answer, cache = net.forward(x, alpha, sigma)  # (B, ...)
    columns = []
    for m in range(width):
        dout = xp.zeros((len(x), width), answer.dtype)  # (B, D)
        dout[:, m] = 1
        slope = net.input_gradient(dout.reshape(answer.shape), cache)  # (B, ...)
        columns.append(to_numpy(abs(slope).mean(0, dtype="float64").reshape(-1)))  # (D,)
    return np.stack(columns, 1)  # (D, D)


def sensitivity_masks(
    net: Any, images: Array, schedule: Schedule, times: Array, rng: Rng, tau: float | None = 0.05
) -> Callable[[float, float], Array]:
    """Masks for `edudiff.denoisers.Masked` from the sensitivity of a network: a function (alpha, sigma) to (D, D).

    At each of `times` the sensitivity is measured on the `images` (B, ...) with noise from `rng`; another level has the
    mask of the nearest in log(sigma / alpha). `tau`: a value looks at those to which it is at least `tau` times as
    sensitive as to the strongest, and at itself: zeros and ones. None: soft masks, the sensitivity over the strongest,
    1 for the value itself. Raises ValueError for times without signal or noise, or a `tau` out of range.
    """
    if tau is not None and not 0 <= tau <= 1:
        raise ValueError(f"tau is {tau}, expected 0 <= tau <= 1, or None for soft masks")
    masks = []
    for t in np.asarray(times).tolist():
        alpha, sigma = schedule(t)
        if alpha <= 0 or sigma <= 0:
            raise ValueError(f"at t = {t} there is no {'signal' if alpha <= 0 else 'noise'}; leave this time out")
        x = add_noise(images, alpha, sigma, standard_normal(rng, images.shape, like=images))  # (B, ...)
        found = sensitivity(net, x, alpha, sigma)  # (D, D)
        share = found / np.maximum(found.max(0), 1e-300)  # (D, D)
        mask = share if tau is None else (share >= tau).astype("float64")  # (D, D)
        np.fill_diagonal(mask, 1.0)
        masks.append((math.log(sigma / alpha), mask))

    def mask_at(alpha: float, sigma: float) -> Array:
        level = math.inf if alpha == 0 else math.log(sigma / alpha)
        return min(masks, key=lambda one: abs(one[0] - min(level, 1e3)))[1]  # (D, D)

    return mask_at
