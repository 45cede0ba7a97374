# %% [markdown]
# # Assignment 7: ELS, the window that moves
#
# A convolution uses the same weights everywhere. So it can neither see far nor know where it is, and the best denoiser
# of that kind compares the window around a pixel with the training windows *at all places*. Its pictures are mosaics of
# training patches: the equivariant local score, ELS.
#
# As everywhere in this course: no input is written to, answers have the dtype of the arrays (float32 stays float32).
# The lesson to it: 8, `lessons/08_moving_the_window.py`.
#
# Pictures have shape `(B, H, W, C)`, training pictures `(N, H, W, C)`. A window has `window` x `window` pixels, and
# `window` is odd. These two functions are given: they cut out the windows, and take softmax means.

# %%
import numpy as np


def windows(images, window, padding):
    """The window of every pixel as a row: (B, H, W, C) to (B, H, W, window**2 * C). `padding`: "zero", "circular"."""
    edge = ((0, 0), (window // 2, window // 2), (window // 2, window // 2), (0, 0))
    padded = np.pad(images, edge, mode={"zero": "constant", "circular": "wrap"}[padding])
    cut = np.lib.stride_tricks.sliding_window_view(padded, (window, window), axis=(1, 2))  # (B, H, W, C, rows, columns)
    return cut.reshape(*images.shape[:3], -1)  # (B, H, W, window**2 * C)


def softmax_mean(logits, values):
    """The mean of `values` (M, C) with the weights exp(logits) over their sum: logits (..., M) to (..., C)."""
    return np.exp(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)) @ values  # (..., C)


# %% [markdown]
# ## 1. On a torus
#
# If the network pads by wrapping around, the picture has no border, and neither have the training pictures: their
# windows wrap too. Every window of every training picture at every place is a candidate, `N * H * W` in all, and the
# answer at a pixel is the softmax mean of the candidates' *center* pixels (Kamb & Ganguli 2024, eq. 9-10). There is one
# softmax over all candidates. A softmax for each place, averaged afterwards, is something else.


# %%
def els_circular(x, images, alpha, sigma, window):
    """ELS with wrapping windows: `x` (B, H, W, C), `images` (N, H, W, C) to (B, H, W, C)."""
    ### BEGIN SOLUTION
    own = windows(x, window, "circular")  # (B, H, W, P)
    patches = windows(images, window, "circular").reshape(-1, own.shape[-1])  # (M, P)
    squares = ((own[..., None, :] - alpha * patches) ** 2).sum(axis=-1)  # (B, H, W, M)
    return softmax_mean(-squares / (2 * sigma**2), images.reshape(-1, images.shape[-1]))  # (B, H, W, C)
    ### END SOLUTION


# %% [markdown]
# ## 2. What a window shows of the border
#
# With zero padding a network does learn something about its place: at the edge it sees zeros that no picture has. Two
# places are comparable if their windows stick out of the picture *alike*: as far on the left, and as far on the
# right. Rows and columns obey the rule separately, so think of one axis of `length` pixels, and of the windows of
# `radius` around the places `u` and `v`. Inside, where nothing sticks out, all places are alike.


# %%
def alike(u, v, length, radius):
    """Whether the windows around `u` and `v` stick out alike at both ends of an axis: True or False."""
    ### BEGIN SOLUTION
    sides = [(max(0, radius - place), max(0, place + radius - length + 1)) for place in (u, v)]
    return sides[0] == sides[1]
    ### END SOLUTION


# %% [markdown]
# ## 3. With a border
#
# The candidates of the pixel `(i, j)` are the windows at all places `(p, q)` that are alike in their rows *and* in
# their columns. A corner pixel is compared with the same corner alone. Here a loop over the pixels is fine.


# %%
def els_zero(x, images, alpha, sigma, window):
    """ELS with zero padding: `x` (B, H, W, C), `images` (N, H, W, C) to (B, H, W, C)."""
    ### BEGIN SOLUTION
    _, rows, columns, channels = images.shape
    own, patches = windows(x, window, "zero"), windows(images, window, "zero")  # (B, H, W, P), (N, H, W, P)
    out = np.empty_like(x)
    for i in range(rows):
        for j in range(columns):
            down = [p for p in range(rows) if alike(i, p, rows, window // 2)]
            right = [q for q in range(columns) if alike(j, q, columns, window // 2)]
            places = np.ix_(range(len(images)), down, right)
            candidates = patches[places].reshape(-1, own.shape[-1])  # (M, P)
            squares = ((own[:, i, j, None] - alpha * candidates) ** 2).sum(axis=-1)  # (B, M)
            out[:, i, j] = softmax_mean(-squares / (2 * sigma**2), images[places].reshape(-1, channels))  # (B, C)
    return out
    ### END SOLUTION
