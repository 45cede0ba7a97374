# %% [markdown]
# # Assignment 11: guidance
#
# A denoiser of one class answers what a picture of that class probably was. Guidance goes beyond its answer, away from
# the answer of a denoiser of all classes. Here `weight` is the number that most programs call the guidance scale: 1 is
# none.
#
# As everywhere in this course: no input is written to, answers have the dtype of the arrays (float32 stays float32).
# The lesson to it: 17, `lessons/17_guidance.py`.

# %%
import numpy as np

# %% [markdown]
# ## 1. The guided answer
#
# $$\hat x_0 = \hat x_0^{\text{all}} + w\,\big(\hat x_0^{\text{class}} - \hat x_0^{\text{all}}\big)$$
#
# Ho & Salimans 2022 write $(1 + w)$ times the class less $w$ times all: their $w$ is ours minus one.


# %%
def guide(of_class, of_all, weight):
    """The guided answer, (B, ...), of two answers of this shape: `weight` 1 is the class's own, 0 that of all."""
    ### BEGIN SOLUTION
    return of_all + weight * (of_class - of_all)  # (B, ...)
    ### END SOLUTION


# %% [markdown]
# ## 2. A guided step on an interval
#
# A DDIM step from the level `now` to the level `then`, both (alpha, sigma), with the guided answer. Guide only where
# the noise level sigma / alpha of `now` lies between `low` and `high`, both ends included; elsewhere the answer is that
# of the class alone (Kynkäänniemi et al. 2024). Both denoisers are functions `denoise(x, alpha, sigma)`, and both are
# asked about `x` at the level `now`. alpha is never 0.


# %%
def guided_step(class_denoiser, all_denoiser, x, now, then, weight, low, high):
    """`x` (B, ...) after one guided DDIM step from the level `now` to the level `then`, both (alpha, sigma)."""
    ### BEGIN SOLUTION
    x0_hat = class_denoiser(x, now[0], now[1])  # (B, ...)
    if low * now[0] <= now[1] <= high * now[0]:
        x0_hat = guide(x0_hat, all_denoiser(x, now[0], now[1]), weight)  # (B, ...)
    noise_hat = (x - now[0] * x0_hat) / now[1]  # (B, ...)
    return then[0] * x0_hat + then[1] * noise_hat  # (B, ...)
    ### END SOLUTION


# %% [markdown]
# ## 3. What it draws from
#
# Let the data of the class and of all be normal, along each axis with the variances $v_1$ and $v_0$. With
# $y = x / \alpha$ and $s = \sigma / \alpha$ the guided flow stretches what is drawn by
#
# $$(v_1 + s^2)^{w/2}\,(v_0 + s^2)^{(1-w)/2}$$
#
# as $s$ goes from one level to another; differentiate it to see that it solves the flow of lesson 17. So from pure
# noise of variance $s^2$ at the level $s$ = `first` down to $s = 0$, what is the variance of what is drawn? It is the
# square of the ratio of two such numbers, times the variance at the start. This is not the variance
# $1 / (w / v_1 + (1 - w) / v_0)$ of the density $p(x \mid c)^w p(x)^{1-w}$.


# %%
def guided_variance(of_class, of_all, weight, first):
    """The variance (D,) of what the guided flow draws from the level `first`; `of_class`, `of_all`: variances (D,)."""
    ### BEGIN SOLUTION
    at_the_end = of_class**weight * of_all ** (1 - weight)  # (D,)
    at_first = (of_class + first**2) ** weight * (of_all + first**2) ** (1 - weight)  # (D,)
    return first**2 * at_the_end / at_first  # (D,)
    ### END SOLUTION
