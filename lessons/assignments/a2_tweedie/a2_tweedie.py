# %% [markdown]
# # Assignment 2: Tweedie, or four ways to say one thing
#
# A noisy picture is $x = \alpha x_0 + \sigma\,\text{noise}$. Somebody guesses the clean picture and calls it `x0_hat`.
# With `x` in hand, that guess is also a guess of the noise, of the score and of the velocity: each of the four
# determines the others. Networks are trained to predict any of them, and most mistakes in sampling code are a wrong
# conversion.
#
# In all four functions `x` and the second argument have shape `(B, ...)`, `alpha` and `sigma` are plain numbers, and
# `sigma` is positive.
#
# As everywhere in this course: no input is written to, answers have the dtype of the arrays (float32 stays float32).
# The lesson to it: 2, `lessons/02_the_score.py`.

# %%
import numpy as np

# %% [markdown]
# ## 1. The noise
#
# Solve $x = \alpha\,\hat x_0 + \sigma\,\widehat{\text{noise}}$ for the noise.


# %%
def noise_from_x0(x, x0_hat, alpha, sigma):
    """The noise that is left in `x` once the picture is taken out."""
    ### BEGIN SOLUTION
    return (x - alpha * x0_hat) / sigma  # (B, ...)
    ### END SOLUTION


# %% [markdown]
# ## 2. The score
#
# The score is the slope of the log density of noisy pictures, $\nabla_x \log p(x)$. Given $x_0$ the density of $x$ is a
# Gaussian around $\alpha x_0$, and
#
# $$\nabla_x \log \exp\left(-\frac{|x - \alpha x_0|^2}{2\sigma^2}\right) = -\frac{x - \alpha x_0}{\sigma^2}$$
#
# Averaged over what $x_0$ may have been, $x_0$ turns into its mean $\hat x_0 = E[x_0 \mid x]$ and nothing else changes.
# The arrow points from the noisy picture towards the clean one.


# %%
def score_from_x0(x, x0_hat, alpha, sigma):
    """The score at `x`, from the mean `x0_hat` of the clean pictures."""
    ### BEGIN SOLUTION
    return (alpha * x0_hat - x) / sigma**2  # (B, ...)
    ### END SOLUTION


# %% [markdown]
# ## 3. Tweedie's formula
#
# The other way round: whoever knows the score can denoise. Solve the equation of task 2 for $\hat x_0$. (Statisticians
# found it in the 1950s. It needs `alpha` above 0.)


# %%
def x0_from_score(x, score, alpha, sigma):
    """The mean of the clean pictures, from the score at `x`."""
    ### BEGIN SOLUTION
    return (x + sigma**2 * score) / alpha  # (B, ...)
    ### END SOLUTION


# %% [markdown]
# ## 4. From a velocity
#
# A fourth target, well behaved at both ends, is the velocity $v = \alpha\,\text{noise} - \sigma\,x_0$. Together with $x
# = \alpha x_0 + \sigma\,\text{noise}$ these are two equations with two unknowns. Eliminate the noise: multiply the
# second by $\alpha$, the first by $\sigma$, and subtract. Do not assume that $\alpha^2 + \sigma^2 = 1$: that holds for
# some schedules only.


# %%
def x0_from_velocity(x, velocity, alpha, sigma):
    """The clean picture, from `x` and the velocity alpha * noise - sigma * x0."""
    ### BEGIN SOLUTION
    return (alpha * x - sigma * velocity) / (alpha**2 + sigma**2)  # (B, ...)
    ### END SOLUTION
