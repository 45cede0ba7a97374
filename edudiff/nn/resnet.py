"""The trained denoiser: a residual convolutional network whose every pixel sees a small window.

in-convolution, `depth` residual blocks of one convolution each, out-convolution, all 3x3: `depth + 2` layers, so a
receptive field of `1 + 2 (depth + 2)` pixels (17 for depth 6, the network of Kamb & Ganguli 2024).
"""

import math

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
from edudiff.nn.settings import several, whole


class ResNet(ConvolutionalNet):
    """A denoiser `net(x, alpha, sigma) -> x0_hat` with parameters to train.

    `channels`, `depth`: width and number of residual blocks. `image_channels`: 1 gray, 3 color. `padding`: "zero",
    "circular" or "reflect". `embedding`: how it is told the noise level, see `edudiff.nn.noise_level`. `target`: what
    the layers predict, "edm", "eps", "x0" or "v", see `edudiff.nn.targets`. `border_channel`: whether the first layer
    gets a channel of ones beside the picture, so that it sees where the zero padding begins; in a picture of noise,
    zeros are nothing special. Without it the network sees the border one pixel later than an ELS window of the same
    size does. `sigma_data`: root mean square of the pixels, for "edm". `classes`: None, or how many classes it can
    draw one of, see `edudiff.nn.guidance`. `attention`: numbers of the residual blocks after which every pixel looks at
    all others, with `heads` heads. `groups`: of group normalization, 0 for none. `dropout`: the share of values left
    out in training. `rng`: draws the initial weights. `dtype`: of the parameters and of the computation. `backend`:
    None, "numpy" or "numba".

    `net.parameters` is a dict of arrays. Raises ValueError or TypeError for settings out of range.
    """

    def __init__(
        self,
        channels=48,
        depth=4,
        *,
        image_channels=1,
        padding="zero",
        embedding="log_snr",
        target="edm",
        border_channel=True,
        activation="silu",
        sigma_data=0.5,
        embedding_size=64,
        classes=None,
        attention=(),
        heads=1,
        groups=0,
        dropout=0.0,
        rng=None,
        dtype=np.float32,
        backend=None,
    ):
        config = checked(
            channels=whole(channels, "channels"),
            depth=whole(depth, "depth", least=0),
            image_channels=image_channels,
            padding=padding,
            embedding=embedding,
            target=target,
            border_channel=border_channel,
            activation=activation,
            sigma_data=sigma_data,
            embedding_size=embedding_size,
            classes=classes,
            attention=several(attention, "attention", least=0),
            heads=heads,
            groups=groups,
            dropout=dropout,
        )
        check_divisors(config, [config["channels"]])
        for i in config["attention"]:
            if i >= config["depth"]:
                raise ValueError(
                    f"attention is {attention}, expected numbers of residual blocks, below depth = {depth}"
                )
        super().__init__(config, _initial(config, Initial(rng, dtype)), backend)

    def answer(self, x, alpha, sigma, labels=None, rng=None):
        """Through all blocks: x (B, H, W, C) -> (B, H, W, C), and the cache."""
        p, run, config, cache = self.parameters, self.layers, self.config, {}
        cond, cache["condition"] = condition(p, config, alpha, sigma, labels)  # (B, 2 * channels)
        h, cache["in"] = block(run, p, config, "in", self.see(x), cond, rng)  # (B, H, W, channels)
        for i in range(config["depth"]):
            y, cache[f"block{i}"] = block(run, p, config, f"block{i}", h, cond, rng)  # (B, H, W, channels)
            h = run.add(h, y)  # (B, H, W, channels)
            if i in config["attention"]:
                h, cache[f"attention{i}"] = attend(run, p, config, f"attention{i}", h)
        out, cache["out"] = run.conv(h, p["out.w"], p["out.b"], config["padding"])  # (B, H, W, C)
        return out, cache

    def answer_backward(self, dout, cache, need_dx=False):
        """Gradients from the gradient in the answer (B, H, W, C): `answer`, backwards."""
        run, config, grads = self.layers, self.config, {}
        dh, grads["out.w"], grads["out.b"] = run.conv_backward(dout, cache["out"])  # (B, H, W, channels)
        dcond = 0.0
        for i in reversed(range(config["depth"])):
            if i in config["attention"]:
                dh = attend_backward(run, f"attention{i}", dh, cache[f"attention{i}"], grads)
            dx, ds = block_backward(run, config, f"block{i}", dh, cache[f"block{i}"], grads)
            dcond = dcond + ds  # the condition speaks to every block
            dh = run.add(dh, dx)  # 1. around the block, 2. through it
        dx, ds = block_backward(run, config, "in", dh, cache["in"], grads, need_dx)  # (B, H, W, C + 1)
        condition_backward(dcond + ds, cache["condition"], grads)
        return grads, dx[..., : config["image_channels"]] if need_dx else None

    @property
    def receptive_field(self):
        """Side of the square of pixels that one pixel of the answer depends on; infinite with attention or groups."""
        return math.inf if self.config["attention"] or self.config["groups"] else 1 + 2 * (self.config["depth"] + 2)


def _initial(config, make):
    """He et al. 2015 weights; the out-convolution and the clock's scale and shift start at zero."""
    channels, image_channels = config["channels"], config["image_channels"]
    make.embedding(config, 2 * channels)
    block_parameters(make, config, "in", image_channels + config["border_channel"], channels, 2 * channels)
    for i in range(config["depth"]):
        block_parameters(make, config, f"block{i}", channels, channels, 2 * channels)
    make.layer("out", (3, 3, channels, image_channels), 0.0)
    for i in config["attention"]:
        attend_parameters(make, f"attention{i}", channels)
    return make.parameters
