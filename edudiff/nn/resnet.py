"""The trained denoiser: a residual convolutional network whose every pixel sees a small window.

in-convolution, `depth` residual blocks of one convolution each, out-convolution, all 3x3: `depth + 2` layers, so a
receptive field of `1 + 2 (depth + 2)` pixels (17 for depth 6, the network of Kamb & Ganguli 2024).
"""

import math

import numpy as np

from edudiff import check
from edudiff.backend import array_module, choose, move
from edudiff.nn import layers
from edudiff.nn.clock import CLOCKS, features
from edudiff.nn.layers import PADDINGS

TARGETS = ("scaled", "noise")
ACTIVATIONS = ("silu", "relu")


class ResNet:
    """A denoiser `net(x, alpha, sigma) -> x0_hat` with parameters to train.

    `channels`, `depth`: width and number of residual blocks. `image_channels`: 1 grey, 3 colour. `padding`: "zero" or
    "wrap". `clock`: how it is told the noise level, see `edudiff.nn.clock`. `target`: "scaled" (Karras et al. 2022,
    table 1: input, output and skip scaled so that the network's own answer has unit size at every noise level) or
    "noise" (the network answers noise_hat). `border_channel`: whether the first layer gets a channel of ones beside the
    picture, so that it sees where the zero padding begins; in a picture of noise, zeros are nothing special. Without it
    the network sees the border one pixel later than an ELS window of the same size does. `data_scale`: root mean
    square of the pixels, for "scaled". `rng`: draws the initial weights. `dtype`: of the parameters and of the
    computation. `backend`: None, "numpy" or "numba".

    `net.parameters` is a dict of arrays. Raises ValueError or TypeError for settings out of range.
    """

    def __init__(
        self,
        channels=48,
        depth=4,
        *,
        image_channels=1,
        padding="zero",
        clock="log_snr",
        target="scaled",
        border_channel=True,
        activation="silu",
        data_scale=0.5,
        clock_size=64,
        rng=None,
        dtype=np.float32,
        backend=None,
    ):
        for name, value in (("channels", channels), ("image_channels", image_channels)):
            if not hasattr(value, "__index__") or value < 1:
                raise ValueError(f"{name} is {value!r}, expected an integer >= 1")
        if not hasattr(depth, "__index__") or depth < 0:
            raise ValueError(f"depth is {depth!r}, expected an integer >= 0")
        if clock_size < 2 or clock_size % 2:
            raise ValueError(f"clock_size is {clock_size}, expected an even number: half sines, half cosines")
        if not (data_scale > 0 and math.isfinite(data_scale)):
            raise ValueError(f"data_scale is {data_scale}, expected a finite number > 0")
        check.one_of(padding, PADDINGS, "padding")
        check.one_of(clock, CLOCKS, "clock")
        check.one_of(target, TARGETS, "target")
        check.one_of(activation, ACTIVATIONS, "activation")
        self.config = {
            "channels": int(channels),
            "depth": int(depth),
            "image_channels": int(image_channels),
            "padding": padding,
            "clock": clock,
            "target": target,
            "border_channel": bool(border_channel),
            "activation": activation,
            "data_scale": float(data_scale),
            "clock_size": int(clock_size),
        }
        self.backend = backend
        self.parameters = _initial(self.config, rng or np.random.default_rng(0), np.dtype(dtype))

    def __call__(self, x, alpha, sigma):
        """x0_hat (B, H, W, C) in the dtype of `x`. `alpha`, `sigma`: numbers, or one for each picture, (B,)."""
        x0_hat, _ = self.forward(x, alpha, sigma)
        return x0_hat.astype(x.dtype, copy=False)

    def forward(self, x, alpha, sigma):
        """x0_hat (B, H, W, C) in the dtype of the parameters, and the cache for `backward`."""
        alpha, sigma = self._check(x, alpha, sigma)
        scales = self._scales(alpha, sigma)
        skip, out, scale_in = (s[:, None, None, None] for s in scales)  # (B, 1, 1, 1) each
        x = x.astype(alpha.dtype, copy=False)
        answer, cache = self.answer(scale_in * x, alpha, sigma)  # (B, H, W, C)
        return skip * x + out * answer, (out, cache)

    def backward(self, dout, cache):
        """Gradients of the loss in every parameter, a dict of arrays, from its gradient in x0_hat (B, H, W, C)."""
        out, cache = cache
        return self.answer_backward(dout * out, cache)

    def answer(self, x, alpha, sigma):
        """What the layers compute, before it is made an x0_hat: x (B, H, W, C) -> (B, H, W, C), and the cache."""
        xp, p, run = array_module(x), self.parameters, self.layers
        act = getattr(run, self.config["activation"])
        cache = {}
        clock = features(alpha, sigma, self.config["clock_size"], self.config["clock"])  # (B, clock_size)
        time, cache["clock"] = layers.dense(clock, p["clock.w"], p["clock.b"])  # (B, 2 * channels)
        time, cache["clock.act"] = layers.silu(time)  # (B, 2 * channels)

        if self.config["border_channel"]:
            x = xp.concatenate([x, xp.ones_like(x[..., :1])], axis=3)  # (B, H, W, C + 1)
        h = None
        for name in self._blocks():
            y, cache[name] = run.conv(x if h is None else h, p[f"{name}.w"], p[f"{name}.b"], self.config["padding"])
            both, cache[f"{name}.clock"] = layers.dense(time, p[f"{name}.clock.w"], p[f"{name}.clock.b"])
            scale, shift = both[:, : both.shape[1] // 2], both[:, both.shape[1] // 2 :]  # (B, channels) each
            y, cache[f"{name}.modulate"] = run.modulate(y, scale, shift)  # (B, H, W, channels)
            y, cache[f"{name}.act"] = act(y)  # (B, H, W, channels)
            h = y if h is None else run.add(h, y)  # (B, H, W, channels)
        out, cache["out"] = run.conv(h, p["out.w"], p["out.b"], self.config["padding"])  # (B, H, W, C)
        return out, cache

    def answer_backward(self, dout, cache):
        """Gradients of every parameter from the gradient of the layers' answer (B, H, W, C): `answer`, backwards."""
        p, run, grads = self.parameters, self.layers, {}
        act_backward = getattr(run, self.config["activation"] + "_backward")
        xp = array_module(dout)
        dtime = 0.0
        dh, grads["out.w"], grads["out.b"] = run.conv_backward(dout, cache["out"])  # (B, H, W, channels)
        for name in reversed(self._blocks()):
            dy = act_backward(dh, cache[f"{name}.act"])  # (B, H, W, channels)
            dy, dscale, dshift = run.modulate_backward(dy, cache[f"{name}.modulate"])
            dboth = xp.concatenate([dscale, dshift], axis=1)  # (B, 2 * channels)
            clock = f"{name}.clock"
            dt, grads[f"{clock}.w"], grads[f"{clock}.b"] = layers.dense_backward(
                dboth, cache[clock]
            )  # (B, 2 * channels)
            dtime = dtime + dt  # the clock speaks to every block
            first = name == "in"
            dx, grads[f"{name}.w"], grads[f"{name}.b"] = run.conv_backward(dy, cache[name], need_dx=not first)
            dh = None if first else run.add(dh, dx)  # 1. around the block, 2. through it
        dtime = layers.silu_backward(dtime, cache["clock.act"])  # (B, 2 * channels)
        _, grads["clock.w"], grads["clock.b"] = layers.dense_backward(dtime, cache["clock"])
        return {name: grads[name] for name in p}

    @property
    def layers(self):
        """The module whose conv, silu, ... run on these parameters: `edudiff.nn.layers`, or its compiled twin."""
        if choose(self.backend, self.parameters["in.w"]) == "numba":
            from edudiff.fast import layers as compiled

            return compiled
        return layers

    @property
    def receptive_field(self):
        """Side of the square of pixels that one pixel of the answer depends on."""
        return 1 + 2 * (self.config["depth"] + 2)

    def with_parameters(self, parameters):
        """A network of the same architecture with these parameters, which are not copied."""
        other = object.__new__(type(self))
        other.config, other.backend, other.parameters = self.config, self.backend, dict(parameters)
        return other

    def to(self, like):
        """A copy of the network whose parameters live where the array `like` lives."""
        return self.with_parameters({name: move(value, like) for name, value in self.parameters.items()})

    def _blocks(self):
        return ["in", *(f"block{i}" for i in range(self.config["depth"]))]

    def _check(self, x, alpha, sigma):
        xp = check.batch(x)
        dtype = self.parameters["in.w"].dtype
        if x.ndim != 4 or x.shape[3] != self.config["image_channels"]:
            raise ValueError(f"x has shape {x.shape}, expected (B, H, W, {self.config['image_channels']})")
        if self.config["padding"] == "wrap" and min(x.shape[1:3]) < 3:
            raise ValueError(f"x has shape {x.shape}: a wrapping 3x3 window needs pictures of at least 3 x 3 pixels")
        array_module(x, self.parameters["in.w"])
        if np.ndim(alpha) == 0 and np.ndim(sigma) == 0:
            alpha, sigma = check.levels(alpha, sigma)
        alpha = xp.broadcast_to(xp.asarray(alpha, dtype=dtype), len(x))  # (B,)
        sigma = xp.broadcast_to(xp.asarray(sigma, dtype=dtype), len(x))  # (B,)
        return alpha, sigma

    def _scales(self, alpha, sigma):
        """(skip, out, in) with x0_hat = skip * x + out * answer(in * x), (B,) each.

        "scaled" is Karras et al. 2022, table 1, for x / alpha at noise sigma / alpha, multiplied out so that alpha = 0
        is no special case. "noise" is x0_hat = (x - sigma * answer) / alpha.
        """
        xp = array_module(alpha, sigma)
        if self.config["target"] == "noise":
            floor = xp.maximum(alpha, 1e-4)  # no signal, no x0: the answer stays finite
            return 1 / floor, -sigma / floor, xp.ones_like(alpha)
        rms = self.config["data_scale"]
        total = xp.sqrt(alpha**2 * rms**2 + sigma**2)  # root mean square of x
        return alpha * rms**2 / total**2, sigma * rms / total, 1 / total


def _initial(config, rng, dtype):
    """He et al. 2015 weights; the out-convolution and the clock's scale and shift start at zero."""
    channels, image_channels, clock = config["channels"], config["image_channels"], config["clock_size"]
    seen = image_channels + config["border_channel"]
    p = {}

    def layer(name, shape, gain):
        fan_in = math.prod(shape[:-1])
        p[f"{name}.w"] = (rng.standard_normal(shape) * gain / math.sqrt(fan_in)).astype(dtype)
        p[f"{name}.b"] = np.zeros(shape[-1], dtype)

    layer("clock", (clock, 2 * channels), 1.0)
    for name in ("in", *(f"block{i}" for i in range(config["depth"]))):
        layer(name, (3, 3, seen if name == "in" else channels, channels), math.sqrt(2.0))
        layer(f"{name}.clock", (2 * channels, 2 * channels), 0.0)
    layer("out", (3, 3, channels, image_channels), 0.0)
    return p
