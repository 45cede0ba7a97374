# %% [markdown]
# # Assignment 12: inversion and likelihood
#
# The probability flow can be followed up, from a picture to its noise; between two noises lie other pictures; and how
# fast the flow spreads says how likely a picture is. One level is a pair `(alpha, sigma)`; a denoiser is a function
# `denoise(x, alpha, sigma)`.
#
# As everywhere in this course: no input is written to, answers have the dtype of the arrays (float32 stays float32).
# The lessons to it: 18, `lessons/18_there_and_back_again.py`, and 20.

# %%
import numpy as np

# %% [markdown]
# ## 1. Up
#
# `levels` is a list of pairs that *rise*, from little noise to much. Begin at the first one with $x = \alpha\,x_0$: the
# picture is taken for one that holds this little noise. Then take DDIM steps, each from the level where x is to the
# next, noisier one:
#
# $$x' = \alpha'\,\hat x_0 + \sigma'\,(x - \alpha\,\hat x_0) / \sigma$$
#
# The denoiser is asked about x at the level where x is.


# %%
def invert(denoise, x0, levels):
    """`x0` (B, ...) carried up the rising `levels`, [(alpha, sigma), ...], by DDIM steps: x at the last, (B, ...)."""
    ### BEGIN SOLUTION
    x = levels[0][0] * x0  # (B, ...)
    for i in range(len(levels) - 1):
        (alpha, sigma), (alpha_next, sigma_next) = levels[i], levels[i + 1]
        x0_hat = denoise(x, alpha, sigma)  # (B, ...)
        x = alpha_next * x0_hat + sigma_next * (x - alpha * x0_hat) / sigma  # (B, ...)
    return x
    ### END SOLUTION


# %% [markdown]
# ## 2. Between two noises
#
# On the straight line between two noises the middle has half of the variance: it is no noise any more. On the arc it
# keeps it. For each item, with the angle $\varphi$ between the two vectors,
#
# $$\frac{\sin((1 - s)\,\varphi)}{\sin\varphi}\,a + \frac{\sin(s\,\varphi)}{\sin\varphi}\,b.$$
#
# The angle is that of $\cos\varphi = a \cdot b / |a|\,|b|$. The two are never parallel and never 0, and each item has
# an angle of its own.


# %%
def slerp(a, b, share):
    """The points (B, D) at `share` of the arcs from the rows of `a` (B, D) to those of `b` (B, D)."""
    ### BEGIN SOLUTION
    lengths = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))  # (B,)
    angle = np.arccos((a * b).sum(axis=1) / lengths)[:, None]  # (B, 1)
    return (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)  # (B, D)
    ### END SOLUTION


# %% [markdown]
# ## 3. The divergence, estimated
#
# The log-density along the flow needs $\sum_i \partial \hat x_{0,i} / \partial x_i$. One derivative for each value
# would be dear. Hutchinson's estimate takes a vector $e$ of random signs, $e \cdot J e$, and $J e$ is the slope of the
# denoiser in the direction of $e$: from its answers a `step` forward and a `step` back,
#
# $$J e \approx \frac{\hat x_0(x + h e) - \hat x_0(x - h e)}{2 h}.$$
#
# Each item of the batch has its own estimate.


# %%
def divergence(denoise, x, alpha, sigma, signs, step):
    """The estimate (B,) of the divergence of the answers about `x` (B, D), from `signs` (B, D) of 1 and -1."""
    ### BEGIN SOLUTION
    change = denoise(x + step * signs, alpha, sigma) - denoise(x - step * signs, alpha, sigma)  # (B, D)
    return (signs * change).sum(axis=1) / (2 * step)  # (B,)
    ### END SOLUTION
