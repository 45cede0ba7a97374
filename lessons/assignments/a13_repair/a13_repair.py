# %% [markdown]
# # Assignment 13: repair
#
# A part of a picture is known, or a blurred or smaller version of it. What is the rest? Three pieces: the law that is
# right for a training set, the recipe that is used most, and the update that is exact for normal data.
#
# As everywhere in this course: no input is written to, answers have the dtype of the arrays (float32 stays float32).
# The lesson to it: 19, `lessons/19_repair.py`.

# %%
import numpy as np

# %% [markdown]
# ## 1. Which training picture?
#
# Some values of a picture were measured, each with normal noise of standard deviation `noise`: `y` (M,). They are those
# at the places `known` (M,), integers, of a flat picture. If the picture is one of the training pictures, each as
# likely before, then after the measurement picture n has the probability
#
# $$w_n \propto e^{-|y - x_n[\text{known}]|^2 / 2\,\text{noise}^2}.$$
#
# The exponents may be so small that `np.exp` gives 0 for all of them: take the largest one out first.


# %%
def posterior(images, known, y, noise):
    """The probabilities (N,) of the training `images` (N, D), given the values `y` (M,) at the places `known` (M,)."""
    ### BEGIN SOLUTION
    logits = -((y - images[:, known]) ** 2).sum(axis=1) / (2 * noise**2)  # (N,)
    weights = np.exp(logits - logits.max())  # (N,)
    return weights / weights.sum()  # (N,)
    ### END SOLUTION


# %% [markdown]
# ## 2. Replacement
#
# At a level (alpha, sigma) of the reverse process put what is known in its place: `y` as noisy as x is there,
# $\alpha\,y + \sigma\,\text{noise}$. The rest of x stays. `keep` (D,) are booleans, true where a value is known; `y`
# and `noise` are full pictures (B, D), of which only the values at `keep` count.


# %%
def replaced(x, y, keep, alpha, sigma, noise):
    """`x` (B, D) with alpha * y + sigma * noise at the places where `keep` (D,) is true."""
    ### BEGIN SOLUTION
    return np.where(keep, alpha * y + sigma * noise, x)  # (B, D)
    ### END SOLUTION


# %% [markdown]
# ## 3. The exact update
#
# A measurement $y = A x_0 + \tau n$ with a matrix $A$ (M, D). The denoiser says that $x_0$ is $\hat x_0$ on average,
# and its Jacobian says with which covariance $C$ (D, D). If $x_0$ given x is normal, then its mean given y too is
#
# $$\hat x_0 + C A^T (A C A^T + \tau^2 I)^{-1} (y - A \hat x_0).$$
#
# Solve the linear system (`np.linalg.solve`) instead of inverting the matrix.


# %%
def updated(x0_hat, covariance, matrix, y, tau):
    """The mean (B, D) given the measurements `y` (B, M) of `matrix` (M, D), for answers `x0_hat` (B, D)."""
    ### BEGIN SOLUTION
    missing = y - x0_hat @ matrix.T  # (B, M)
    total = matrix @ covariance @ matrix.T + tau**2 * np.eye(len(matrix), dtype=x0_hat.dtype)  # (M, M)
    return x0_hat + np.linalg.solve(total, missing.T).T @ matrix @ covariance  # (B, D)
    ### END SOLUTION
