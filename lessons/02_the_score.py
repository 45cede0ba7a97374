# %% [markdown]
# # 2. The score
#
# Noise turns a training set into a landscape: $p_\sigma(x)$, the density of noisy pictures, has a hill over every
# training point. The **score** is the slope of that landscape, $\nabla_x \log p_\sigma(x)$: the direction in which `x`
# becomes a likelier noisy picture fastest.
#
# Tweedie's formula says that whoever can denoise knows the score, and the other way round:
#
# $$\nabla_x \log p(x) = \frac{\alpha\, E[x_0 \mid x] - x}{\sigma^2}$$
#
# Here the data are 2-D points, so that the landscape can be drawn.

# %%
import numpy as np

import edudiff as ed
from edudiff.data import toys
from edudiff.denoisers.ideal import posterior_mean

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
# ## Tweedie's formula, checked
#
# On the left the slope of `log_density`, by differences; on the right the ideal denoiser's answer, converted. They must
# agree to many digits. (Derive it: differentiate the mixture; each Gaussian contributes
# $(\alpha x_n - x) / \sigma^2$, weighted by how likely it made `x`.)
#
# **Step through this.** Put a breakpoint in `posterior_mean` (in `edudiff/denoisers/ideal.py`) and look at `weights`:
# with a small `sigma`, how many of them are not zero?


# %%
def largest_disagreement(data, alpha, sigma, count):
    """The largest difference between the slope of log p and Tweedie's formula, over `count` random points."""
    x = np.random.default_rng(1).standard_normal((count, 2))  # (B, 2)
    x0_hat = posterior_mean(x, data, alpha, sigma)  # (B, 2)
    score = ed.forward.score_from_x0(x, x0_hat, alpha, sigma)  # (B, 2)
    step = 1e-5
    slope = np.empty_like(x)  # (B, 2)
    for axis in range(2):
        move = step * np.eye(2)[axis]  # (2,)
        ahead, behind = (log_density(x + s * move, data, alpha, sigma) for s in (1, -1))
        slope[:, axis] = (ahead - behind) / (2 * step)
    return float(np.abs(slope - score).max())


# %% [markdown]
# ## The landscape at three noise levels
#
# With much noise there is one hill, and every arrow points to the mean of the data. As the noise fades, the hill breaks
# up: first into the shape of the data, at last into a spike on every training point. A model that follows this score to
# the end lands on a training point: it can only copy. That trained networks do not is the question of this course.


# %%
def figure_of_scores(data, levels, side=17):
    """One panel a noise level: log density as shades, the score as arrows, the training points as dots."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(levels), 4), layout="constrained")
    axes = figure.subplots(1, len(levels), squeeze=False)[0]
    line = np.linspace(-1.5, 1.5, side)  # (side,)
    x = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)  # (side**2, 2)
    fine = np.linspace(-1.5, 1.5, 120)  # (120,)
    points = np.stack(np.meshgrid(fine, fine), axis=-1).reshape(-1, 2)  # (120**2, 2)
    for axis, (alpha, sigma) in zip(axes, levels, strict=True):
        height = np.exp(log_density(points, data, alpha, sigma)).reshape(120, 120)  # (120, 120)
        axis.contourf(fine, fine, height, levels=12, cmap="Blues")
        x0_hat = ed.denoisers.Ideal(data)(x, alpha, sigma)  # (side**2, 2)
        score = ed.forward.score_from_x0(x, x0_hat, alpha, sigma)  # (side**2, 2)
        arrow = score / np.linalg.norm(score, axis=1, keepdims=True)  # (side**2, 2), direction alone
        axis.quiver(*x.T, *arrow.T, color="0.3", scale=28)
        axis.plot(*(alpha * data).T, "o", color="C3", markersize=2)
        axis.set_title(f"alpha = {alpha:.2f}, sigma = {sigma:.2f}")
        axis.set_aspect("equal")
    return figure


# %% [markdown]
# ## Questions
#
# 1. Where is the score zero, and which of these places are stable under a walk along it?
# 2. The formula divides by $\sigma^2$. Why is `x0_hat`, and not the score, what the package passes around?
# 3. Double every training point (each twice in the set). What changes?
#
# <details><summary>Answers</summary>
#
# 1. On the tops of hills (stable) and in the passes and hollows between them (not stable).
# 2. `x0_hat` stays between the smallest and the largest training value at every noise level; the score grows without
#    bound as sigma falls.
# 3. Nothing: all weights halve, and their sum is divided out.
#
# </details>


# %%
def main(fast=False):
    """The whole lesson; `fast` with fewer points. Returns the figures."""
    data = toys.two_moons(40 if fast else 200, np.random.default_rng(0))  # (N, 2)
    schedule = ed.schedule.cosine()
    for t in (0.2, 0.5, 0.9):
        print(f"t = {t}: slope of log p and Tweedie differ by {largest_disagreement(data, *schedule(t), 20):.1e}")
    return [figure_of_scores(data, [schedule(t) for t in (0.8, 0.3, 0.08)])]


# %%
if __name__ == "__main__":
    for number, figure in enumerate(main(), 1):
        figure.savefig(f"02_the_score_{number}.png", dpi=100)
        print(f"wrote 02_the_score_{number}.png")
