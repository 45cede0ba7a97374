# %% [markdown]
# # Assignment 1: schedules and forward noise
#
# A diffusion model learns to undo one thing, the adding of noise. A clean picture `x0` and standard normal `noise` of
# the same shape are mixed:
#
# $$x = \alpha\, x_0 + \sigma\, \text{noise}$$
#
# Write three functions. Run `python grade.py` in the folder above as often as you like. Put a breakpoint anywhere and
# run `pytest -m TASK` to stop in your own code.
#
# The lesson to it: 1, `lessons/01_adding_noise.py`.

# %%
import numpy as np

# %% [markdown]
# ## 1. The cosine schedule
#
# A schedule turns a time $t$ between 0 (the picture) and 1 (noise) into $\alpha$ and $\sigma$. If $x_0$ and the noise
# are independent and both have variance 1, then $x$ has variance $\alpha^2 + \sigma^2$. A *variance preserving*
# schedule keeps that at 1, so $(\alpha, \sigma)$ is a point on the unit circle, and the simplest walk on the circle
# turns at constant speed: the angle is
#
# $$a(t) = \frac{\pi}{2}\,\frac{t}{\text{stretch}}$$
#
# with $\alpha = \cos a$ and $\sigma = \sin a$. A stretch a little above 1 stops the walk just before $\alpha = 0$.
# (Papers call $\alpha^2$ "alpha bar". Here $\alpha$ is always the number that multiplies the picture.)
#
# `t` is a number or an array of any shape; alpha and sigma have its shape.


# %%
def cosine(t, stretch=1.008):
    """(alpha, sigma) of the cosine schedule at time `t`, a number or an array."""
    ### BEGIN SOLUTION
    angle = np.pi / 2 * np.asarray(t) / stretch
    return np.cos(angle), np.sin(angle)
    ### END SOLUTION


# %% [markdown]
# ## 2. Adding noise
#
# In training every picture of a batch gets its own time, so `alpha` and `sigma` are arrays of shape `(B,)`, while the
# pictures have shape `(B, H, W, C)`. NumPy lines shapes up from the *last* axis. Multiply a `(B,)` array with a
# `(B, H, W, C)` array and it either complains or, if `B == C`, silently scales the colors instead of the pictures.
# Give the scales the axes that they lack.
#
# Three rules hold everywhere in this course: an input is never written to; the answer has the dtype of the arrays that
# came in, so float32 pictures stay float32; and a plain number is welcome where an array is.


# %%
def add_noise(x0, alpha, sigma, noise):
    """alpha * x0 + sigma * noise. `x0`, `noise`: (B, ...). `alpha`, `sigma`: a number, or one per picture, (B,)."""
    ### BEGIN SOLUTION
    axes = (-1,) + (1,) * (x0.ndim - 1)
    alpha = np.asarray(alpha, dtype=x0.dtype).reshape(axes)  # (B, 1, ...) or (1, 1, ...)
    sigma = np.asarray(sigma, dtype=x0.dtype).reshape(axes)  # (B, 1, ...) or (1, 1, ...)
    return alpha * x0 + sigma * noise  # (B, ...)
    ### END SOLUTION


# %% [markdown]
# ## 3. The signal-to-noise ratio
#
# Doubling both $\alpha$ and $\sigma$ changes nothing that a denoiser could use: only their ratio matters. *Power* is
# amplitude squared, so the signal-to-noise ratio is $\alpha^2 / \sigma^2$, and its natural logarithm is what
# networks are often told of the noise level. It falls as time goes on.


# %%
def log_snr(alpha, sigma):
    """log(alpha^2 / sigma^2), for positive numbers or arrays of one shape."""
    ### BEGIN SOLUTION
    return 2 * (np.log(alpha) - np.log(sigma))
    ### END SOLUTION
