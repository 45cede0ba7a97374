# %% [markdown]
# # Assignment 5: the linear score
#
# Suppose a denoiser may only be linear in $x$, as a single layer without a nonlinearity is. Then all that it can use of
# the data is their mean $\mu$ and covariance $S$: the best linear denoiser of any data is the best denoiser of
# *Gaussian* data with that mean and covariance. It is called the Wiener filter, and a diffusion model that uses it
# draws from a Gaussian.
#
# As everywhere in this course: no input is written to, answers have the dtype of the arrays (float32 stays float32).
# The lesson to it: 5, `lessons/05_the_linear_score.py`.

# %%
import numpy as np

# %% [markdown]
# ## 1. What it knows of the data
#
# The mean picture, and the mean over the pictures of $(x_n - \mu)(x_n - \mu)^T$. The training set *is* the law here,
# and no sample from a larger one: divide by $N$.


# %%
def moments(data):
    """(mean, covariance) of a training set (N, D): shapes (D,) and (D, D)."""
    ### BEGIN SOLUTION
    mean = data.mean(axis=0)  # (D,)
    centered = data - mean  # (N, D)
    return mean, centered.T @ centered / len(data)  # (D,), (D, D)
    ### END SOLUTION


# %% [markdown]
# ## 2. The Wiener filter
#
# $x = \alpha x_0 + \sigma\,\text{noise}$ has mean $\alpha\mu$ and covariance $\alpha^2 S + \sigma^2 I$, and $x_0$ and
# $x$ have covariance $\alpha S$. Conditioning one half of a Gaussian pair on the other,
#
# $$E[x_0 \mid x] = \mu + \alpha S\,(\alpha^2 S + \sigma^2 I)^{-1} (x - \alpha\mu)$$
#
# Along an eigenvector of $S$ with variance $\lambda$ this multiplies by $\alpha\lambda / (\alpha^2\lambda + \sigma^2)$:
# what varies more than the noise is kept, what varies less is taken for noise.


# %%
def linear(x, mean, covariance, alpha, sigma):
    """E[x0 | x] for Gaussian data: `x` (B, D), `mean` (D,), `covariance` (D, D) to (B, D)."""
    ### BEGIN SOLUTION
    noisy = alpha**2 * covariance + sigma**2 * np.eye(len(mean), dtype=x.dtype)  # (D, D)
    gain = alpha * np.linalg.solve(noisy, covariance)  # (D, D), symmetric: both factors share their eigenvectors
    return mean + (x - alpha * mean) @ gain  # (B, D)
    ### END SOLUTION


# %% [markdown]
# ## 3. Where the reverse process leads
#
# For Gaussian data the whole walk from noise to a picture is known, without steps. Along each eigenvector of $S$ the
# noisy data have mean $\alpha\mu$ and variance $\alpha^2\lambda + \sigma^2$. The walk keeps every point at its
# quantile: so many standard deviations from the mean at one level are as many at every other.
#
# `np.linalg.eigh` gives the variances $\lambda$ and, as columns, the eigenvectors. It may return tiny negative
# $\lambda$: with $\sigma = 0$ at the end, take them for 0.


# %%
def flow(x, mean, covariance, now, then):
    """Where the exact walk from the level `now` (alpha, sigma) to `then` carries `x` (B, D): (B, D)."""
    ### BEGIN SOLUTION
    variances, basis = np.linalg.eigh(covariance)  # (D,), (D, D)
    variances = np.maximum(variances, 0)  # (D,)
    before, after = (level[0] ** 2 * variances + level[1] ** 2 for level in (now, then))  # (D,), (D,)
    along = (x - now[0] * mean) @ basis  # (B, D)
    return then[0] * mean + (along * np.sqrt(after / before)) @ basis.T  # (B, D)
    ### END SOLUTION
