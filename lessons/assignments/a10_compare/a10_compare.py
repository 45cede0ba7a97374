# %% [markdown]
# # Assignment 10: calibrating and comparing
#
# A formula predicts what a trained network will draw from the same noise. How good is the prediction? Before that can
# be answered, two things have to be settled: which number measures agreement, and which window the formula may use at
# each noise level.
#
# As everywhere in this course: no input is written to, answers have the dtype of the arrays (float32 stays float32).
# The lesson to it: 11, `lessons/11_theory_meets_network.py`.

# %%
import numpy as np

# %% [markdown]
# ## 1. Pearson's r
#
# Take the mean off each picture, *its own mean over all pixels and channels*. Then $r$ is the cosine of the angle
# between the two, as vectors. It does not see brightness or contrast. Each pair of pictures has an $r$ of its own, with
# its sign. (Published code prints this number under the name $r^2$.)


# %%
def pearson_r(a, b):
    """Correlation of two batches, picture by picture: (B, ...), (B, ...) to (B,)."""
    ### BEGIN SOLUTION
    a, b = (x.reshape(len(x), -1) for x in (a, b))  # (B, D)
    a, b = (x - x.mean(axis=1, keepdims=True) for x in (a, b))  # (B, D)
    return (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))  # (B,)
    ### END SOLUTION


# %% [markdown]
# ## 2. R^2, the coefficient of determination
#
# How much better is the prediction than the best constant picture? With the squared error of the prediction above the
# line and the squared distance of the truth from *its own mean* below it,
#
# $$R^2 = 1 - \frac{\sum (\text{truth} - \text{prediction})^2}{\sum (\text{truth} - \overline{\text{truth}})^2}$$
#
# It is 1 for a perfect prediction, negative for one that is worse than a constant, and it is no square of anything. It
# does see a wrong brightness. It is not symmetric: the truth is the network's picture.


# %%
def r2_score(truth, prediction):
    """Coefficient of determination, picture by picture: (B, ...), (B, ...) to (B,)."""
    ### BEGIN SOLUTION
    truth, prediction = (x.reshape(len(x), -1) for x in (truth, prediction))  # (B, D)
    spread = ((truth - truth.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)  # (B,)
    return 1 - ((truth - prediction) ** 2).sum(axis=1) / spread  # (B,)
    ### END SOLUTION


# %% [markdown]
# ## 3. Calibration
#
# A network uses large windows in much noise and small ones in little, and nobody told it which. Read them off: at each
# reverse step compare the noise that the network predicts with the noise that the formula predicts for every window,
# and keep the window that is most alike.
#
# "Alike" is the cosine between the two noises (not centered), for each picture, averaged over the batch. What is read
# off at step $i$ belongs to step $i$. (Published code has stored it one step off.) Of equals, keep the first.
#
# `wanted[i]` is the network's noise at step i, shape `(B, D)`; `answers[i, j]` is the formula's with `windows[j]`.


# %%
def calibrate(wanted, answers, windows):
    """The best window of each step: `wanted` (S, B, D), `answers` (S, K, B, D), K `windows` to a list of S windows."""
    ### BEGIN SOLUTION
    wanted = wanted[:, None]  # (S, 1, B, D)
    lengths = np.sqrt((wanted**2).sum(axis=-1) * (answers**2).sum(axis=-1))  # (S, K, B)
    likeness = ((wanted * answers).sum(axis=-1) / lengths).mean(axis=2)  # (S, K)
    return [windows[j] for j in likeness.argmax(axis=1)]
    ### END SOLUTION
