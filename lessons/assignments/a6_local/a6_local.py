# %% [markdown]
# # Assignment 6: the local score
#
# A convolutional network with few layers sees, at each pixel, only a window around it. The best denoiser with that
# handicap is known: at each pixel it compares the window of the noisy picture with the windows of the training pictures
# *at the same place*, and averages their center pixels. Every pixel has a softmax of its own, so two parts of a picture
# may come from different training pictures. That is where the invention begins.
#
# As everywhere in this course: no input is written to, answers have the dtype of the arrays (float32 stays float32).
# The lesson to it: 7, `lessons/07_looking_through_a_window.py`.

# %%
import numpy as np

# %% [markdown]
# ## 1. Sums over windows
#
# At the border a window sticks out of the picture. What sticks out is not there: it adds nothing to the sum.
#
# `a` has shape `(..., H, W)`, `window` is odd, and the answer at a pixel is the sum over the `window` x `window` pixels
# around it, as far as they lie in the picture. Loops over the `window * window` offsets are fine; loops over the pixels
# are slow.


# %%
def box_sums(a, window):
    """Sums of `a` (..., H, W) over the window x window pixels around each one, clipped at the border: (..., H, W)."""
    ### BEGIN SOLUTION
    r, (rows, columns) = window // 2, a.shape[-2:]
    padded = np.pad(a, [(0, 0)] * (a.ndim - 2) + [(r, r), (r, r)])  # (..., H + 2r, W + 2r)
    places = [(i, j) for i in range(window) for j in range(window)]
    return sum(padded[..., i : i + rows, j : j + columns] for i, j in places)  # (..., H, W)
    ### END SOLUTION


# %% [markdown]
# ## 2. The local score
#
# For the pixel $u$ with window $\Omega_u$ (Kamb & Ganguli 2024, eq. 7-8):
#
# $$\hat x_0(u) = \sum_n W_n(u)\, x_n(u), \qquad W_n(u) \propto
# \exp\left(-\frac{1}{2\sigma^2} \sum_{v \in \Omega_u} |x(v) - \alpha x_n(v)|^2\right)$$
#
# where $|\cdot|^2$ also adds over the channels. With the squared difference picture in hand, $|x(v) - \alpha x_n(v)|^2$
# for all $v$ at once, the sums over all windows are one call of your `box_sums`. The softmax runs over the training
# pictures, for each pixel alone. Take out the largest logit first, or small noise gives 0 / 0.


# %%
def local(x, images, alpha, sigma, window):
    """The local score's x0_hat: `x` (B, H, W, C), `images` (N, H, W, C) to (B, H, W, C)."""
    ### BEGIN SOLUTION
    squares = ((x[:, None] - alpha * images) ** 2).sum(axis=-1)  # (B, N, H, W)
    logits = box_sums(squares, window) / (-2 * sigma**2)  # (B, N, H, W)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))  # (B, N, H, W)
    weights = weights / weights.sum(axis=1, keepdims=True)  # (B, N, H, W)
    return np.einsum("bnhw,nhwc->bhwc", weights, images)  # (B, H, W, C)
    ### END SOLUTION
