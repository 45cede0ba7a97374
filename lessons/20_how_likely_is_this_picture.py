# %% [markdown]
# # 20. How likely is this picture?
#
# A diffusion model draws, and it can also answer a question: how likely is *this* picture? The probability flow carries
# densities as it carries points, and the density of pure noise is known. This lesson computes log-densities, checks
# them against laws for which they are known, turns them into bits, and finds out what they say of pictures that the
# model has never seen.

# %%
import math
import os
import sys

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.denoisers import Linear, Mixture
from edudiff.sampling import bits_per_dimension, divergence, log_likelihood, random_signs

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# ## Densities move with their points
#
# If all points move with a velocity $v$, a density falls where they spread out. Along the path of one point
#
# $$\frac{d}{ds} \log p = -\nabla \cdot v,$$
#
# where the *divergence* $\nabla \cdot v = \sum_i \partial v_i / \partial x_i$ says how fast a small volume grows. So
# take a picture, follow the flow up to pure noise, where $\log p$ is that of a normal law, and add up the divergence on
# the way. With $z = x / \sqrt{\alpha^2 + \sigma^2}$ and the angle $\theta$ with $\tan\theta = \sigma / \alpha$ the flow
# is regular from end to end,
#
# $$\frac{dz}{d\theta} = \cos\theta\;\hat n - \sin\theta\;\hat x_0,$$
#
# and its divergence needs that of $\hat x_0$. For the posterior mean of any law
#
# $$\frac{\partial \hat x_0}{\partial x} = \frac{\alpha}{\sigma^2}\operatorname{Cov}[x_0 \mid x]
#   \quad\Rightarrow\quad \nabla\cdot\hat x_0 = \frac{\alpha}{\sigma^2}\,\operatorname{Var}[x_0 \mid x]:$$
#
# the *uncertainty* of the answer. All closed forms know it exactly. For a network one would need a derivative for each
# pixel; *Hutchinson's estimate* takes random signs $e$ instead, $E[e \cdot J e] = \operatorname{tr} J$.
#
# **Step through this.** Put a breakpoint in `divergence` (in `edudiff/sampling/jacobian.py`), run this cell, and look
# at the divergence at the first noise level and at the last.
#
# **Change this and see it fail.** In `_slope` (in `edudiff/sampling/likelihood.py`), change
# `scale * divergence(denoise, x, alpha, sigma, signs)` to `divergence(denoise, x, alpha, sigma, signs)`: forget that z
# and x differ by a factor. The first law of this cell, on a schedule that preserves variance, does not notice; the
# second, on `flow`, is off by more than 0.01, and the check stops. Then change it back.


# %%
rng = np.random.default_rng(0)
covariance = np.array([[0.5, 0.2, 0.0], [0.2, 0.3, 0.1], [0.0, 0.1, 0.4]])
normal = Linear(np.array([0.3, -0.2, 0.1]), covariance)
humps = Mixture(
    np.array([0.3, 0.7]), np.array([[-0.6, 0.2], [0.5, -0.1]]), np.array([0.06, 0.1])[:, None, None] * np.eye(2)
)
steps = 40 if FAST else 100
for schedule, law, width in ((ed.schedule.cosine(stretch=1), normal, 3), (ed.schedule.flow(), humps, 2)):
    up = 0.01 + 0.99 * np.linspace(0, 1, steps + 1) ** 2  # times that rise, close together where there is little noise
    alpha, sigma = schedule(up[0])
    x0 = rng.uniform(-1, 1, (5, width))  # (B, D)
    found = log_likelihood(law, schedule, x0, up)  # (B,)
    ratio = sigma / alpha  # the density is that of x0 + ratio * noise
    if law is humps:
        exact = law.log_density(x0, 1.0, ratio)  # (B,)
    else:
        total, away = covariance + ratio**2 * np.eye(3), x0 - law.mean  # (D, D), (B, D)
        squares = (away @ np.linalg.inv(total) * away).sum(1)  # (B,)
        exact = -(squares + np.linalg.slogdet(total)[1] + 3 * math.log(2 * math.pi)) / 2  # (B,)
    print(f"{type(law).__name__:8} log-density {np.round(found, 3)}, off by {np.abs(found - exact).max():.1e} at most")
    assert np.abs(found - exact).max() < 1e-2

# %% [markdown]
# ## An estimate has a spread
#
# Hutchinson's estimate is unbiased: in the mean over many random signs it is exact. How much one of them is off depends
# on what is not on the diagonal of the Jacobian. More signs cost more answers, and the spread falls as their root.


# %%
point, schedule = np.repeat([[0.3, 0.1, -0.4]], 100 if FAST else 400, 0), ed.schedule.flow()  # (B, 3)
up = 0.01 + 0.99 * np.linspace(0, 1, 31) ** 2
truth = log_likelihood(normal, schedule, point[:1], up)[0]
print(f"exact {truth:.4f}")
for probes in (1, 4, 16):
    guesses = log_likelihood(normal, schedule, point, up, probes=probes, rng=np.random.default_rng(probes))  # (B,)
    print(f"{probes:2} random signs: mean {guesses.mean():.4f}, spread {guesses.std():.4f}")
signs = random_signs(point, 2, np.random.default_rng(0))  # (2, B, 3)
one, exact_one = divergence(normal, point, 0.7, 0.7, signs), divergence(normal, point, 0.7, 0.7)  # (B,), (B,)
print(f"the divergence itself: {exact_one[0]:.4f}; from two signs {one.min():.4f} to {one.max():.4f}")

# %% [markdown]
# ## Bits, and pictures that were never seen
#
# A density of pictures is a number without a scale. In a code for pictures with 256 gray levels a picture costs
# $-\log_2 p$ bits, plus $\log_2 127.5$ for each value, because a gray level is $1 / 127.5$ wide. Divided by the number
# of values it is *bits per dimension*: 8 for noise that fills all levels, less for what can be told beforehand.
#
# The noise at the first time counts: the density is that of the picture plus this noise. We take 0.1, which is 13 gray
# levels; so the bits here compare pictures, and are no code length.
#
# Now ask three denoisers about hands that they were made from, about new ones, and about noise. The ideal one has seen
# only its training set: near to a training picture the density is large, and elsewhere it falls by as much as the
# picture is away. The linear one knows mean and covariance of a hundred hands, which is few for as many pixels. ELS is
# not the score of any law, so what its flow says need not be a density of what it draws; but it is a number, and can
# be compared: how much more does a new hand cost than an old one?


# %%
size = 12 if FAST else 14
hands = ed.data.shapes.hands(30 if FAST else 110, size=14, rng=np.random.default_rng(0)).astype("float64")
hands = hands[:, 1 : 1 + size, 1 : 1 + size]  # (N, H, W, C)
images, new = hands[10:], hands[:10]  # (N, H, W, C), (10, H, W, C)
makers = {
    "ideal": ed.denoisers.Ideal(images),
    "linear": Linear.fit(images),
    "els": ed.denoisers.Patch(images, 5),
}
schedule = ed.schedule.flow()
start = 0.1 / 1.1  # sigma / alpha = 0.1
up = start + (1 - start) * np.linspace(0, 1, (6 if FAST else 24) + 1) ** 1.5
noise = rng.uniform(-1, 1, (4, *images.shape[1:]))  # (4, H, W, C)
few = 2 if FAST else 10
asked = {"trained on": images[:few], "new": new[:few], "mirrored": new[:few, ::-1], "noise": noise}

# %%
bits = {}
for name, denoise in makers.items():
    for what, batch in asked.items():
        values = bits_per_dimension(log_likelihood(denoise, schedule, batch, up), images[0].size)  # (B,)
        bits[name, what] = values
    print(f"{name:7} " + "; ".join(f"{what} {bits[name, what].mean():.2f}" for what in asked) + " bits per dimension")
assert bits["ideal", "trained on"].mean() < bits["ideal", "new"].mean()
figure = plot.empty_figure(8, 3.2)
for axis, name in zip(figure.subplots(1, 3), makers, strict=True):
    for i, what in enumerate(asked):
        axis.plot(bits[name, what], np.full(len(bits[name, what]), -i), "o", alpha=0.5)
    axis.set(title=name, xlabel="bits per dimension", yticks=[0, -1, -2, -3], yticklabels=list(asked))
plot.present(figure, "20_how_likely_is_this_picture_1")

# %% [markdown]
# ## Questions
#
# 1. Why does the log-density of a picture grow without bound for the ideal denoiser, if the noise at the first time
#    goes to 0 and the picture is a training picture?
# 2. What is the divergence of $\hat x_0$ in the limit of no noise, for normal data, and for the ideal denoiser?
# 3. Two programs give bits per dimension that differ by exactly 1. What did one of them forget?
# 4. Show that Hutchinson's estimate is exact, with a single draw, for a diagonal Jacobian.
#
# <details><summary>Answers</summary>
#
# 1. Its law is atoms with a little noise around them. The narrower the noise, the higher the density there: by
#    $\log 1 / s$ for each dimension.
# 2. For normal data $\hat x_0 = x / \alpha$ in the limit, the divergence is the dimension over $\alpha$. For atoms
#    $\hat x_0$ is constant near each of them: 0.
# 3. Pixels in [-1, 1] have levels twice as far apart as those in [0, 1]: $\log_2 127.5$ against $\log_2 255$.
# 4. $e \cdot J e = \sum_i J_{ii} e_i^2$, and $e_i^2 = 1$ for signs. For normal $e$ it would not be.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Song et al. 2021](https://arxiv.org/abs/2011.13456), eq. 39 and appendix D.2: the likelihood by the probability
#   flow.
# - [Grathwohl et al. 2019](https://arxiv.org/abs/1810.01367): Hutchinson's estimate along a flow.
# - The divergence is the posterior variance (P3); `tests/sampling/test_likelihood.py` holds both to closed forms.
