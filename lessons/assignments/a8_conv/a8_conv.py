# %% [markdown]
# # Assignment 8: the convolution, backwards
#
# Every gradient of a convolutional network is made of three sums. Here they are written by hand, with no framework.
#
# Pictures are `(B, H, W, C)`; weights are `(size, size, C, D)` with an odd `size`, `C` channels in and `D` features
# out. Beyond the border there are zeros. The radius `r` is half of `size`, rounded down, and an *offset* $s$ runs from
# $-r$ to $r$ in both directions; its weights are `w[r + s_row, r + s_column]`.
#
# As everywhere in this course: no input is written to, answers have the dtype of the arrays (float32 stays float32).
# The lesson to it: 9, `lessons/09_backprop_by_hand.py`.

# %%
import numpy as np

# %% [markdown]
# ## 1. Forwards
#
# $$\text{out}(u) = b + \sum_s x(u + s)\, w[s]$$
#
# where $x(u + s)\,w[s]$ is a row of `C` numbers times a `(C, D)` matrix. (This does not turn the window, as a
# mathematician's convolution would: networks learn $w$, so they need not.) Loop over the offsets, and let NumPy do all
# pixels at once: pad, cut out the shifted picture, `@`.


# %%
def conv(x, w, b):
    """Convolution with zero padding: `x` (B, H, W, C), `w` (size, size, C, D), `b` (D,) to (B, H, W, D)."""
    ### BEGIN SOLUTION
    size, (_, rows, columns, _) = len(w), x.shape
    r = size // 2
    padded = np.pad(x, ((0, 0), (r, r), (r, r), (0, 0)))  # (B, H + 2r, W + 2r, C)
    terms = (padded[:, i : i + rows, j : j + columns] @ w[i, j] for i in range(size) for j in range(size))
    return sum(terms) + b  # (B, H, W, D)
    ### END SOLUTION


# %% [markdown]
# ## 2. The gradient in the weights
#
# Let $L$ be the loss and `dout` $= \partial L / \partial\,\text{out}$, of shape `(B, H, W, D)`. The weight $w[s]_{cd}$
# takes part in *every* pixel of *every* picture, each time multiplied by $x(u + s)_c$, and its changes add up:
#
# $$\frac{\partial L}{\partial w[s]} = \sum_{b, u} x_b(u + s)^T\, \text{dout}_b(u)$$
#
# The sum runs over the whole batch. If the loss is a mean over the batch, `dout` knows that already.


# %%
def conv_dw(dout, x, size):
    """The gradient in w: `dout` (B, H, W, D), `x` (B, H, W, C) to (size, size, C, D)."""
    ### BEGIN SOLUTION
    r, (_, rows, columns, channels) = size // 2, x.shape
    padded = np.pad(x, ((0, 0), (r, r), (r, r), (0, 0)))  # (B, H + 2r, W + 2r, C)
    dw = np.empty((size, size, channels, dout.shape[-1]), dout.dtype)
    for i in range(size):
        for j in range(size):
            dw[i, j] = np.einsum("bhwc,bhwd->cd", padded[:, i : i + rows, j : j + columns], dout)  # (C, D)
    return dw
    ### END SOLUTION


# %% [markdown]
# ## 3. The gradient in the picture
#
# The pixel $x(v)$ takes part in $\text{out}(u)$ for every $u$ with $v = u + s$, that is $u = v - s$:
#
# $$\frac{\partial L}{\partial x(v)} = \sum_s \text{dout}(v - s)\, w[s]^T$$
#
# This is a convolution again, of `dout`. Compared with task 1 the sign of the offset has changed, so the window is
# turned by 180 degrees, and the matrix is transposed. What `dout` has beyond the border is zero. Use your `conv`.


# %%
def conv_dx(dout, w):
    """The gradient in x: `dout` (B, H, W, D), `w` (size, size, C, D) to (B, H, W, C)."""
    ### BEGIN SOLUTION
    turned = w[::-1, ::-1].swapaxes(2, 3)  # (size, size, D, C)
    return conv(dout, turned, np.zeros(w.shape[2], w.dtype))  # (B, H, W, C)
    ### END SOLUTION
