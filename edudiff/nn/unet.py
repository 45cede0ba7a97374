"""The denoiser that sees far: down to coarser pixels and back up, with a skip connection at every scale.

After the UNet of Kamb & Ganguli 2024: three scales of 64, 128 and 256 channels, no normalization, and no residual
around its blocks. What Levine & Weiss 2026 turn is a setting each: pooling, channels, depth, attention, padding; and
skip connections.
"""

import math
from dataclasses import KW_ONLY, dataclass, replace
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
from edudiff.nn.checking import receptive_field
from edudiff.nn.config import ConvConfig
from edudiff.nn.initial import Initial
from edudiff.nn.net import ConvolutionalNet
from edudiff.nn.noise_level import condition, condition_backward
from edudiff.support.settings import setting
from edudiff.support.types import Array, Arrays, Rng

POOLINGS = ("max", "average", "strided", "none")
UPSAMPLINGS = ("nearest", "bilinear", "transposed")
WIDE = 65  # pixels of the image in which its receptive field is measured


@dataclass(frozen=True, repr=False)
class UNetConfig(ConvConfig):
    """The settings of `UNet`."""

    channels: tuple[int, ...] = setting((64, 128, 256), "one number for each scale, the finest first", least=1)
    depth: int = setting(2, "blocks at each scale, on the way down and again on the way up", least=1)
    _: KW_ONLY
    pooling: str = setting(
        "max",
        "how 2x2 pixels become one: max, average, strided (a learned convolution), or none, which leaves all pixels",
        choices=POOLINGS,
    )
    upsampling: str = setting(
        "nearest", "how they become four again: nearest, bilinear or transposed (learned)", choices=UPSAMPLINGS
    )
    skips: bool = setting(True, "skip connections; without them all that is fine goes through the coarsest scale")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.channels:
            raise ValueError("channels is empty, expected one number for each scale, such as (64, 128, 256)")
        if any(scale >= len(self.channels) for scale in self.attention):
            raise ValueError(f"attention is {self.attention}, expected scales from 0 to {len(self.channels) - 1}")


class UNet(ConvolutionalNet):
    """A UNet on images of any size, such as `UNet((64, 128, 256), 2, "zero")`: channels, depth and padding."""

    config: UNetConfig

    def initial(self, make: Initial) -> None:
        """He et al. 2015 weights; the out-convolution, the attention and what the condition does start at zero."""
        config, channels = self.config, self.config.channels
        cond, coarsest = 2 * channels[0], len(channels) - 1
        condition_parameters(make, config, cond)

        def stage(name: str, scale: int, seen: int) -> None:
            width = channels[scale]
            for j in range(config.depth):
                block_parameters(make, f"{name}.{j}", (3, 3, width if j else seen, width), cond, config.groups)
            if scale in config.attention:
                attend_parameters(make, f"{name}.attention", width)

        for i in range(coarsest + 1):
            stage(f"down{i}", i, channels[i - 1] if i else config.image_channels + config.padding_channel)
        for i in reversed(range(coarsest)):
            fine, coarse = channels[i], channels[i + 1]
            if config.pooling == "strided":
                make.layer(f"pool{i}", (3, 3, fine, fine), 1.0)
            if config.pooling != "none" and config.upsampling == "transposed":
                make.normal(f"upsample{i}.w", (3, 3, coarse, coarse), 1 / math.sqrt(9 / 4 * coarse))
                make.constant(f"upsample{i}.b", coarse, 0.0)  # a fine pixel hears 9 / 4 windows on average
            stage(f"up{i}", i, coarse + fine * config.skips)
        make.layer("out", (3, 3, channels[0], config.image_channels), 0.0)

    def answer(self, x: Array, c_noise: Array, labels: Array | None = None, rng: Rng = None) -> tuple[Array, Any]:
        """Down, up and out: x (B, H, W, C) -> (B, H, W, C), and the cache."""
        p, run, config, cache = self.parameters, self.layers, self.config, {}
        cond, cache["condition"] = condition(p, config, c_noise, labels)  # (B, S)
        coarsest = len(config.channels) - 1
        h, skips = self.see(x), []
        for i in range(coarsest):
            h, cache[f"down{i}"] = self._stage(f"down{i}", i, h, cond, rng)  # (B, H / 2^i, W / 2^i, channels[i])
            skips.append(h)
            h, cache[f"pool{i}"] = self._pool(f"pool{i}", h)  # (B, H / 2^(i + 1), ..., channels[i])
        h, cache["bottom"] = self._stage(f"down{coarsest}", coarsest, h, cond, rng)
        for i in reversed(range(coarsest)):
            shape = skips[i].shape[1:3]
            h, cache[f"upsample{i}"] = self._upsample(f"upsample{i}", h, shape)  # (B, *shape, channels[i + 1])
            if config.skips:
                h, cache[f"skip{i}"] = run.concatenate(h, skips[i])  # (B, ..., channels[i + 1] + channels[i])
            h, cache[f"up{i}"] = self._stage(f"up{i}", i, h, cond, rng)  # (B, H / 2^i, W / 2^i, channels[i])
        out, cache["out"] = run.conv(h, p["out.w"], p["out.b"], config.padding)  # (B, H, W, C)
        return out, cache

    def answer_backward(self, dout: Array, cache: Any, need_dx: bool = False) -> tuple[Arrays, Array | None]:
        """Gradients from the gradient in the answer (B, H, W, C): `answer`, backwards."""
        run, grads = self.layers, {}
        dh, grads["out.w"], grads["out.b"] = run.conv_backward(dout, cache["out"])  # (B, H, W, channels[0])
        dcond: Any = 0.0
        dskips = []
        coarsest = len(self.config.channels) - 1
        for i in range(coarsest):
            dh, ds = self._stage_backward(f"up{i}", i, dh, cache[f"up{i}"], grads)
            dcond = dcond + ds  # the condition speaks to every block
            if self.config.skips:
                dh, dskip = run.concatenate_backward(dh, cache[f"skip{i}"])
                dskips.append(dskip)
            dh = self._upsample_backward(f"upsample{i}", dh, cache[f"upsample{i}"], grads)
        dh, ds = self._stage_backward(f"down{coarsest}", coarsest, dh, cache["bottom"], grads, need_dx or coarsest > 0)
        dcond = dcond + ds
        for i in reversed(range(coarsest)):
            dh = self._pool_backward(f"pool{i}", dh, cache[f"pool{i}"], grads)
            if self.config.skips:
                dh = run.add(dh, dskips[i])  # 1. through the coarser scales, 2. over the skip connection
            dh, ds = self._stage_backward(f"down{i}", i, dh, cache[f"down{i}"], grads, need_dx or i > 0)
            dcond = dcond + ds
        condition_backward(dcond, cache["condition"], grads)
        return grads, dh[..., : self.config.image_channels] if need_dx else None

    @property
    def receptive_field(self) -> float:
        """Side of the square of pixels, at most 65, that one pixel of the answer depends on; infinite as in `ResNet`.

        Measured with one channel at each scale, and averages for maxima: they pass on the same pixels, all at once.
        """
        if self.config.groups or self.config.attention:
            return math.inf
        thin: dict[str, Any] = {"channels": (1,) * len(self.config.channels), "heads": 1, "image_channels": 1}
        pooling = "average" if self.config.pooling == "max" else self.config.pooling
        return receptive_field(UNet(**vars(replace(self.config, **thin, pooling=pooling))), size=WIDE)

    def _stage(self, name, scale, h, cond, rng):
        """`depth` blocks, and attention if this scale has it."""
        caches = []
        for j in range(self.config.depth):
            h, cache = block(self, f"{name}.{j}", h, cond, rng)
            caches.append(cache)
        if scale in self.config.attention:
            h, cache = attend(self, f"{name}.attention", h)
            caches.append(cache)
        return h, caches

    def _stage_backward(self, name, scale, dh, caches, grads, need_dx=True):
        dcond: Any = 0.0
        if scale in self.config.attention:
            *caches, cache = caches
            dh = attend_backward(self, f"{name}.attention", dh, cache, grads)
        for j in reversed(range(self.config.depth)):
            dh, ds = block_backward(self, f"{name}.{j}", dh, caches[j], grads, need_dx or j > 0)
            dcond = dcond + ds
        return dh, dcond

    def _pool(self, name, h):
        """2x2 pixels become one: (B, H, W, C) -> (B, h, w, C), h = ceil(H / 2), and the cache; "none": all pixels."""
        p, run, kind = self.parameters, self.layers, self.config.pooling
        if kind == "none":
            return h, None
        if kind == "strided":
            return run.conv(h, p[f"{name}.w"], p[f"{name}.b"], self.config.padding, stride=2)
        return getattr(run, f"{kind}_pool")(h)

    def _pool_backward(self, name, dh, cache, grads):
        run, kind = self.layers, self.config.pooling
        if kind == "none":
            return dh
        if kind == "strided":
            dh, grads[f"{name}.w"], grads[f"{name}.b"] = run.conv_backward(dh, cache)
            return dh
        return getattr(run, f"{kind}_pool_backward")(dh, cache)

    def _upsample(self, name, h, shape):
        """One pixel becomes 2x2 again: (B, h, w, C) -> (B, H, W, C) with (H, W) = `shape`, and the cache."""
        p, run, config = self.parameters, self.layers, self.config
        if config.pooling == "none":
            return h, None
        if config.upsampling == "transposed":
            return run.conv_transpose(h, p[f"{name}.w"], p[f"{name}.b"], shape, config.padding)
        return run.bilinear(h, shape, config.padding) if config.upsampling == "bilinear" else run.nearest(h, shape)

    def _upsample_backward(self, name, dh, cache, grads):
        run, kind = self.layers, self.config.upsampling
        if self.config.pooling == "none":
            return dh
        if kind == "transposed":
            dh, grads[f"{name}.w"], grads[f"{name}.b"] = run.conv_transpose_backward(dh, cache)
            return dh
        return getattr(run, f"{kind}_backward")(dh, cache)
