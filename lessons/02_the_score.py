# %% [markdown]
# # 2. The score
#
# Noise turns a training set into a landscape: $p_\sigma(x)$, the density of noisy pictures, has a hill over every
# training point. The **score** is the slope of the logarithm of that landscape, $\nabla_x \log p_\sigma(x)$: the
# direction in which `x` becomes a likelier noisy picture fastest.
#
# Tweedie's formula says that whoever can denoise knows the score, and the other way round:
#
# $$\nabla_x \log p(x) = \frac{\alpha\, E[x_0 \mid x] - x}{\sigma^2}$$
#
# Here the data are 2-D points, so that the landscape can be drawn.
#
# To write it yourself: assignment 2, `lessons/assignments/a2_tweedie`.

# %%
import os
import sys

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.data import toys

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# ## The density, from its definition
#
# For a training set of N points, the noisy density is a mixture of N Gaussians of width $\sigma$ around
# $\alpha x_n$. Its logarithm is a log-sum-exp; the largest term is taken out first, or `exp` would underflow to 0.


# %%
def log_density(x, data, alpha, sigma):
    """log p(x) up to a constant, for points `x` (B, 2) and training set `data` (N, 2)."""
    squares = ((x[:, None] - alpha * data) ** 2).sum(axis=2)  # (B, N)
    exponent = -squares / (2 * sigma**2)  # (B, N)
    top = exponent.max(axis=1, keepdims=True)  # (B, 1)
    return top[:, 0] + np.log(np.exp(exponent - top).sum(axis=1))  # (B,)


# %% [markdown]
# ## Tweedie's formula, derived and checked
#
# The density is $p(x) = \frac1N \sum_n g(x - \alpha x_n)$ with $g$ the normal density of width $\sigma$, and
# $\nabla g(z) = -z\, g(z) / \sigma^2$. So
#
# $$\nabla \log p(x) = \frac{\nabla p(x)}{p(x)}
#   = \sum_n \frac{\alpha x_n - x}{\sigma^2}\; \underbrace{\frac{g(x - \alpha x_n)}{\sum_m g(x - \alpha x_m)}}_{w_n}
#   = \frac{\alpha \sum_n w_n x_n - x}{\sigma^2}.$$
#
# By Bayes' rule, $w_n$ is the probability that `x` was made from $x_n$, so $\sum_n w_n x_n$ is $E[x_0 \mid x]$. That is
# all.
#
# The cell computes the left side as a slope of `log_density`, by differences, and the right side from the answer of
# `edudiff.scores.ideal(data)`, which is this sum. They must agree to many digits.
#
# **Step through this.** Put a breakpoint in `posterior_mean` (in `edudiff/scores.py`), in the line that returns, and
# look at `likelihoods`: they are the $w_n$ before their sum is divided out. With a small `sigma`, how many of them are
# not zero? Why is the largest always 1?
#
# **Change this and see it fail.** In `score_from_x0` (in `edudiff/forward.py`), change `return (alpha * x0_hat - x) /
# sigma**2` to `return (x0_hat - x) / sigma**2`, and run the cell again. The two no longer agree. At which of the three
# times are they nearest, and why there? Then change it back.


# %%
data = toys.two_moons(40 if FAST else 200, np.random.default_rng(0))  # (N, 2), the training set of this lesson
denoise, schedule, step = ed.scores.ideal(data), ed.schedule.cosine(), 1e-5
x = np.random.default_rng(1).standard_normal((20, 2))  # (B, 2)
for t in (0.2, 0.5, 0.9):
    alpha, sigma = schedule(t)
    x0_hat = denoise(x, alpha, sigma)  # (B, 2)
    score = ed.forward.score_from_x0(x, x0_hat, alpha, sigma)  # (B, 2)
    slope = np.empty_like(x)  # (B, 2)
    for k in range(2):
        move = step * np.eye(2)[k]  # (2,)
        ahead, behind = (log_density(x + s * move, data, alpha, sigma) for s in (1, -1))
        slope[:, k] = (ahead - behind) / (2 * step)
    difference = float(np.abs(slope - score).max())
    print(f"t = {t}: slope of log p and Tweedie differ by {difference:.1e}")

# %% [markdown]
# ## The landscape at three noise levels
#
# With much noise there is one hill, and every arrow points to the mean of the data. As the noise fades, the hill breaks
# up: first into the shape of the data, at last into a spike on every training point. A model that follows this score to
# the end lands on a training point: it can only copy. That trained networks do not is the question of this course.


# %%
def landscape(axis, data, alpha, sigma, side=17):
    """Log density as shades, the direction of the score as arrows, the shrunken training points as dots."""
    line = np.linspace(-1.5, 1.5, side)  # (side,)
    x = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)  # (side**2, 2)
    fine = np.linspace(-1.5, 1.5, 120)  # (120,)
    grid = np.stack(np.meshgrid(fine, fine), axis=-1).reshape(-1, 2)  # (120**2, 2)
    height = np.exp(log_density(grid, data, alpha, sigma)).reshape(120, 120)  # (120, 120)
    axis.contourf(fine, fine, height, levels=12, cmap="Blues")
    x0_hat = ed.scores.ideal(data)(x, alpha, sigma)  # (side**2, 2)
    score = ed.forward.score_from_x0(x, x0_hat, alpha, sigma)  # (side**2, 2)
    arrow = score / np.linalg.norm(score, axis=1, keepdims=True)  # (side**2, 2), direction alone
    axis.quiver(*x.T, *arrow.T, color="0.3", scale=28)
    axis.plot(*(alpha * data).T, "o", color=plot.COLORS[1], markersize=2)
    axis.set_title(f"alpha = {alpha:.2f}, sigma = {sigma:.2f}")
    axis.set_aspect("equal")


# %%
figure = plot.empty_figure(12, 4)
for axis, t in zip(figure.subplots(1, 3), (0.8, 0.3, 0.08), strict=True):
    landscape(axis, data, *schedule(t))
plot.present(figure, "02_the_score_1")

# %% [markdown]
# ## Why a network that guesses the picture learns the score
#
# Nobody can hand the network $E[x_0 \mid x]$ as a target. It gets a noisy point and the clean point that it came from,
# and pays the squared error. But the squared error has a property that makes all of this work: for every function $D$
#
# $$E|x_0 - D(x)|^2 = \underbrace{E\big|x_0 - E[x_0 \mid x]\big|^2}_{\text{nobody can avoid}}
#   + E\big|E[x_0 \mid x] - D(x)\big|^2,$$
#
# because what is left of $x_0$ after its conditional mean is taken out is uncorrelated with every function of $x$. So
# the function with the least error *is* $E[x_0 \mid x]$. The cell measures all three terms for a wrong
# denoiser: the ideal one, pulled towards the mean of the data by a share of 0.3.


# %%
count, (alpha, sigma) = 4000 if FAST else 20_000, schedule(0.3)
rng = np.random.default_rng(0)
x0 = data[rng.integers(len(data), size=count)]  # (B, 2)
x = ed.forward.add_noise(x0, alpha, sigma, rng.standard_normal(x0.shape))  # (B, 2)
best = ed.scores.ideal(data)(x, alpha, sigma)  # (B, 2)
wrong = best + 0.3 * (data.mean(axis=0) - best)  # (B, 2)
error, least, extra = (((a - b) ** 2).sum(axis=1).mean() for a, b in ((x0, wrong), (x0, best), (best, wrong)))
print(f"error {error:.4f} = unavoidable {least:.4f} + own fault {extra:.4f}, up to {error - least - extra:+.4f}")

# %% [markdown]
# ## Questions
#
# 1. Where is the score zero, and which of these places are stable under a walk along it?
# 2. The formula divides by $\sigma^2$. Why is `x0_hat`, and not the score, what the package passes around?
# 3. Double every training point (each twice in the set). What changes?
# 4. The two terms above do not add up exactly. Why, and how does the difference depend on `count`?
#
# <details><summary>Answers</summary>
#
# 1. On the tops of hills (stable) and in the passes and hollows between them (not stable).
# 2. `x0_hat` stays between the smallest and the largest training value at every noise level; the score grows without
#    bound as sigma falls.
# 3. Nothing: all weights halve, and their sum is divided out.
# 4. They are means over a random sample; the mixed term is zero only on average. It falls as one over the square root
#    of `count`.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Kamb & Ganguli 2024](https://arxiv.org/abs/2412.20292), eq. 24: Tweedie's formula; eq. 3-4: the score of a training
#   set.
# - [Song et al. 2021](https://arxiv.org/abs/2011.13456): why whoever knows the score at every noise level can go back.


# %%
def explore():
    """The landscape with a slider for t."""
    plot.explore(lambda axis, t: landscape(axis, data, *schedule(t)), t=(0.03, 0.99, 0.4))


# %%
explore()
