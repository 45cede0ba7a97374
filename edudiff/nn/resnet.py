"""The trained denoiser: a residual convolutional network whose every pixel sees a small window.

in-convolution, `depth` residual blocks of one convolution each, out-convolution, all 3x3: `depth + 2` layers, so a
receptive field of `1 + 2 (depth + 2)` pixels (17 for depth 6, the network of Kamb & Ganguli 2024).
"""

import math
from dataclasses import dataclass
from typing import Any

from edudiff.nn.block import (
    attend,
    attend_backward,
    attend_parameters,
    block,
    block_backward,
    block_parameters,
    condition_parameters,
)
from edudiff.nn.config import ConvConfig
from edudiff.nn.initial import Initial
from edudiff.nn.net import ConvolutionalNet
from edudiff.nn.noise_level import condition, condition_backward
from edudiff.support.settings import setting
from edudiff.support.types import Array, Arrays, Rng


@dataclass(frozen=True, repr=False)
class ResNetConfig(ConvConfig):
    """The settings of `ResNet`."""

    channels: int = setting(48, "width of every layer", least=1)
    depth: int = setting(4, "residual blocks, of one convolution each", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(i >= self.depth for i in self.attention):
            what = f"attention is {self.attention}, expected numbers of residual blocks"
            raise ValueError(f"{what}, below depth = {self.depth}")


class ResNet(ConvolutionalNet):
    """A residual network on images of any size, such as `ResNet(64, 2, "zero")`: channels, depth and padding."""

    config: ResNetConfig

    def initial(self, make: Initial) -> None:
        """He et al. 2015 weights; the out-convolution, the attention and what the condition does start at zero."""
        config, channels = self.config, self.config.channels
        condition_parameters(make, config, 2 * channels)
        seen = config.image_channels + config.padding_channel
        block_parameters(make, "in", (3, 3, seen, channels), 2 * channels, config.groups)
        for i in range(config.depth):
            block_parameters(make, f"block{i}", (3, 3, channels, channels), 2 * channels, config.groups)
        make.layer("out", (3, 3, channels, config.image_channels), 0.0)
        for i in config.attention:
            attend_parameters(make, f"attention{i}", channels)

    def answer(self, x: Array, c_noise: Array, labels: Array | None = None, rng: Rng = None) -> tuple[Array, Any]:
        """Through all blocks: x (B, H, W, C) -> (B, H, W, C), and the cache."""
        p, run, config, cache = self.parameters, self.layers, self.config, {}
        cond, cache["condition"] = condition(p, config, c_noise, labels)  # (B, 2 * channels)
        h, cache["in"] = block(self, "in", self.see(x), cond, rng)  # (B, H, W, channels)
        for i in range(config.depth):
            y, cache[f"block{i}"] = block(self, f"block{i}", h, cond, rng)  # (B, H, W, channels)
            h = run.add(h, y)  # (B, H, W, channels)
            if i in config.attention:
                h, cache[f"attention{i}"] = attend(self, f"attention{i}", h)
        out, cache["out"] = run.conv(h, p["out.w"], p["out.b"], config.padding)  # (B, H, W, C)
        return out, cache

    def answer_backward(self, dout: Array, cache: Any, need_dx: bool = False) -> tuple[Arrays, Array | None]:
        """Gradients from the gradient in the answer (B, H, W, C): `answer`, backwards."""
        run, config, grads = self.layers, self.config, {}
        dh, grads["out.w"], grads["out.b"] = run.conv_backward(dout, cache["out"])  # (B, H, W, channels)
        dcond: Any = 0.0
        for i in reversed(range(config.depth)):
            if i in config.attention:
                dh = attend_backward(self, f"attention{i}", dh, cache[f"attention{i}"], grads)
            dx, ds = block_backward(self, f"block{i}", dh, cache[f"block{i}"], grads)
            dcond = dcond + ds  # the condition speaks to every block
            dh = run.add(dh, dx)  # 1. around the block, 2. through it
        dx, ds = block_backward(self, "in", dh, cache["in"], grads, need_dx)  # (B, H, W, C + 1)
        condition_backward(dcond + ds, cache["condition"], grads)
        return grads, None if dx is None else dx[..., : config.image_channels]

    @property
    def receptive_field(self) -> float:
        """Side of the square of pixels that one pixel of the answer depends on; infinite with attention or groups."""
        return math.inf if self.config.attention or self.config.groups else 1 + 2 * (self.config.depth + 2)
