"""The denoising error of a random batch, perhaps shifted and mirrored, and its gradients."""

from typing import Any

import numpy as np

from edudiff.nn.net import Net
from edudiff.nn.noise_level import loss_weight
from edudiff.schedule import Schedule
from edudiff.support.arrays import array_namespace, move
from edudiff.support.random import as_streams
from edudiff.support.threads import map_threads
from edudiff.support.types import Array, Arrays

TINY = 1e-12  # from the ends, where a normal law's quantiles are infinite
PART = 8  # images that one core takes at a time


def denoising_loss(
    net: Net,
    images: Array,
    schedule: Schedule,
    rng: np.random.Generator,
    batch: int,
    weighting: str,
    labels: Array | None = None,
    drop_label: float = 0.0,
    shift: int = 0,
    flip: bool = False,
    times: str = "uniform",
) -> tuple[Any, Arrays]:
    """Weighted squared error of x0_hat on a fresh random batch, and its gradients in the parameters of `net`.

    Returns a float and a dict of arrays; on a GPU, instead of the float, an array of no dimensions, which nobody has
    waited for. `times`: "uniform" or "logit_normal", see `random_times`.
    `labels`: None, or the class of each of the `images`, (N,) host integers; each label of the batch becomes that of no
    class with probability `drop_label` (Ho & Salimans 2022, algorithm 1). `shift`, `flip`: see `augment`.
    Each core takes parts of PART images; they are added up in order, so the sum does not depend on the cores.
    """
    index = rng.integers(len(images), size=batch)  # (B,)
    x0 = images[move(index, images)]  # (B, H, W, C) or (B, D)
    t = random_times(batch, rng, times)  # (B,)
    noise = move(rng.standard_normal(x0.shape).astype(images.dtype), images)  # (B, H, W, C)
    if shift or flip:
        x0 = augment(x0, rng, shift, flip, circular=getattr(net.config, "padding", None) == "circular")
    extra: dict[str, Any] = {}
    if net.classes is not None:
        shown = np.full(batch, net.classes)  # (B,), of no class
        if labels is not None:
            shown = np.where(rng.random(batch) < drop_label, shown, labels[index])  # (B,)
        extra["labels"] = move(shown, images)  # (B,)
    if getattr(net.config, "dropout", 0.0):
        extra["rng"] = as_streams(rng, batch)
    alpha, sigma = schedule(t)  # (B,) each
    weight = loss_weight(alpha, sigma, weighting, net.config.sigma_data) / x0.size  # (B,)
    alpha, sigma, weight = (move(v.astype(images.dtype), images) for v in (alpha, sigma, weight))
    signal, spread, weight = (v.reshape(-1, *[1] * (x0.ndim - 1)) for v in (alpha, sigma, weight))  # (B, 1, 1, 1) each
    x = signal * x0 + spread * noise  # (B, H, W, C): edudiff.forward.add_noise without checks, which wait for a GPU

    def part(some):
        given = {name: values[some] for name, values in extra.items()}
        x0_hat, cache = net.trusting(x[some], alpha[some], sigma[some], **given)  # (b, H, W, C)
        error = x0_hat - x0[some]  # (b, H, W, C)
        dout = 2 * weight[some] * error  # (b, H, W, C)
        return (dout * error).sum() / 2, net.backward(dout, cache)

    here = array_namespace(images) is np
    size = PART if here and images.ndim == 4 else batch
    losses, gradients = zip(*map_threads(part, [slice(i, i + size) for i in range(0, batch, size)]), strict=True)
    total = sum(map(float, losses)) if here else sum(losses)
    return total, {name: sum(g[name] for g in gradients) for name in gradients[0]}


def random_times(count: int, rng: np.random.Generator, law: str = "uniform") -> Array:
    """Stratified random times, (count,): one in each of `count` equal slices of their law.

    `law`: "uniform" on [0, 1], or "logit_normal": 1 / (1 + exp(-z)) of a standard normal z, most of them in the middle
    (Esser et al. 2024, eq. 19), which flow matching prefers.
    """
    share = (np.arange(count) + rng.random(count)) / count  # (count,)
    if law == "uniform":
        return share
    from statistics import NormalDist  # it imports decimal and fractions

    z = [NormalDist().inv_cdf(min(max(one, TINY), 1 - TINY)) for one in share.tolist()]
    return 1 / (1 + np.exp(-np.array(z)))  # (count,)


def augment(x0: Array, rng: np.random.Generator, shift: int = 0, flip: bool = False, circular: bool = False) -> Array:
    """`x0` (B, H, W, C), each image shifted by up to `shift` pixels along both sides, and mirrored half of the time.

    What comes in at the border is the border pixel again, or with `circular` the other side of the image. Mirrored
    left to right. `rng`: a host generator. Returns a new array of the same shape.
    """
    xp = array_namespace(x0)
    count, height, width, _ = x0.shape
    down, right = rng.integers(-shift, shift + 1, size=(2, count, 1))  # (B, 1) each
    rows = np.arange(height) - down  # (B, H)
    cols = np.arange(width) - right  # (B, W)
    if flip:
        mirrored = rng.random((count, 1)) < 0.5  # (B, 1)
        cols = np.where(mirrored, cols[:, ::-1], cols)  # (B, W)
    rows = rows % height if circular else np.clip(rows, 0, height - 1)
    cols = cols % width if circular else np.clip(cols, 0, width - 1)
    rows, cols = move(rows[:, :, None], x0), move(cols[:, None, :], x0)  # (B, H, 1), (B, 1, W)
    return x0[xp.arange(count)[:, None, None], rows, cols]  # (B, H, W, C)
