"""The denoising error of a random batch, and its gradients."""

import numpy as np

from edudiff.forward import add_noise
from edudiff.nn.augment import augment
from edudiff.nn.weighting import loss_weight
from edudiff.support.arrays import array_namespace, move
from edudiff.support.random import as_streams
from edudiff.support.threads import map_threads

PART = 8  # pictures that one core takes at a time


def denoising_loss(net, images, schedule, rng, batch, weighting, labels=None, drop_label=0.0, shift=0, flip=False):
    """Weighted squared error of x0_hat on a fresh random batch, and its gradients in the parameters of `net`.

    Returns a float and a dict of arrays. The times are stratified: one in each of `batch` equal slices of [0, 1].
    `labels`: None, or the class of each of the `images`, (N,) host integers; each label of the batch becomes that of no
    class with probability `drop_label` (Ho & Salimans 2022, algorithm 1). `shift`, `flip`: see `edudiff.nn.augment`.
    Each core takes parts of PART pictures; they are added up in order, so the sum does not depend on the cores.
    """
    index = rng.integers(len(images), size=batch)  # (B,)
    x0 = images[move(index, images)]  # (B, H, W, C) or (B, D)
    t = (np.arange(batch) + rng.random(batch)) / batch  # (B,)
    noise = move(rng.standard_normal(x0.shape).astype(images.dtype), images)  # (B, H, W, C)
    if shift or flip:
        x0 = augment(x0, rng, shift, flip, circular=net.config.get("padding") == "circular")
    extra = {}
    if labels is not None:
        dropped = rng.random(batch) < drop_label  # (B,)
        extra["labels"] = np.where(dropped, net.config["classes"], labels[index])  # (B,)
    if net.config.get("dropout"):
        extra["rng"] = as_streams(rng, batch)
    alpha, sigma = schedule(t)  # (B,) each
    weight = loss_weight(alpha, sigma, weighting, net.config["sigma_data"]) / x0.size  # (B,)
    alpha, sigma, weight = (move(v.astype(images.dtype), images) for v in (alpha, sigma, weight))
    x = add_noise(x0, alpha, sigma, noise)  # (B, H, W, C)
    weight = weight.reshape(-1, *[1] * (x.ndim - 1))  # (B, 1, 1, 1)

    def part(some):
        given = {name: values[some] for name, values in extra.items()}
        x0_hat, cache = net.forward(x[some], alpha[some], sigma[some], **given)  # (b, H, W, C)
        error = x0_hat - x0[some]  # (b, H, W, C)
        dout = 2 * weight[some] * error  # (b, H, W, C)
        return float((dout * error).sum() / 2), net.backward(dout, cache)

    size = PART if array_namespace(images) is np and images.ndim == 4 else batch
    losses, gradients = zip(*map_threads(part, [slice(i, i + size) for i in range(0, batch, size)]), strict=True)
    return sum(losses), {name: sum(g[name] for g in gradients) for name in gradients[0]}
