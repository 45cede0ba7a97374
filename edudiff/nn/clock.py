"""How a network learns how noisy its picture is: features of log(sigma / alpha), or of the published code's time."""

import math

from edudiff.backend import array_module

CLOCKS = ("log_snr", "time")
LARGEST = 10.0  # |log(sigma / alpha)| is cut here; exp(10) = 22,000 times more noise than signal is all noise


def features(alpha, sigma, size, clock):
    """(B,) noise levels -> (B, size) features.

    "log_snr": sines and cosines of log(sigma / alpha), from half a period over the whole range to `size` / 4.
    "time": what the code of Kamb & Ganguli does: the time of the cosine schedule, in [0, 1], fed to the sinusoids of
    Vaswani et al. 2017, made for word positions 0, 1, 2, ...: their fastest has period 2 pi and most hardly move, so
    that the network can barely tell its noise levels apart. Kept because it is the published choice.
    """
    xp = array_module(alpha, sigma)
    half = xp.arange(size // 2, dtype=alpha.dtype)  # (size / 2,)
    if clock == "log_snr":
        # alpha = 0 (no signal) and sigma = 0 (no noise) are the ends of the range
        tiny = math.exp(-LARGEST)
        time = xp.log(xp.maximum(sigma, tiny * alpha) / xp.maximum(alpha, tiny * sigma)) / LARGEST  # (B,), in [-1, 1]
        angle = time[:, None] * (math.pi / 2) * (half + 1)  # (B, size / 2)
    else:
        time = xp.arctan2(sigma, alpha) * (2 / math.pi * 1.008)  # (B,), in [0, 1]
        angle = time[:, None] * xp.exp(half * (-math.log(10_000) / (size // 2)))  # (B, size / 2)
    return xp.concatenate([xp.sin(angle), xp.cos(angle)], axis=1)  # (B, size)
