"""A tiny convolutional denoiser: backprop by hand, Adam, and training as a generator; every line that runs is here.

A layer is two functions: forward returns (out, cache); backward takes (dout, cache), dout the gradient of the loss in
out, and returns those in the input and the weights. Shapes: B images, H x W pixels, C channels in, D out, E embedding.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edudiff.forward import add_noise
from edudiff.schedule import Schedule
from edudiff.support import checks, memory, rounding
from edudiff.support.arrays import array_namespace, move
from edudiff.support.types import Array, Arrays

Rng = np.random.Generator
PADDINGS = {"zero": "constant", "circular": "wrap"}  # and what xp.pad calls them
LARGEST = 10.0  # |c_noise| is cut here: with exp(10) = 22,000 times more noise than signal, all is noise


def columns(x: Array, padding: str) -> Array:
    """The 3x3 window of every pixel, laid out in a row (im2col): (B, H, W, C) -> (B * H * W, 9 * C)."""
    xp = array_namespace(x)
    x = xp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode=PADDINGS[padding])  # (B, H + 2, W + 2, C)
    windows = xp.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))  # (B, H, W, C, 3, 3), nothing copied
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 9 * x.shape[3])  # (B * H * W, 9 * C)


def conv(x: Array, w: Array, b: Array, padding: str) -> tuple:
    """3x3 convolution, out(u) = b + sum over offsets s of x(u + s) @ w[s]: x (B, H, W, C), w (3, 3, C, D), b (D,)."""
    cols = columns(x, padding)  # (B * H * W, 9 * C)
    out = cols @ w.reshape(-1, len(b)) + b  # (B * H * W, D)
    return out.reshape(*x.shape[:3], len(b)), (cols, w, padding)  # (B, H, W, D)


def conv_backward(dout: Array, cache: Any) -> tuple:
    """Gradients of `conv`: dx (B, H, W, C), dw (3, 3, C, D), db (D,).

    1. db = sum over pixels u of dout(u)
    2. dw[s] = sum over pixels u of x(u + s)^T dout(u)
    3. dx(u) = sum over offsets s of dout(u - s) @ w[s]^T, a convolution of dout, w turned by 180 degrees
    """
    cols, w, padding = cache
    db = dout.sum(axis=(0, 1, 2))  # 1. (D,)
    dw = (cols.T @ dout.reshape(-1, len(db))).reshape(w.shape)  # 2. (3, 3, C, D)
    dx = columns(dout, padding) @ w[::-1, ::-1].swapaxes(2, 3).reshape(-1, w.shape[2])  # 3. (B * H * W, C)
    return dx.reshape(*dout.shape[:3], w.shape[2]), dw, db


def dense(x: Array, w: Array, b: Array) -> tuple:
    """Every input to every output, out = x @ w + b: x (B, C), w (C, D), b (D,), out (B, D)."""
    return x @ w + b, (x, w)  # (B, D)


def dense_backward(dout: Array, cache: Any) -> tuple:
    """Gradients of `dense`: 1. dx = dout @ w^T, 2. dw = x^T @ dout, 3. db = sum over the batch of dout."""
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)  # 1. (B, C), 2. (C, D), 3. (D,)


def silu(x: Array) -> tuple:
    """SiLU, x * sigmoid(x), each value by itself (Elfwing et al. 2018)."""
    s = (1 + array_namespace(x).tanh(x / 2)) / 2  # sigmoid(x), in the form that cannot overflow
    return x * s, (x, s)


def silu_backward(dout: Array, cache: Any) -> Array:
    """Gradient of `silu` by the product rule, with sigmoid' = s (1 - s): dx = dout * (1. s + 2. x s (1 - s))."""
    x, s = cache
    return dout * (s + x * s * (1 - s))  # 1. + 2.


def modulate(x: Array, cond: Array) -> tuple:
    """Scale and shift, x * (1 + scale) + shift (FiLM, Perez et al. 2018): x (B, H, W, C), cond (B, 2 * C) is both."""
    scale, shift = cond.reshape(len(x), 2, 1, 1, -1).swapaxes(0, 1)  # (B, 1, 1, C) each
    return x * (1 + scale) + shift, (x, scale)


def modulate_backward(dout: Array, cache: Any) -> tuple:
    """Gradients of `modulate`: 1. dx = dout (1 + scale); sums over pixels: 2. dscale = dout x, 3. dshift = dout."""
    x, scale = cache
    dscale, dshift = (dout * x).sum(axis=(1, 2)), dout.sum(axis=(1, 2))  # 2. and 3. (B, C) each
    return dout * (1 + scale), array_namespace(x).concatenate([dscale, dshift], axis=1)  # 1. (B, H, W, C), (B, 2 * C)


def block(p: Arrays, name: str, x: Array, e: Array, padding: str) -> tuple:
    """Convolution, scale and shift by the noise level, SiLU: x (B, H, W, C), e (B, E), out (B, H, W, D)."""
    y, cache_conv = conv(x, p[f"{name}.w"], p[f"{name}.b"], padding)  # (B, H, W, D)
    cond, cache_cond = dense(e, p[f"{name}.cond.w"], p[f"{name}.cond.b"])  # (B, 2 * D)
    y, cache_modulate = modulate(y, cond)
    y, cache_silu = silu(y)
    return y, (cache_conv, cache_cond, cache_modulate, cache_silu)


def block_backward(dout: Array, cache: Any, name: str, grads: Arrays) -> tuple:
    """`block` backwards: returns dx (B, H, W, C) and de (B, E), writes the gradients in its weights into `grads`."""
    cache_conv, cache_cond, cache_modulate, cache_silu = cache
    dy, dcond = modulate_backward(silu_backward(dout, cache_silu), cache_modulate)  # (B, H, W, D), (B, 2 * D)
    de, grads[f"{name}.cond.w"], grads[f"{name}.cond.b"] = dense_backward(dcond, cache_cond)  # (B, E)
    dx, grads[f"{name}.w"], grads[f"{name}.b"] = conv_backward(dy, cache_conv)  # (B, H, W, C)
    return dx, de


def preconditioning(alpha: Array, sigma: Array, sigma_data: float) -> tuple:
    """c_skip, c_out, c_in, c_noise (Karras et al. 2022, table 1) for x = alpha * x0 + sigma * noise; shaped as alpha.

    With x0_hat = c_skip * x + c_out * F(c_in * x, c_noise), what the layers F read and what they should answer has unit
    variance at every noise level, for pixels of root mean square `sigma_data`. c_noise is log(sigma / alpha), cut.
    """
    xp, tiny = array_namespace(alpha), math.exp(-LARGEST)
    rms = xp.sqrt(alpha**2 * sigma_data**2 + sigma**2)  # of x
    c_noise = xp.log(xp.maximum(sigma, tiny * alpha) / xp.maximum(alpha, tiny * sigma))
    return alpha * sigma_data**2 / rms**2, sigma * sigma_data / rms, 1 / rms, c_noise


def embedding(c_noise: Array) -> Array:
    """Noise-level embedding, 32 sines and 32 cosines of c_noise, of 1 to 32 half periods: (B, ...) -> (B, 64)."""
    xp = array_namespace(c_noise)
    angle = math.pi / 2 / LARGEST * c_noise.reshape(-1, 1) * xp.arange(1, 33, dtype=c_noise.dtype)  # (B, 32)
    return xp.concatenate([xp.sin(angle), xp.cos(angle)], axis=1)  # (B, 64)


@dataclass(frozen=True, repr=False)
class ConvNet:
    """A denoiser `net(x, alpha, sigma) -> x0_hat`: in-block, residual blocks, out-convolution; see `nn.ResNet`."""

    params: Arrays  # the weights
    depth: int  # number of residual blocks
    padding: str
    sigma_data: float

    def __call__(self, x: Array, alpha: float, sigma: float) -> Array:
        """x0_hat, the shape, dtype and device of x (B, H, W, C). Raises ValueError or TypeError for what cannot be."""
        checks.image_batch(x, channels=len(self.params["out.b"]))
        return forward(self, x, *checks.levels(alpha, sigma))[0].astype(x.dtype, copy=False)

    def __repr__(self) -> str:
        channels, count = len(self.params["in.b"]), sum(value.size for value in self.params.values())
        settings = f"channels={channels}, depth={self.depth}, padding={self.padding!r}, parameters={count:,}"
        return f"ConvNet({settings}, receptive_field={1 + 2 * (self.depth + 2)})"


def init(
    rng: Rng,
    channels: int = 16,  # of every block
    depth: int = 2,  # number of residual blocks; a pixel of the answer sees 1 + 2 (depth + 2) pixels across
    image_channels: int = 1,  # 1 gray, 3 color
    padding: str = "zero",  # or "circular"
    sigma_data: float = 0.5,  # root mean square of the pixels
    dtype: Any = np.float32,  # of the weights, and of all that the layers compute
) -> ConvNet:
    """An untrained network: weights drawn as in He et al. 2015, or zero. ValueError or TypeError for bad settings."""
    checks.generator(rng)
    checks.one_of(padding, tuple(PADDINGS), "padding")
    params, layers = Arrays(), Arrays(embedding=((64, 2 * channels), 1.0))  # name: (shape of w, factor it scales by)
    for name in ("in", *(f"block{i}" for i in range(depth))):
        layers[name] = ((3, 3, image_channels + 1 if name == "in" else channels, channels), math.sqrt(2))
        layers[f"{name}.cond"] = ((2 * channels, 2 * channels), 0.0)  # at first no level differs
    layers["out"] = ((3, 3, channels, image_channels), 0.0)  # x0_hat = c_skip * x, best for white noise
    for name, (shape, gain) in layers.items():
        params[f"{name}.w"] = (rng.standard_normal(shape) * (gain / math.sqrt(math.prod(shape[:-1])))).astype(dtype)
        params[f"{name}.b"] = np.zeros(shape[-1], dtype)  # (D,), beside w (..., D)
    return ConvNet(params, depth, padding, float(sigma_data))


@rounding.to_zero
def forward(net: ConvNet, x: Array, alpha: Any, sigma: Any) -> tuple:
    """The whole network: x (B, H, W, C), levels as numbers or (B,) -> x0_hat (B, H, W, C), and the cache."""
    xp, p, cache = array_namespace(x, net.params["in.w"]), net.params, {}
    x = x.astype(p["in.w"].dtype, copy=False)  # (B, H, W, C)
    alpha, sigma = (xp.broadcast_to(xp.asarray(a, dtype=x.dtype), len(x)).reshape(-1, 1, 1, 1) for a in (alpha, sigma))
    c_skip, c_out, c_in, c_noise = preconditioning(alpha, sigma, net.sigma_data)  # (B, 1, 1, 1) each
    e, cache["embedding"] = dense(embedding(c_noise), p["embedding.w"], p["embedding.b"])  # (B, E)
    e, cache["silu"] = silu(e)
    seen = xp.concatenate([c_in * x, xp.ones_like(x)[..., :1]], axis=3)  # (B, H, W, C + 1); the ones show the border
    h, cache["in"] = block(p, "in", seen, e, net.padding)  # (B, H, W, D)
    for name in (f"block{i}" for i in range(net.depth)):
        y, cache[name] = block(p, name, h, e, net.padding)  # (B, H, W, D)
        h = h + y
    answer, cache["out"] = conv(h, p["out.w"], p["out.b"], net.padding)  # (B, H, W, C)
    return c_skip * x + c_out * answer, cache | {"c_out": c_out}


def backward(net: ConvNet, dout: Array, cache: Any) -> Arrays:
    """Gradients of the loss in all weights, by name, from that in x0_hat (B, H, W, C): `forward`, backwards."""
    grads, de = Arrays(), 0 * cache["c_out"][..., 0, 0]  # {}, (B, 1)
    dh, grads["out.w"], grads["out.b"] = conv_backward(cache["c_out"] * dout, cache["out"])  # (B, H, W, D)
    for name in (f"block{i}" for i in reversed(range(net.depth))):
        dx, de_block = block_backward(dh, cache[name], name, grads)  # (B, H, W, D), (B, E)
        dh, de = dh + dx, de + de_block  # around the block + through it; every block hears the noise level
    de = silu_backward(de + block_backward(dh, cache["in"], "in", grads)[1], cache["silu"])  # (B, E)
    _, grads["embedding.w"], grads["embedding.b"] = dense_backward(de, cache["embedding"])
    return grads


@rounding.to_zero
def denoising_loss(net: ConvNet, x0: Array, alpha: Array, sigma: Array, noise: Array) -> tuple:
    """Mean of (x0_hat - x0)^2 / c_out^2, the error of F (Karras et al. 2022, eq. 8), and its gradients; levels (B,)."""
    x0_hat, cache = forward(net, add_noise(x0, alpha, sigma, noise), alpha, sigma)  # (B, H, W, C)
    weight, error = 1 / (cache["c_out"] ** 2 * x0.size), x0_hat - x0  # (B, 1, 1, 1), (B, H, W, C)
    return float((weight * error**2).sum()), backward(net, 2 * weight * error, cache)


@rounding.to_zero
def adam(
    params: Arrays, grads: Arrays, m: Arrays, v: Arrays, step: int, rate: float, beta1: float = 0.9, beta2: float = 0.99
) -> tuple:
    """Adam (Kingma & Ba 2015, algorithm 1; beta2 there .999): new params, m, v of step 1, 2, ...; m, v start at 0."""
    m = {k: beta1 * m[k] + (1 - beta1) * g for k, g in grads.items()}
    v = {k: beta2 * v[k] + (1 - beta2) * g**2 for k, g in grads.items()}
    bias1, bias2 = 1 - beta1**step, 1 - beta2**step
    return {k: p - rate * (m[k] / bias1) / ((v[k] / bias2) ** 0.5 + 1e-8) for k, p in params.items()}, m, v


@dataclass(frozen=True)
class State:
    """Where training stands after `step` steps."""

    step: int
    loss: float  # of this step's batch, before the step
    net: ConvNet = field(repr=False)
    ema: ConvNet = field(repr=False)  # the weights' moving average: draw with this one


def train(
    net: ConvNet, images: Array, schedule: Schedule, *, rng: Rng, steps: int = 2000, batch: int = 16, rate: float = 5e-3
) -> Iterator[State]:
    """Train on images (N, H, W, C): a `State` after each step; `net` stays as it is. Raises as `net(images)` would."""
    checks.generator(rng)
    checks.training_set(images)
    images = images.astype(net.params["in.w"].dtype, copy=False)  # (N, H, W, C)
    net = ema = replace(net, params={k: move(p, images) for k, p in net.params.items()})
    net(images[:1], *schedule(0.5))  # fails here if the images do not fit
    m = v = {k: 0 * p for k, p in net.params.items()}
    memory.keep_freed_memory()  # a step takes half as long
    for step in range(steps):
        x0 = images[move(rng.integers(len(images), size=batch), images)]  # (B, H, W, C)
        t = (np.arange(batch) + rng.random(batch)) / batch  # (B,), one time in each of B slices of [0, 1]
        alpha, sigma, noise = (move(a.astype(x0.dtype), x0) for a in (*schedule(t), rng.standard_normal(x0.shape)))
        loss, grads = denoising_loss(net, x0, alpha, sigma, noise)
        now = float(rate) * min(1, (step + 1) / 100) * math.cos(math.pi / 2 * step / steps) ** 2  # warmup and cosine
        params, m, v = adam(net.params, grads, m, v, step + 1, now)
        keep = min(0.999, (1 + step) / (10 + step))  # a young average forgets faster
        mean = {k: keep * ema.params[k] + (1 - keep) * p for k, p in params.items()}
        net, ema = replace(net, params=params), replace(net, params=mean)
        yield State(step + 1, loss, net, ema)
