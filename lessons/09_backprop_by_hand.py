# %% [markdown]
# # 9. Backprop by hand: the convolution
#
# The formulas are done; now the network that they predict. It is a few convolutions with bends between them, and to
# train it we need the derivative of one number, the loss, in every weight. This lesson derives the derivative of the
# convolution with paper and pencil, writes it as loops, compares it with the arrays of `edudiff/convnet.py`, and shows
# how to find out that a gradient is wrong. That file is the whole network, on one page; the lesson goes through its
# first half, the next one through its second.
#
# To write it yourself: assignment 8, `lessons/assignments/a8_conv`.

# %%
import os
import sys
from dataclasses import replace

import numpy as np

import edudiff as ed
from edudiff import convnet, plot

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# ## The contract
#
# Let $L$ be the loss, and write $d a$ for the gradient $\partial L / \partial a$, an array of the shape of $a$. A layer
# is two functions. `forward` computes its output, and a `cache` of what it will need later. `backward` gets `dout` (how
# the loss changes with the output) and the cache, and returns how the loss changes with each *input* of the layer. That
# is the chain rule, and a network is run backwards by calling its layers' backwards in reverse order. Nothing else
# happens in "automatic" differentiation either.
#
# A dense layer as warm-up: $o_j = \sum_i x_i w_{ij} + b_j$. How does $L$ change with $w_{ij}$? Only through $o_j$, with
# the factor $x_i$: $dw_{ij} = x_i\,do_j$. With $x_i$? Through every $o_j$, with the factor $w_{ij}$:
# $dx_i = \sum_j w_{ij}\,do_j$. Two rules cover all that follows: **what was multiplied comes back as a factor; what was
# used many times collects a sum.**
#
# ## The convolution
#
# The output at pixel $u$ is a sum over the offsets $s$ of the window (with channels, $w_s$ is a matrix):
#
# $$o(u) = \sum_s x(u + s)\,w_s + b.$$
#
# 1. $b$ is used at every pixel, with factor 1: $\;db = \sum_u do(u)$.
# 2. $w_s$ is used at every pixel, with factor $x(u + s)$: $\;dw_s = \sum_u x(u + s)^T do(u)$.
# 3. $x(v)$ is used by all pixels $u$ whose window holds it, $v = u + s$, with factor $w_s$:
#    $\;dx(v) = \sum_s do(v - s)\,w_s^T$.
#
# Look at line 3: it is a convolution of `dout` with the window turned by 180 degrees, and channels swapped. So the
# backward of a convolution is a convolution.


# %%
def pairs(height, width, padding):
    """All (pixel u, offset s, pixel u + s): beyond the border there is nothing, or the other side of the picture."""
    for i, j in np.ndindex(height, width):
        for p, q in np.ndindex(3, 3):
            y, z = i + p - 1, j + q - 1
            if padding == "circular":
                y, z = y % height, z % width
            if 0 <= y < height and 0 <= z < width:
                yield (i, j), (p, q), (y, z)


def conv_loops(x, w, b, padding):
    """One picture, as the sum says: x (H, W, C), w (3, 3, C, D), b (D,) to (H, W, D)."""
    out = np.tile(b, (*x.shape[:2], 1))  # (H, W, D)
    for u, s, v in pairs(*x.shape[:2], padding):
        out[u] += x[v] @ w[s]
    return out


def conv_loops_backward(dout, x, w, padding):
    """The three gradients, collected where they arise: dx (H, W, C), dw (3, 3, C, D), db (D,)."""
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    for u, s, v in pairs(*x.shape[:2], padding):
        dw[s] += np.outer(x[v], dout[u])  # 2.
        dx[v] += w[s] @ dout[u]  # 3.
    return dx, dw, dout.sum(axis=(0, 1))  # 1.


# %% [markdown]
# Compare with the page. `convnet.conv` lays every window out in a row of a matrix (`columns`, known as im2col), so that
# the loop becomes one matrix product; that is where all the time of training goes.
#
# **Step through this.** Put a breakpoint in `conv_backward` (in `edudiff/convnet.py`), run the next cell in the
# debugger, and look at `cols.shape` and at lines 1, 2 and 3. Which of them needs `cols`, the windows of `x`? In line 3,
# where is the turn by 180 degrees, and where are the channels swapped?
#
# **Change this and see it fail.** In `conv_backward` (in `edudiff/convnet.py`), change `w[::-1, ::-1].swapaxes(2, 3)`
# to `w.swapaxes(2, 3)`, and run the next two cells again. The first shows which of the four numbers is wrong now; the
# second stops, and its error names the input. Then change it back.


# %%
rng = np.random.default_rng(0)
x, w, b = rng.standard_normal((6, 5, 2)), rng.standard_normal((3, 3, 2, 4)), rng.standard_normal(4)
dout = rng.standard_normal((6, 5, 4))  # (H, W, D)
for padding in convnet.PADDINGS:
    out, cache = convnet.conv(x[None], w, b, padding)  # (1, H, W, D)
    loops = conv_loops(x, w, b, padding), *conv_loops_backward(dout, x, w, padding)
    page = out, *convnet.conv_backward(dout[None], cache)
    apart = [float(np.abs(a - c.reshape(a.shape)).max()) for a, c in zip(loops, page, strict=True)]
    words = ", ".join(f"{name} {d:.1e}" for name, d in zip(("out", "dx", "dw", "db"), apart, strict=True))
    print(f"{padding} padding, loops and convnet differ by: {words}")

# %% [markdown]
# ## Is it right? Two slopes
#
# Two programs can agree and both be wrong. A gradient has a meaning that can be measured: move the input a little, and
# see how much the loss moves. Checking every weight this way is slow. So take *one* random direction $d$: the slope of
# $L$ along it must be $\langle \text{gradient}, d\rangle$. Two numbers are compared, for any shape and any layer. A
# wrong gradient gets by with probability zero.
#
# With $L = \langle dout, o \rangle$ for a random `dout`, this is `edudiff.nn.check_gradients`. It is part of the
# engine, and takes any pair `forward(...) -> (out, cache)`, `backward(dout, cache)`: those of `convnet`, and yours. The
# cell runs it on the right gradient, then on four that look right. Read what the error says.


# %%
rng = np.random.default_rng(0)
x, w, b = rng.standard_normal((2, 6, 5, 2)), rng.standard_normal((3, 3, 2, 4)), rng.standard_normal(4)
error = ed.nn.check_gradients(convnet.conv, convnet.conv_backward, x, w, b, "zero")
print(f"the right one: relative error {error:.1e}")


def not_turned(dout, cache):
    _, dw, db = convnet.conv_backward(dout, cache)
    dx, _ = convnet.conv(dout, cache[1].swapaxes(2, 3), np.zeros(2), "zero")
    return dx, dw, db


def mean_of_the_bias(dout, cache):
    dx, dw, db = convnet.conv_backward(dout, cache)
    return dx, dw, db / dout[..., 0].size


def offsets_swapped(dout, cache):
    dx, dw, db = convnet.conv_backward(dout, cache)
    return dx, dw.swapaxes(0, 1), db


def wrapped(dout, cache):
    cols, w, _ = cache
    return convnet.conv_backward(dout, (cols, w, "circular"))


for wrong in (not_turned, mean_of_the_bias, offsets_swapped, wrapped):
    try:
        ed.nn.check_gradients(convnet.conv, wrong, x, w, b, "zero")
    except ValueError as found:
        print(f"{wrong.__name__}: {found}")

# %% [markdown]
# ## The adjoint, in one line
#
# Without its bias, the convolution is a linear map $A$ from pictures to pictures, and `dx` is its transpose:
# $\langle dout, A x\rangle = \langle A^T dout, x\rangle$. For a linear map the check needs no small step at all. It
# holds to rounding, and it is the first thing to try on a new linear layer (padding, pooling, upsampling are linear
# as well).


# %%
rng = np.random.default_rng(0)
x, w = rng.standard_normal((1, 6, 7, 2)), rng.standard_normal((3, 3, 2, 4))  # (B, H, W, C), (k, k, C, D)
dout = rng.standard_normal((1, 6, 7, 4))  # (B, H, W, D)
for padding in convnet.PADDINGS:
    out, cache = convnet.conv(x, w, np.zeros(4), padding)  # (B, H, W, D)
    dx, _, _ = convnet.conv_backward(dout, cache)
    left, right = float((dout * out).sum()), float((dx * x).sum())
    print(f"{padding:8}: <dout, A x> = {left:.12f}, <A^T dout, x> = {right:.12f}")

# %% [markdown]
# ## The other layers
#
# Three more, and the network is complete. Each is a line forwards and a line or two backwards; derive them with the two
# rules, then look.
#
# - **dense**, $o = x w + b$, the warm-up above;
# - **SiLU**, $o = x\,s(x)$ with $s$ the sigmoid: the bend. Without it all layers together would be one convolution. Its
#   input is used twice, so by the product rule $dx = do\,(s + x\,s\,(1 - s))$;
# - **modulate**, $o = x\,(1 + \text{scale}) + \text{shift}$: a scale and a shift for each channel, computed from the
#   noise level. So the same convolutions may do something else at each noise level.
#
# **Step through this.** Put a breakpoint in `modulate_backward` (in `edudiff/convnet.py`), run the next cell, and look
# at the shapes of `x`, `scale` and `dscale`. Why are two of the gradients sums over pixels, and the other not?


# %%
rng, errors = np.random.default_rng(0), {}
x, w = rng.standard_normal((2, 6, 5, 3)), rng.standard_normal((3, 3, 3, 4))  # (B, H, W, C), (3, 3, C, D)
inputs = {
    "conv, zero": (x, w, rng.standard_normal(4), "zero"),
    "conv, circular": (x, w, rng.standard_normal(4), "circular"),
    "dense": (rng.standard_normal((2, 3)), rng.standard_normal((3, 4)), rng.standard_normal(4)),
    "silu": (x,),
    "modulate": (x, rng.standard_normal((2, 6))),
}
for name, values in inputs.items():
    layer = name.split(",")[0]
    pair = getattr(convnet, layer), getattr(convnet, f"{layer}_backward")
    errors[name] = ed.nn.check_gradients(*pair, *values)
    print(f"{name:14}: relative error {errors[name]:.1e}")

# %% [markdown]
# ## The whole network
#
# `convnet.forward` is: a convolution; `depth` residual blocks, each a convolution, a scale and shift by the noise
# level, and a bend, added to its input; and a last convolution. `convnet.backward` is the same list read from the end.
# At each `+` the gradient goes both ways, and where one thing feeds many (the noise level feeds every block) the
# gradients add up. To check it, take the network as a layer whose input is one of its weights, for each weight in turn.
#
# **Step through this.** Put a breakpoint in `backward` (in `edudiff/convnet.py`), run the next cell, and go once around
# its loop. Why is it `dh + dx`, and why `de + de_block`?
#
# Training needs no gradient in `x`, but carried on to it backprop can tell **what a pixel depends on**: the gradient of
# one pixel of the answer in all pixels of the input is not zero exactly in the receptive field. Each 3x3 convolution
# adds one pixel on each side, so `depth + 2` of them see $1 + 2\,(\text{depth} + 2)$ pixels. That number is the window
# of the ELS formula.


# %%
def random_net(seed, **settings):
    """A small network in float64 with no weight at zero: at first the last layer is zero, and hides all behind it."""
    rng = np.random.default_rng(seed)
    net = convnet.init(rng, channels=8, dtype=np.float64, **settings)
    return replace(net, params={name: p + 0.1 * rng.standard_normal(p.shape) for name, p in net.params.items()})


def check_weights(net, x):
    """The largest relative error of the gradients in all weights of `net`."""
    errors = []
    for name, value in net.params.items():

        def forward(value, name=name):
            return convnet.forward(replace(net, params={**net.params, name: value}), x, 0.5, 0.5)

        def backward(dout, cache, name=name):
            return convnet.backward(net, dout, cache)[name]

        errors.append(ed.nn.check_gradients(forward, backward, value))
    return max(errors)


def input_gradient(net, dout, cache, alpha, sigma):
    """`convnet.backward`, carried on to the input: the gradient in x (B, H, W, C), from that in x0_hat."""
    c_skip, c_out, c_in, _ = convnet.preconditioning(np.array(alpha), np.array(sigma), net.sigma_data)
    dh, _, _ = convnet.conv_backward(c_out * dout, cache["out"])  # (B, H, W, D)
    for name in (f"block{i}" for i in reversed(range(net.depth))):
        dx, _ = convnet.block_backward(dh, cache[name], name, {})  # (B, H, W, D)
        dh = dh + dx
    dseen, _ = convnet.block_backward(dh, cache["in"], "in", {})  # (B, H, W, C + 1)
    return c_skip * dout + c_in * dseen[..., :-1]  # (B, H, W, C)


# %%
depths, shown = (0, 2) if FAST else (0, 1, 2, 4), []
x = np.random.default_rng(1).standard_normal((1, 21, 21, 1))  # (1, H, W, C)
for depth in depths:
    net = random_net(depth, depth=depth)
    error = check_weights(net, x[:, :8, :8])
    x0_hat, cache = convnet.forward(net, x, 0.5, 0.5)  # (1, H, W, C)
    dout = np.zeros_like(x0_hat)  # (1, H, W, C)
    dout[0, 10, 10] = 1
    size = np.abs(input_gradient(net, dout, cache, 0.5, 0.5))  # (1, H, W, C)
    side = np.count_nonzero(size.any(axis=(0, 2, 3)))
    print(f"depth {depth}: gradients right to {error:.0e}; window 1 + 2 ({depth} + 2) = {1 + 2 * (depth + 2)}", end="")
    print(f", measured {side}")
    shown.append(np.log10(size / size.max() + 1e-6) / 3 + 1)
captions = [f"depth {depth}" for depth in depths]
figure = plot.rows({"": np.concatenate(shown)}, {"": captions}, title="log |d answer(middle) / d x|")
plot.present(figure, "09_backprop_by_hand_1")

# %% [markdown]
# ## The same everywhere, or nearly
#
# With `padding="circular"` the network commutes with moving the picture on the torus, as ELS does: to rounding, before
# any training. With zero padding it does not, near the border. These are the two paddings of lesson 8.


# %%
x = np.random.default_rng(1).standard_normal((1, 16, 16, 1))  # (B, H, W, C)
for padding in ("circular", "zero"):
    net = random_net(0, padding=padding)
    both = net(np.roll(x, 3, axis=2), 0.6, 0.8), np.roll(net(x, 0.6, 0.8), 3, axis=2)  # (B, H, W, C) each
    print(f"padding {padding}: move-then-denoise and denoise-then-move differ by {np.abs(both[0] - both[1]).max():.1e}")

# %% [markdown]
# ## Questions
#
# 1. In `dx`, the window is turned by 180 degrees. Derive it again for a window of 3 on a line, with
#    $o(u) = w_{-1}x(u-1) + w_0 x(u) + w_1 x(u+1)$.
# 2. The cache of `conv` holds `cols`, the windows of `x`, and `w`. Which gradient needs which?
# 3. Why does `check_gradients` use float64, and a central difference?
# 4. The last convolution starts at zero, so the layers of an untrained network answer zero everywhere. Which gradients
#    are zero at the first step, and is that a problem?
# 5. Max pooling passes on the largest of four values. What is its backward?
#
# <details><summary>Answers</summary>
#
# 1. $x(v)$ is in $o(v-1)$ with $w_1$, in $o(v)$ with $w_0$, in $o(v+1)$ with $w_{-1}$, so
#    $dx(v) = w_1 do(v-1) + w_0 do(v) + w_{-1} do(v+1)$: the same window, read backwards.
# 2. `dw` needs `cols`, `dx` needs `w`, `db` needs neither.
# 3. A difference of two nearly equal numbers loses digits: in float32 with a step of 1e-5 hardly any would be left. The
#    error of a central difference falls with the square of the step, so the step need not be tiny.
# 4. All but those of the last layer: `dx` of the last layer is `dout` times zero. After the first step its weights are
#    no longer zero, and the others begin to move. Not a problem.
# 5. `dout` goes to the pixel that was the largest, the other three get zero.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [He et al. 2015](https://arxiv.org/abs/1502.01852): the size of the first weights. The derivation is written out
#   above.
