"""All that depends on the noise level: preconditioning, what a network is told of it, how much an error counts there.

Preconditioning has the names of Karras et al. 2022, table 1: with F the layers of a network,

    x0_hat = c_skip * x + c_out * F(c_in * x, c_noise)
"""

import math
from typing import Any

import numpy as np

from edudiff.nn import layers
from edudiff.support import checks
from edudiff.support.arrays import array_namespace, move
from edudiff.support.types import Array, Arrays

TARGETS = ("edm", "eps", "x0", "v", "flow")
TIMES = ("uniform", "logit_normal")
WEIGHTINGS = ("edm", "eps", "v", "x0", "min_snr")
EMBEDDINGS = ("log_snr", "time", "fourier")
LARGEST = 10.0  # |c_noise| is cut here; exp(10) = 22,000 times more noise than signal is all noise
REACH = 5.0  # `shares` has its levels between -REACH and REACH; exp(5) = 148
FOURIER_DEVIATION = 2.0  # of the random frequencies, in periods over half the range
LEAST_SIGNAL = 1e-4  # x0 = (x - sigma * noise) / alpha: with no signal, no x0; the answer stays finite
LEAST_NOISE = 1e-4  # t = 0 exactly would weigh infinitely
MOST_SNR = 5.0


def preconditioning(alpha: Array, sigma: Array, sigma_data: float, target: str = "edm") -> tuple[Array, ...]:
    """c_skip, c_out, c_in, c_noise, (B,) each, from noise levels `alpha`, `sigma` (B,) and the data's root mean square.

    "eps": F is noise_hat, so x0_hat = (x - sigma * F) / alpha (Ho et al. 2020).
    "x0": F is x0_hat.
    "v": F is alpha * noise - sigma * x0, so x0_hat = (alpha * x - sigma * F) / (alpha**2 + sigma**2) (Salimans & Ho
    2022, appendix D).
    "flow": F is noise - x0, so x0_hat = (x - sigma * F) / (alpha + sigma): the velocity of the straight path from the
    data to the noise (Lipman et al. 2023), here asked for whatever path the schedule takes.
    "edm": Karras et al. 2022, table 1, for x / alpha at noise sigma / alpha, multiplied out so that alpha = 0 is no
    special case: input and answer have unit size at every level. Only this one scales what the network sees.
    """
    xp, c_noise = array_namespace(alpha, sigma), log_ratio(alpha, sigma)
    one = xp.ones_like(alpha)
    if target == "eps":
        signal = xp.maximum(alpha, LEAST_SIGNAL)
        return 1 / signal, -sigma / signal, one, c_noise
    if target == "x0":
        return 0 * one, one, one, c_noise
    if target == "v":
        power = alpha**2 + sigma**2
        return alpha / power, -sigma / power, one, c_noise
    if target == "flow":
        return 1 / (alpha + sigma), -sigma / (alpha + sigma), one, c_noise
    rms = xp.sqrt(alpha**2 * sigma_data**2 + sigma**2)  # of x
    return alpha * sigma_data**2 / rms**2, sigma * sigma_data / rms, 1 / rms, c_noise


def log_ratio(alpha: Array, sigma: Array) -> Array:
    """c_noise = log(sigma / alpha), (B,), cut at -LARGEST and LARGEST: no signal and no noise are the ends."""
    xp = array_namespace(alpha, sigma)
    tiny = math.exp(-LARGEST)
    return xp.log(xp.maximum(sigma, tiny * alpha) / xp.maximum(alpha, tiny * sigma))  # (B,)


def features(c_noise: Array, size: int, embedding: str) -> Array:
    """(B,) noise levels -> (B, size) features.

    "log_snr": sines and cosines of c_noise, from half a period over the whole range to `size` / 4.
    "time": what the code of Kamb & Ganguli does: the time of the cosine schedule, in [0, 1], fed to the sinusoids of
    Vaswani et al. 2017, made for word positions 0, 1, 2, ...: their fastest has period 2 pi and most hardly move, so
    that the network can barely tell its noise levels apart. Kept because it is the published choice.
    "fourier": sines and cosines of c_noise at random frequencies, the same in every network (Tancik et al. 2020, Song
    et al. 2021).
    """
    xp = array_namespace(c_noise)
    half = xp.arange(size // 2, dtype=c_noise.dtype)  # (size / 2,)
    if embedding == "time":
        time = xp.arctan(xp.exp(c_noise)) * (2 / math.pi * 1.008)  # (B,), in [0, 1]
        angle = time[:, None] * xp.exp(half * (-math.log(10_000) / (size // 2)))  # (B, size / 2)
    elif embedding == "fourier":
        drawn = np.random.default_rng(0).standard_normal(size // 2) * (2 * math.pi * FOURIER_DEVIATION)
        angle = (c_noise / LARGEST)[:, None] * move(drawn.astype(c_noise.dtype), c_noise)  # (B, size / 2)
    else:
        angle = (c_noise / LARGEST)[:, None] * (math.pi / 2) * (half + 1)  # (B, size / 2)
    return xp.concatenate([xp.sin(angle), xp.cos(angle)], axis=1)  # (B, size)


def shares(c_noise: Array, count: int) -> Array:
    """How much each of `count` noise levels has in each item: (B,) -> (B, count), every row sums to 1.

    The levels lie equally spaced from -REACH to REACH, and an item between two of them has shares in both, the nearer
    the more: what depends on them linearly is a straight line from level to level.
    """
    xp = array_namespace(c_noise)
    if count == 1:
        return xp.ones((len(c_noise), 1), c_noise.dtype)  # (B, 1)
    place = (c_noise / REACH + 1) / 2 * (count - 1)  # (B,), in levels
    place = xp.clip(place, 0, count - 1)[:, None]  # (B, 1)
    return xp.maximum(1 - xp.abs(place - xp.arange(count, dtype=c_noise.dtype)), 0)  # (B, count), a hat on each level


def condition(p: Arrays, config: Any, c_noise: Array, labels: Array | None) -> tuple[Array, Any]:
    """What every block of a network hears, silu(dense(noise-level embedding) + class vector): (B, S), and the cache.

    `p`: parameters "embedding.w", "embedding.b" and with classes "class.table", whose last row is the null class.
    """
    embedding = features(c_noise, config.embedding_size, config.embedding)  # (B, embedding_size)
    vector, cache_embedding = layers.dense(embedding, p["embedding.w"], p["embedding.b"])  # (B, S)
    cache_class = None
    if labels is not None:
        of_class, cache_class = layers.embed(labels, p["class.table"])  # (B, S)
        vector = layers.add(vector, of_class)
    vector, cache_act = layers.silu(vector)  # (B, S)
    return vector, (cache_embedding, cache_class, cache_act)


def condition_backward(dvector: Array, cache: Any, gradients: Arrays) -> None:
    """From the gradient in the vectors (B, S): writes those of the parameters into the dict `gradients`."""
    cache_embedding, cache_class, cache_act = cache
    dvector = layers.silu_backward(dvector, cache_act)  # (B, S)
    if cache_class is not None:
        gradients["class.table"] = layers.embed_backward(dvector, cache_class)
    _, gradients["embedding.w"], gradients["embedding.b"] = layers.dense_backward(dvector, cache_embedding)


def loss_weight(alpha: Array, sigma: Array, weighting: str, sigma_data: float) -> Array:
    """Weight of the squared error of x0_hat at each noise level: (B,) host arrays -> (B,). snr = (alpha / sigma)**2.

    "edm": 1 / c_out**2, so that the answer of an "edm" network counts alike at every level (Karras et al. 2022, table
    1).
    "eps": snr, which makes it the squared error of noise_hat (Ho et al. 2020, eq. 14).
    "v": (snr + 1) * (alpha**2 + sigma**2), the squared error of the velocity (Salimans & Ho 2022, section 4).
    "min_snr": the smaller of snr and 5 (Hang et al. 2023, eq. 5).
    "x0": 1, the squared error of x0_hat itself.

    Raises ValueError for another name.
    """
    checks.one_of(weighting, WEIGHTINGS, "weighting")
    sigma = np.maximum(sigma, LEAST_NOISE)
    snr = (alpha / sigma) ** 2
    if weighting == "edm":
        return (alpha**2 * sigma_data**2 + sigma**2) / (sigma * sigma_data) ** 2
    if weighting == "v":
        return (snr + 1) * (alpha**2 + sigma**2)
    if weighting == "min_snr":
        return np.minimum(snr, MOST_SNR)
    return np.ones_like(alpha) if weighting == "x0" else snr
