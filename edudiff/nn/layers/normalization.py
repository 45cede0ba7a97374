"""Group normalization: each group of channels of each image gets mean 0 and variance 1."""

from typing import Any

from edudiff.support.arrays import array_namespace
from edudiff.support.types import Array

EPSILON = 1e-5


def group_norm(x: Array, gain: Array, shift: Array, groups: int) -> tuple[Array, Any]:
    """(x - mean) / sqrt(variance + 1e-5) * gain + shift, mean and variance over the pixels and channels of a group.

    `x`: (B, H, W, C). `gain`, `shift`: (C,). `groups`: how many groups of neighboring channels there are, a divisor
    of C. Returns out (B, H, W, C) and the cache. Raises ValueError if it is none. Source: Wu & He 2018, eq. 1-3.
    """
    xp = array_namespace(x, gain)
    count, height, width, channels = x.shape
    if channels % groups:
        raise ValueError(f"groups is {groups}, which does not divide {channels} channels")
    parts = x.reshape(count, height * width, groups, channels // groups)  # (B, H * W, G, C / G)
    centered = parts - parts.mean(axis=(1, 3), keepdims=True)  # (B, H * W, G, C / G)
    spread = xp.sqrt((centered * centered).mean(axis=(1, 3), keepdims=True) + EPSILON)  # (B, 1, G, 1)
    unit = centered / spread  # (B, H * W, G, C / G)
    return unit.reshape(x.shape) * gain + shift, (unit, spread, gain)


def group_norm_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Gradients of `group_norm`: returns dx (B, H, W, C), dgain (C,), dshift (C,).

    1. dshift = sum over images and pixels of dout
    2. dgain = the same sum of dout * unit
    3. dunit = dout * gain, and dx = (dunit - mean(dunit) - unit * mean(dunit * unit)) / spread, means over the group:
       what would change the group's mean or variance is taken out
    """
    unit, spread, gain = cache
    dshift = dout.sum(axis=(0, 1, 2))  # 1. (C,)
    dgain = (dout * unit.reshape(dout.shape)).sum(axis=(0, 1, 2))  # 2. (C,)
    dunit = (dout * gain).reshape(unit.shape)  # (B, H * W, G, C / G)
    along = (dunit * unit).mean(axis=(1, 3), keepdims=True)  # (B, 1, G, 1)
    dx = (dunit - dunit.mean(axis=(1, 3), keepdims=True) - unit * along) / spread  # 3. (B, H * W, G, C / G)
    return dx.reshape(dout.shape), dgain, dshift
