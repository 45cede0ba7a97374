# %% [markdown]
# # 9. Backprop by hand: the convolution
#
# The formulas are done; now the network that they predict. It is a few convolutions with bends between them, and to
# train it we need the derivative of one number, the loss, in every weight. This lesson derives the derivative of the
# convolution with paper and pencil, writes it as loops, compares it with the package's arrays, and shows how to find
# out that a gradient is wrong.

# %%
import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.nn import layers

FAST = False

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
def conv_loops(x, w, b):
    """One picture, zero padding, as the sum says: x (H, W, C), w (k, k, C, D), b (D,) to (H, W, D)."""
    height, width, _ = x.shape
    r = len(w) // 2
    out = np.zeros((height, width, len(b)))
    for i, j in np.ndindex(height, width):
        out[i, j] = b
        for p, q in np.ndindex(w.shape[:2]):
            y, z = i + p - r, j + q - r
            if 0 <= y < height and 0 <= z < width:
                out[i, j] += x[y, z] @ w[p, q]
    return out


def conv_loops_backward(dout, x, w):
    """The three gradients, collected where they arise: dx (H, W, C), dw (k, k, C, D), db (D,)."""
    height, width, _ = x.shape
    r = len(w) // 2
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    for i, j in np.ndindex(height, width):
        for p, q in np.ndindex(w.shape[:2]):
            y, z = i + p - r, j + q - r
            if 0 <= y < height and 0 <= z < width:
                dw[p, q] += np.outer(x[y, z], dout[i, j])  # 2.
                dx[y, z] += w[p, q] @ dout[i, j]  # 3.
    return dx, dw, dout.sum(axis=(0, 1))  # 1.


# %% [markdown]
# Compare with the package. `layers.conv` copies every window into a row of a matrix, so that the double loop becomes
# one matrix product; that is where all the time of training goes.
#
# **Step through this.** Put a breakpoint in `conv_backward` (in `edudiff/nn/layers/convolution.py`), run the next cell
# in the debugger, and look at `rows.shape` and line 1. Step into `_conv_backward_turned`, and look at `turned`,
# `cols.shape` and lines 2 and 3. Which of the three needs the cache?


# %%
def loops_and_layers():
    """Prints how far the loops are from the layers, forwards and backwards."""
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal((6, 5, 2)), rng.standard_normal((3, 3, 2, 4)), rng.standard_normal(4)
    dout = rng.standard_normal((6, 5, 4))  # (H, W, D)
    out, cache = layers.conv(x[None], w, b, "zero")  # (1, H, W, D)
    mine, theirs = conv_loops_backward(dout, x, w), layers.conv_backward(dout[None], cache)
    worst = float(np.abs(conv_loops(x, w, b) - out[0]).max())
    print(f"forward: loops and layers differ by {worst:.1e}")
    for name, a, c in zip(("dx", "dw", "db"), mine, theirs, strict=True):
        difference = float(np.abs(a - c.reshape(a.shape)).max())
        print(f"{name}: loops and layers differ by {difference:.1e}")
        worst = max(worst, difference)
    return worst


# %%
if __name__ == "__main__":
    loops_and_layers()

# %% [markdown]
# ## Is it right? Two slopes
#
# Two programs can agree and both be wrong. A gradient has a meaning that can be measured: move the input a little, and
# see how much the loss moves. Checking every weight this way is slow. So take *one* random direction $d$: the slope of
# $L$ along it must be $\langle \text{gradient}, d\rangle$. Two numbers are compared, for any shape and any layer. A
# wrong gradient gets by with probability zero.
#
# With $L = \langle dout, o \rangle$ for a random `dout`, this is `edudiff.nn.check_gradients`. The cell runs it on the
# right gradient, then on four that look right. Read what the error says.


# %%
def wrong_gradients():
    """Prints what `check_gradients` says of the convolution's gradient and of four wrong ones; returns the failures."""
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal((2, 6, 5, 2)), rng.standard_normal((3, 3, 2, 4)), rng.standard_normal(4)
    error = ed.nn.check_gradients(layers.conv, layers.conv_backward, x, w, b, "zero")
    print(f"the right one: relative error {error:.1e}")

    def not_turned(dout, cache):
        _, dw, db = layers.conv_backward(dout, cache)
        dx, _ = layers.conv(dout, cache[1].swapaxes(2, 3), np.zeros(2), "zero")
        return dx, dw, db

    def mean_of_the_bias(dout, cache):
        dx, dw, db = layers.conv_backward(dout, cache)
        return dx, dw, db / dout[..., 0].size

    def offsets_swapped(dout, cache):
        dx, dw, db = layers.conv_backward(dout, cache)
        return dx, dw.swapaxes(0, 1), db

    def wrapped(dout, cache):
        x, w, _, stride = cache
        return layers.conv_backward(dout, (x, w, "circular", stride))

    caught = 0
    for wrong in (not_turned, mean_of_the_bias, offsets_swapped, wrapped):
        try:
            ed.nn.check_gradients(layers.conv, wrong, x, w, b, "zero")
        except ValueError as error:
            caught += 1
            print(f"{wrong.__name__}: {error}")
    return caught


# %%
if __name__ == "__main__":
    wrong_gradients()

# %% [markdown]
# ## The adjoint, in one line
#
# Without its bias, the convolution is a linear map $A$ from pictures to pictures, and `dx` is its transpose:
# $\langle dout, A x\rangle = \langle A^T dout, x\rangle$. For a linear map the check needs no small step at all. It
# holds to rounding, and it is the first thing to try on a new linear layer (padding, pooling, upsampling are linear
# as well).


# %%
def adjoint():
    """Prints both sides of <dout, A x> = <A^T dout, x> for three paddings; returns the largest difference."""
    rng, worst = np.random.default_rng(0), 0.0
    x, w = rng.standard_normal((1, 6, 7, 2)), rng.standard_normal((3, 3, 2, 4))  # (B, H, W, C), (k, k, C, D)
    dout = rng.standard_normal((1, 6, 7, 4))  # (B, H, W, D)
    for padding in layers.PADDINGS:
        out, cache = layers.conv(x, w, np.zeros(4), padding)  # (B, H, W, D)
        dx, _, _ = layers.conv_backward(dout, cache)
        left, right = float((dout * out).sum()), float((dx * x).sum())
        print(f"{padding:7}: <dout, A x> = {left:.12f}, <A^T dout, x> = {right:.12f}")
        worst = max(worst, abs(left - right))
    return worst


# %%
if __name__ == "__main__":
    adjoint()

# %% [markdown]
# ## The whole network
#
# `ResNet` is: a convolution; `depth` residual blocks, each a convolution, a scale and shift by the noise level, and a
# bend, added to its input; and a last convolution. Its backward is the same list read from the end. At each `+` the
# gradient goes both ways, and where one thing feeds many (the noise level feeds every block) the gradients add up.
#
# `check_gradients(net)` checks all parameters. And backprop can also tell **what a pixel depends on**: the gradient of
# one pixel of the answer in all pixels of the input is not zero exactly in the receptive field. Each 3x3 convolution
# adds one pixel on each side, so `depth + 2` of them see $1 + 2\,(\text{depth} + 2)$ pixels. That number is the window
# of the ELS formula.


# %%
def whole_network(fast=False):
    """Prints gradient checks and receptive fields; a Figure of what the middle pixel depends on, by depth."""
    depths = (0, 2) if fast else (0, 1, 2, 4)
    images = []
    for depth in depths:
        rng = np.random.default_rng(depth)
        net = ed.nn.ResNet(8, depth, rng=rng, dtype=np.float64, backend="numpy")
        error = ed.nn.check_gradients(net)
        print(
            f"depth {depth}: gradients right to {error:.0e}; window 1 + 2 ({depth} + 2) = {net.receptive_field}", end=""
        )
        print(f", measured {ed.nn.receptive_field(net, size=21)}")
        moved = {name: value + 0.1 * rng.standard_normal(value.shape) for name, value in net.parameters.items()}
        net = net.with_parameters(moved)  # at first the last layer is zero, and hides all behind it
        x0_hat, cache = net.forward(rng.standard_normal((1, 21, 21, 1)), 0.5, 0.5)  # (1, H, W, C)
        dout = np.zeros_like(x0_hat)
        dout[0, 10, 10] = 1
        size = np.abs(net.input_gradient(dout, cache))  # (1, H, W, C)
        images.append(np.log10(size / size.max() + 1e-6) / 3 + 1)
    captions = [f"depth {depth}" for depth in depths]
    return plot.rows({"": np.concatenate(images)}, {"": captions}, title="log |d answer(middle) / d x|")


# %%
if __name__ == "__main__":
    plot.present(whole_network(FAST), "09_backprop_by_hand_1")

# %% [markdown]
# ## The same everywhere, or nearly
#
# With `padding="circular"` the network commutes with moving the picture on the torus, as ELS does: to rounding, before
# any training. With zero padding it does not, near the border. These are the two borders of lesson 8.


# %%
def equivariance():
    """Prints how much moving the picture changes the answer, beyond moving it; returns both numbers."""
    found = []
    for padding in ("circular", "zero"):
        rng = np.random.default_rng(0)
        net = ed.nn.ResNet(8, 2, padding=padding, rng=rng, dtype=np.float64, backend="numpy")
        net = net.with_parameters({n: v + 0.1 * rng.standard_normal(v.shape) for n, v in net.parameters.items()})
        x = rng.standard_normal((1, 16, 16, 1))  # (B, H, W, C)
        both = net(np.roll(x, 3, axis=2), 0.6, 0.8), np.roll(net(x, 0.6, 0.8), 3, axis=2)  # (B, H, W, C) each
        found.append(float(np.abs(both[0] - both[1]).max()))
        print(f"padding {padding}: move-then-denoise and denoise-then-move differ by {found[-1]:.1e}")
    return found


# %%
if __name__ == "__main__":
    equivariance()

# %% [markdown]
# ## Questions
#
# 1. In `dx`, the window is turned by 180 degrees. Derive it again for a window of 3 on a line, with
#    $o(u) = w_{-1}x(u-1) + w_0 x(u) + w_1 x(u+1)$.
# 2. The cache of `conv` holds `x` and `w`. Which gradient needs which?
# 3. Why does `check_gradients` use float64, and a central difference?
# 4. The last convolution starts at zero, so the untrained network answers zero everywhere. Which gradients are zero at
#    the first step, and is that a problem?
# 5. Max pooling passes on the largest of four values. What is its backward?
#
# <details><summary>Answers</summary>
#
# 1. $x(v)$ is in $o(v-1)$ with $w_1$, in $o(v)$ with $w_0$, in $o(v+1)$ with $w_{-1}$, so
#    $dx(v) = w_1 do(v-1) + w_0 do(v) + w_{-1} do(v+1)$: the same window, read backwards.
# 2. `dw` needs `x`, `dx` needs `w`, `db` needs neither.
# 3. A difference of two nearly equal numbers loses digits: in float32 with a step of 1e-5 hardly any would be left. The
#    error of a central difference falls with the square of the step, so the step need not be tiny.
# 4. All but those of the last layer: `dx` of the last layer is `dout` times zero. After the first step its weights are
#    no longer zero, and the others begin to move. Not a problem.
# 5. `dout` goes to the pixel that was the largest, the other three get zero.
#
# </details>


# %%
def main(fast=False):
    """The whole lesson; `fast` with fewer networks. Returns the figures."""
    loops_and_layers()
    wrong_gradients()
    adjoint()
    equivariance()
    return [whole_network(fast)]
