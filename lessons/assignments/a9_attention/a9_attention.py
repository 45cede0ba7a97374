# %% [markdown]
# # Assignment 9: attention, backwards
#
# Attention lets every place of a picture look at every other: one such layer makes the mosaics of a local denoiser
# agree with each other. Forwards it is two matrix products with a softmax between them. Backwards it is the same three
# steps in reverse order.
#
# `q` is `(T, d)`: what each of T places asks. `k` is `(S, d)`: what each of S places offers. `v` is `(S, e)`: what it
# says.
#
# As everywhere in this course: no input is written to, answers have the dtype of the arrays (float32 stays float32).
# The lesson to it: 14, `lessons/14_attention.py`.

# %%
import numpy as np

# %% [markdown]
# ## 1. Forwards
#
# $$P = \text{softmax}\left(\frac{q k^T}{\sqrt d}\right), \qquad \text{out} = P v$$
#
# Each row of $P$, the weights with which one place listens to all others, adds up to 1. Without the $\sqrt d$ the
# logits of long vectors would be large, and the softmax would always pick one. Take out the largest logit of each row
# first. (`np.sqrt` of a plain number is a float64 of NumPy, which lifts float32 arrays to float64; `d ** 0.5` is not.)


# %%
def weights(q, k):
    """The attention weights P: `q` (T, d), `k` (S, d) to (T, S)."""
    ### BEGIN SOLUTION
    logits = q @ k.T / q.shape[1] ** 0.5  # (T, S)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))  # (T, S)
    return p / p.sum(axis=1, keepdims=True)  # (T, S)
    ### END SOLUTION


# %% [markdown]
# ## 2. The softmax, backwards
#
# For one row, $p_i = e^{l_i} / \sum_j e^{l_j}$. Every logit takes part in every weight of its row, through the sum:
#
# $$\frac{\partial p_i}{\partial l_j} = p_i (\delta_{ij} - p_j)$$
#
# Given `dp` $= \partial L / \partial p$, multiply by this matrix and simplify: the matrix itself is never needed. A
# check: the gradient of a row adds up to 0, since adding a constant to all logits changes nothing.


# %%
def softmax_backward(dp, p):
    """The gradient in the logits of a softmax over the last axis: `dp`, `p` (T, S) to (T, S)."""
    ### BEGIN SOLUTION
    return p * (dp - (dp * p).sum(axis=-1, keepdims=True))  # (T, S)
    ### END SOLUTION


# %% [markdown]
# ## 3. All of it
#
# `dout` $= \partial L / \partial\,\text{out}$ has shape `(T, e)`. Backwards through $\text{out} = P v$, then through
# the softmax, then through $q k^T / \sqrt d$. For a product $A B$ the rule is $dA = d\text{out}\, B^T$ and $dB = A^T\,
# d\text{out}$. Shapes catch most mistakes, unless $T = S$ and $d = e$.


# %%
def attention_backward(dout, q, k, v):
    """Gradients of weights(q, k) @ v: `dout` (T, e) to (dq, dk, dv), of the shapes of q, k, v."""
    ### BEGIN SOLUTION
    p = weights(q, k)  # (T, S)
    dv = p.T @ dout  # 1. (S, e)
    dlogits = softmax_backward(dout @ v.T, p) / q.shape[1] ** 0.5  # (T, S)
    return dlogits @ k, dlogits.T @ q, dv  # 2. (T, d), 3. (S, d), 1.
    ### END SOLUTION
