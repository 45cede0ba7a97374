"""How a network learns how noisy its picture is: features of log(sigma / alpha), or of the published code's time."""

import math

import numpy as np

from edudiff.support.arrays import array_namespace, move

EMBEDDINGS = ("log_snr", "time", "fourier")
LARGEST = 10.0  # |log(sigma / alpha)| is cut here; exp(10) = 22,000 times more noise than signal is all noise
REACH = 5.0  # `shares` has its levels between -REACH and REACH; exp(5) = 148
FOURIER_DEVIATION = 2.0  # of the random frequencies, in periods over half the range


def log_ratio(alpha, sigma):
    """log(sigma / alpha), cut at -LARGEST and LARGEST: alpha = 0 (no signal) and sigma = 0 (no noise) are the ends."""
    xp = array_namespace(alpha, sigma)
    tiny = math.exp(-LARGEST)
    return xp.log(xp.maximum(sigma, tiny * alpha) / xp.maximum(alpha, tiny * sigma))  # (B,)


def shares(alpha, sigma, count):
    """How much each of `count` noise levels has in each item: (B,) noise levels -> (B, count), every row sums to 1.

    The levels lie equally spaced in log(sigma / alpha), from -REACH to REACH, and an item between two of them has
    shares in both, the nearer the more: what depends on them linearly is a straight line from level to level.
    """
    xp = array_namespace(alpha, sigma)
    if count == 1:
        return xp.ones((len(alpha), 1), alpha.dtype)  # (B, 1)
    place = (log_ratio(alpha, sigma) / REACH + 1) / 2 * (count - 1)  # (B,), in levels
    place = xp.clip(place, 0, count - 1)[:, None]  # (B, 1)
    return xp.maximum(1 - xp.abs(place - xp.arange(count, dtype=alpha.dtype)), 0)  # (B, count), a hat on each level


def features(alpha, sigma, size, embedding):
    """(B,) noise levels -> (B, size) features.

    "log_snr": sines and cosines of log(sigma / alpha), from half a period over the whole range to `size` / 4.
    "time": what the code of Kamb & Ganguli does: the time of the cosine schedule, in [0, 1], fed to the sinusoids of
    Vaswani et al. 2017, made for word positions 0, 1, 2, ...: their fastest has period 2 pi and most hardly move, so
    that the network can barely tell its noise levels apart. Kept because it is the published choice.
    "fourier": sines and cosines of log(sigma / alpha) at random frequencies, the same in every network (Tancik et al.
    2020, Song et al. 2021).
    """
    xp = array_namespace(alpha, sigma)
    half = xp.arange(size // 2, dtype=alpha.dtype)  # (size / 2,)
    if embedding == "time":
        time = xp.arctan2(sigma, alpha) * (2 / math.pi * 1.008)  # (B,), in [0, 1]
        angle = time[:, None] * xp.exp(half * (-math.log(10_000) / (size // 2)))  # (B, size / 2)
    else:
        time = log_ratio(alpha, sigma) / LARGEST  # (B,), in [-1, 1]
        angle = time[:, None] * (math.pi / 2) * (half + 1)  # (B, size / 2)
        if embedding == "fourier":
            drawn = np.random.default_rng(0).standard_normal(size // 2) * (2 * math.pi * FOURIER_DEVIATION)
            angle = time[:, None] * move(drawn.astype(alpha.dtype), alpha)  # (B, size / 2)
    return xp.concatenate([xp.sin(angle), xp.cos(angle)], axis=1)  # (B, size)
