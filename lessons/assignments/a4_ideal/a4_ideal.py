# %% [markdown]
# # Assignment 4: the ideal score, stable and streaming
#
# If the clean pictures are exactly the $N$ training pictures $x_n$, each with probability $1/N$, then the best guess of
# the clean picture is known without any training. By Bayes' rule, picture $n$ made the noisy $x$ with probability
#
# $$W_n = \frac{p(x \mid x_n)}{\sum_m p(x \mid x_m)}, \qquad p(x \mid x_n) \propto
# \exp\left(-\frac{|x - \alpha x_n|^2}{2 \sigma^2}\right)$$
#
# and the mean of the clean picture given $x$ is $\sum_n W_n x_n$: a softmax over the training set. It is exact, and a
# diffusion model that used it could only copy. Getting it right in floating point takes three steps.
#
# As everywhere in this course: no input is written to, answers have the dtype of the arrays (float32 stays float32).
# The lesson to it: 4, `lessons/04_the_ideal_score_copies.py`.

# %%
import numpy as np

# %% [markdown]
# ## 1. A softmax that cannot overflow
#
# $\exp(-800)$ is 0 and $\exp(800)$ is infinite in float64. With little noise *all* the exponents are far below $-800$,
# and the naive formula gives $0 / 0$. Adding a constant to all logits changes nothing, since it cancels, so choose the
# constant such that the largest logit is 0: the largest weight is then 1, and the sum cannot vanish.
#
# Each row is a softmax of its own, so each row has its own largest logit. A logit may be $-\infty$: its weight is 0.


# %%
def softmax(logits):
    """exp(logits) / sum of exp(logits) along the last axis, for logits of any size: (..., N) to (..., N)."""
    ### BEGIN SOLUTION
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))  # (..., N)
    return weights / weights.sum(axis=-1, keepdims=True)  # (..., N)
    ### END SOLUTION


# %% [markdown]
# ## 2. The ideal denoiser
#
# The logit of picture $n$ is $-|x - \alpha x_n|^2 / 2\sigma^2$, and the answer is the weighted mean of the pictures.
#
# Take the differences first and square them afterwards. The expansion $|x|^2 - 2\alpha\, x \cdot x_n + \alpha^2
# |x_n|^2$ is one fast matrix product, but it subtracts large numbers that are nearly equal: in float32 the error is
# about $10^{-7}$ of $|x|^2$, and dividing by $\sigma^2 = 10^{-6}$ makes it as large as the logits themselves.


# %%
def ideal(x, data, alpha, sigma):
    """E[x0 | x] for the uniform law on `data`: `x` (B, D), `data` (N, D) to (B, D), in the dtype of `x`."""
    ### BEGIN SOLUTION
    difference = x[:, None] - alpha * data  # (B, N, D)
    logits = -(difference**2).sum(axis=-1) / (2 * sigma**2)  # (B, N)
    return softmax(logits) @ data  # (B, D)
    ### END SOLUTION


# %% [markdown]
# ## 3. The training set in pieces
#
# A training set may not fit into memory. Each piece of it gives three numbers per noisy picture:
#
# - `top`, the largest logit of the piece, shape `(B,)`;
# - `den` = $\sum_n \exp(l_n - \text{top})$, shape `(B,)`;
# - `num` = $\sum_n \exp(l_n - \text{top})\, x_n$, shape `(B, D)`.
#
# Two pieces with different tops count in different units. Bring both to the larger top, then add. At the end `num /
# den` is the answer, *the same for every way to cut the training set*. (Published code has averaged the answers of the
# pieces instead; then the result depends on the batch size of the data loader.)
#
# A piece may be empty: `top` $= -\infty$, `num` and `den` 0. At least one of the two is not.


# %%
def merge(a, b):
    """One triple (top, num, den) from two over different training pictures: shapes (B,), (B, D), (B,)."""
    ### BEGIN SOLUTION
    top = np.maximum(a[0], b[0])  # (B,)
    parts = [(np.exp(part[0] - top), part) for part in (a, b)]
    num = sum(scale[:, None] * part[1] for scale, part in parts)  # (B, D)
    den = sum(scale * part[2] for scale, part in parts)  # (B,)
    return top, num, den
    ### END SOLUTION
