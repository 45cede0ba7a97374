"""The denoiser that sees far: down to coarser pixels and back up, with a skip connection at every scale.

After the UNet of Kamb & Ganguli 2024: three scales of 64, 128 and 256 channels, no normalization, and no residual
around its blocks. What Levine & Weiss 2026 turn is a setting each: pooling, channels, depth, attention, padding.
"""

import numpy as np

from edudiff.nn.block import (
    attend,
    attend_backward,
    attend_parameters,
    block,
    block_backward,
    block_parameters,
    check_divisors,
)
from edudiff.nn.condition import condition, condition_backward
from edudiff.nn.convolutional import ConvolutionalNet, checked
from edudiff.nn.initial import Initial
from edudiff.nn.receptive import receptive_field
from edudiff.nn.rescale import (
    POOLINGS,
    UPSAMPLINGS,
    pool,
    pool_backward,
    rescale_parameters,
    upsample,
    upsample_backward,
)
from edudiff.nn.settings import several, whole
from edudiff.support import checks


class UNet(ConvolutionalNet):
    """A denoiser `net(x, alpha, sigma) -> x0_hat` with parameters to train.

    `channels`: one number for each scale, the finest first. `depth`: blocks of one 3x3 convolution at each scale, on
    the way down and again on the way up. `pooling`: how 2x2 pixels become one, "max", "average" or "strided" (a learned
    convolution); "none" leaves every scale at full resolution. `upsampling`: how they become four again, "nearest",
    "bilinear" or "transposed" (learned). `attention`: the scales, 0 the finest, at which every pixel looks at all
    others after the last block. Pictures of any size. All other settings as `ResNet`.
    """

    def __init__(
        self,
        channels=(64, 128, 256),
        depth=2,
        *,
        pooling="max",
        upsampling="nearest",
        attention=(),
        heads=1,
        image_channels=1,
        padding="zero",
        embedding="log_snr",
        target="edm",
        border_channel=True,
        activation="silu",
        sigma_data=0.5,
        embedding_size=64,
        classes=None,
        groups=0,
        dropout=0.0,
        rng=None,
        dtype=np.float32,
        backend=None,
    ):
        config = checked(
            channels=several(channels, "channels", least=1),
            depth=whole(depth, "depth"),
            pooling=checks.one_of(pooling, POOLINGS, "pooling"),
            upsampling=checks.one_of(upsampling, UPSAMPLINGS, "upsampling"),
            attention=several(attention, "attention", least=0),
            heads=heads,
            image_channels=image_channels,
            padding=padding,
            embedding=embedding,
            target=target,
            border_channel=border_channel,
            activation=activation,
            sigma_data=sigma_data,
            embedding_size=embedding_size,
            classes=classes,
            groups=groups,
            dropout=dropout,
        )
        if not config["channels"]:
            raise ValueError("channels is empty, expected one number for each scale, such as (64, 128, 256)")
        check_divisors(config, config["channels"])
        for scale in config["attention"]:
            if scale >= len(config["channels"]):
                raise ValueError(f"attention is {attention}, expected scales from 0 to {len(config['channels']) - 1}")
        super().__init__(config, _initial(config, Initial(rng, dtype)), backend)

    def answer(self, x, alpha, sigma, labels=None, rng=None):
        """Down, up and out: x (B, H, W, C) -> (B, H, W, C), and the cache."""
        p, run, config, cache = self.parameters, self.layers, self.config, {}
        cond, cache["condition"] = condition(p, config, alpha, sigma, labels)  # (B, S)
        coarsest = len(config["channels"]) - 1
        h, skips = self.see(x), []
        for i in range(coarsest):
            h, cache[f"down{i}"] = self._stage(f"down{i}", h, cond, rng)  # (B, H / 2^i, W / 2^i, channels[i])
            skips.append(h)
            h, cache[f"pool{i}"] = pool(run, p, config, f"pool{i}", h)  # (B, H / 2^(i + 1), ..., channels[i])
        h, cache[f"down{coarsest}"] = self._stage(f"down{coarsest}", h, cond, rng)
        for i in reversed(range(coarsest)):
            shape = skips[i].shape[1:3]
            h, cache[f"upsample{i}"] = upsample(
                run, p, config, f"upsample{i}", h, shape
            )  # (B, *shape, channels[i + 1])
            h, cache[f"skip{i}"] = run.concatenate(h, skips[i])  # (B, ..., channels[i + 1] + channels[i])
            h, cache[f"up{i}"] = self._stage(f"up{i}", h, cond, rng)  # (B, H / 2^i, W / 2^i, channels[i])
        out, cache["out"] = run.conv(h, p["out.w"], p["out.b"], config["padding"])  # (B, H, W, C)
        return out, cache

    def answer_backward(self, dout, cache, need_dx=False):
        """Gradients from the gradient in the answer (B, H, W, C): `answer`, backwards."""
        run, config, grads = self.layers, self.config, {}
        dh, grads["out.w"], grads["out.b"] = run.conv_backward(dout, cache["out"])  # (B, H, W, channels[0])
        dcond, dskips = 0.0, []
        coarsest = len(config["channels"]) - 1
        for i in range(coarsest):
            dh, ds = self._stage_backward(f"up{i}", dh, cache[f"up{i}"], grads)
            dcond = dcond + ds  # the condition speaks to every block
            dh, dskip = run.concatenate_backward(dh, cache[f"skip{i}"])
            dskips.append(dskip)
            dh = upsample_backward(run, config, f"upsample{i}", dh, cache[f"upsample{i}"], grads)
        for i in reversed(range(coarsest + 1)):
            if i < coarsest:
                dh = pool_backward(run, config, f"pool{i}", dh, cache[f"pool{i}"], grads)
                dh = run.add(dh, dskips[i])  # 1. through the coarser scales, 2. over the skip connection
            dh, ds = self._stage_backward(f"down{i}", dh, cache[f"down{i}"], grads, need_dx or i > 0)
            dcond = dcond + ds
        condition_backward(dcond, cache["condition"], grads)
        return grads, dh[..., : config["image_channels"]] if need_dx else None

    @property
    def receptive_field(self):
        """Side of the square of pixels that one pixel of the answer depends on, of those of a picture of 65 x 65."""
        return receptive_field(self, size=65)

    def _stage(self, name, h, cond, rng):
        """`depth` blocks, and attention if this scale has it."""
        p, run, config, caches = self.parameters, self.layers, self.config, []
        for j in range(self.config["depth"]):
            h, cache = block(run, p, config, f"{name}.{j}", h, cond, rng)
            caches.append(cache)
        if _attends(self.config, name):
            h, cache = attend(run, p, config, f"{name}.attention", h)
            caches.append(cache)
        return h, caches

    def _stage_backward(self, name, dh, caches, grads, need_dx=True):
        run, config, dcond = self.layers, self.config, 0.0
        if _attends(config, name):
            *caches, cache = caches
            dh = attend_backward(run, f"{name}.attention", dh, cache, grads)
        for j in reversed(range(config["depth"])):
            dh, ds = block_backward(run, config, f"{name}.{j}", dh, caches[j], grads, need_dx or j > 0)
            dcond = dcond + ds
        return dh, dcond


def _attends(config, name):
    """Whether the stage `name` ("down2") is at a scale with attention."""
    return int(name.removeprefix("down").removeprefix("up")) in config["attention"]


def _initial(config, make):
    """He et al. 2015 weights; the out-convolution, the clock's scale and shift and the attention start at zero."""
    channels, image_channels = config["channels"], config["image_channels"]
    cond, coarsest = 2 * channels[0], len(channels) - 1
    make.embedding(config, cond)

    def stage(name, seen, width):
        for j in range(config["depth"]):
            block_parameters(make, config, f"{name}.{j}", width if j else seen, width, cond)
        if _attends(config, name):
            attend_parameters(make, f"{name}.attention", width)

    for i in range(coarsest + 1):
        stage(f"down{i}", channels[i - 1] if i else image_channels + config["border_channel"], channels[i])
    for i in reversed(range(coarsest)):
        rescale_parameters(make, config, i)
        stage(f"up{i}", channels[i + 1] + channels[i], channels[i])
    make.layer("out", (3, 3, channels[0], image_channels), 0.0)
    return make.parameters
