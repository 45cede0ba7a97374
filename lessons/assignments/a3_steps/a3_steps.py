# %% [markdown]
# # Assignment 3: DDIM and Heun
#
# A denoiser answers *what the clean picture probably was*. The reverse process uses the answer to go to a slightly
# lower noise level, again and again, from noise to a picture. Here one level is a pair `(alpha, sigma)`, and a step
# leads from the level `now` to the level `then`.
#
# As everywhere in this course: no input is written to, answers have the dtype of the arrays (float32 stays float32).
# The lesson to it: 3, `lessons/03_going_back.py`.

# %%
import numpy as np

# %% [markdown]
# ## 1. The DDIM step
#
# The denoiser says `x0_hat`. Then the noise in `x` must be $(x - \alpha\,\hat x_0) / \sigma$. Keep both, and mix them
# in the proportions of the next level:
#
# $$x' = \alpha'\,\hat x_0 + \sigma'\,\widehat{\text{noise}}$$
#
# The noise is read off at the level where `x` is *now*. Only the new mixture uses the next level.


# %%
def ddim(x, x0_hat, now, then):
    """`x` (B, ...) carried from the level `now` to the level `then`, both (alpha, sigma)."""
    ### BEGIN SOLUTION
    noise_hat = (x - now[0] * x0_hat) / now[1]  # (B, ...)
    return then[0] * x0_hat + then[1] * noise_hat  # (B, ...)
    ### END SOLUTION


# %% [markdown]
# ## 2. The loop
#
# `levels` is a list of pairs from noise to picture. With `n + 1` levels there are `n` steps. The denoiser is a function
# `denoise(x, alpha, sigma)`, and at each step it is asked about the current `x` at the current level. Published code
# has started one level late, or looked up the settings of the next step: the pictures still look like pictures, but
# network and formula no longer agree.
#
# Return the last `x`. Use your `ddim`.


# %%
def sample(denoise, x, levels):
    """Walk `x` (B, ...) down the `levels` by DDIM steps; `denoise(x, alpha, sigma)` returns x0_hat."""
    ### BEGIN SOLUTION
    for i in range(len(levels) - 1):
        x = ddim(x, denoise(x, *levels[i]), levels[i], levels[i + 1])  # (B, ...)
    return x
    ### END SOLUTION


# %% [markdown]
# ## 3. Heun's step
#
# Divide by alpha: $y = x / \alpha$ and $s = \sigma / \alpha$. In these variables the reverse process is the
# differential equation $dy/ds = \widehat{\text{noise}}(y, s)$, and a DDIM step is Euler's method for it: go straight
# with the slope at the start. Its error per unit of $s$ falls like the step size. Heun's method takes the slope at
# *both* ends and goes with their average:
#
# 1. go to the end with a DDIM step;
# 2. ask the denoiser there, at the level `then`, and compute the noise there;
# 3. go again from the start, by $(s' - s)$ times the mean of the two slopes;
# 4. multiply by the next alpha to come back from $y$ to $x$.
#
# Where the next sigma is 0 there is no slope to be had: the DDIM step is the answer.


# %%
def heun(denoise, x, now, then):
    """One step of second order from the level `now` to the level `then`, both (alpha, sigma)."""
    ### BEGIN SOLUTION
    x0_hat = denoise(x, *now)  # (B, ...)
    ahead = ddim(x, x0_hat, now, then)  # (B, ...)
    if then[1] == 0:
        return ahead
    slope = (x - now[0] * x0_hat) / now[1]  # (B, ...)
    slope_ahead = (ahead - then[0] * denoise(ahead, *then)) / then[1]  # (B, ...)
    change = then[1] / then[0] - now[1] / now[0]
    return then[0] * (x / now[0] + change * (slope + slope_ahead) / 2)  # (B, ...)
    ### END SOLUTION
