# %% [markdown]
# # 5. The linear score
#
# The first restriction: the denoiser may only be linear, $\hat x_0 = A x + b$, another $A$ and $b$ at each noise level.
# It cannot copy, because it does not even know the training pictures: of the whole set it can only use the mean and the
# covariance. This is the Wiener filter, eighty years old, and it invents. It is the only denoiser for which
# everything, the law of the drawn pictures included, is a formula that you can derive in an afternoon.
#
# To write it yourself: assignment 5, `lessons/assignments/a5_linear`.

# %%
import math
import os
import sys

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.data import shapes, toys
from edudiff.support.random import streams

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# ## The best linear denoiser
#
# Let the data have mean $\mu$ and covariance $S$. Take the means out: $x - \alpha\mu = \alpha(x_0 - \mu) + \sigma n$.
# We want the matrix with the least error $E\,|(x_0 - \mu) - A\,(x - \alpha\mu)|^2$. At the minimum the error is
# uncorrelated with what we look at, or we could use the correlation to do better:
#
# $$E\big[\big((x_0 - \mu) - A(x - \alpha\mu)\big)(x - \alpha\mu)^T\big] = 0
#   \;\Rightarrow\; \alpha S = A\,(\alpha^2 S + \sigma^2 I)
#   \;\Rightarrow\; A = \alpha S\,(\alpha^2 S + \sigma^2 I)^{-1}.$$
#
# Along a principal component of the data with variance $\lambda$, the matrix is a number, the *gain*
# $\alpha\lambda / (\alpha^2\lambda + \sigma^2)$. Is there more signal than noise along it, $\alpha^2\lambda \gg
# \sigma^2$? Then the gain is $1/\alpha$: believe what you see. Else it is nearly 0: answer the mean.
#
# The cell checks the formula, `edudiff.scores.linear`, against plain least squares on many noisy points.
#
# **Change this and see it fail.** In `linear` (in `edudiff/scores.py`), change `alpha**2 * widths**2 + sigma**2` to
# `widths**2 + sigma**2`, as if the picture had not been scaled by alpha, and run the lesson again. The first cell shows
# another function than least squares finds; what has become of the covariance of the samples, further down? Then change
# it back.


# %%
data, (alpha, sigma) = toys.two_moons(300, np.random.default_rng(0)), ed.schedule.cosine()(0.4)  # (N, 2)
rng, count = np.random.default_rng(1), 20_000 if FAST else 400_000
x0 = data[rng.integers(len(data), size=count)]  # (B, 2)
x = ed.forward.add_noise(x0, alpha, sigma, rng.standard_normal(x0.shape))  # (B, 2)
ones = np.ones((count, 1))  # (B, 1)
fitted, *_ = np.linalg.lstsq(np.concatenate([x, ones], axis=1), x0, rcond=None)  # (3, 2)
formula = ed.scores.linear(data)(x, alpha, sigma)  # (B, 2)
difference = float(np.abs(x @ fitted[:2] + fitted[2] - formula).max())
print(f"least squares on {count} noisy points and the formula differ by {difference:.4f} at most")

# %% [markdown]
# ## What it sees in a picture
#
# The first picture shows the mean of the training set and the components with the largest variance. For pictures that
# may lie anywhere they look like waves: slow waves have much variance, fast ones little. The second shows the gains
# (times $\alpha$) at each noise level. So at high noise the linear denoiser is a blur, and on the way down it lets
# finer and finer waves through. A picture appears from coarse to fine, and that is true of trained models as well.
#
# **Step through this.** Put a breakpoint in `linear` (in `edudiff/scores.py`), in the line that computes `along`, run
# the last cell that draws strokes, and look at `alpha * gain`, the gain of each component, at the first step and at the
# last but one. How many of its values are above one half?


# %%
def gain(variance, alpha, sigma):
    """By what a component of this variance is multiplied."""
    return alpha * variance / (alpha**2 * variance + sigma**2)


def levels(times):
    """[(alpha, sigma), ...] of the cosine schedule."""
    return [ed.schedule.cosine()(float(t)) for t in times]


# %%
images = shapes.strokes(200 if FAST else 1000, size=16, rng=np.random.default_rng(0))  # (N, H, W, C)
mean = images.mean(axis=0, keepdims=True)  # (1, H, W, C)
centered = (images - mean).reshape(len(images), -1) / math.sqrt(len(images))  # (N, D)
_, widths, axes = np.linalg.svd(centered, full_matrices=False)  # (K,), (K, D), as in `scores.linear`
variances = widths**2  # (K,), falling
top = axes[:9].reshape(9, *images.shape[1:])  # (9, H, W, C)
top = np.concatenate([mean, top / np.abs(top).max(axis=(1, 2, 3), keepdims=True)])  # (10, H, W, C)
names = ["mean", *(f"{variance:.2f}" for variance in variances[:9])]
figure = plot.empty_figure(6, 3.5)
axis = figure.subplots()
times = np.linspace(0.01, 1, 60)  # (T,)
for rank in (0, 2, 9, 29, 99):
    gains = [alpha * gain(variances[rank], alpha, sigma) for alpha, sigma in levels(times)]
    axis.plot(times, gains, label=f"component {rank + 1}")
axis.set(xlabel="t", ylabel="alpha * gain", title="how much of each component is believed")
axis.legend(frameon=False, fontsize=8)
plot.present(
    plot.rows({"": top}, {"": names}, title="the mean, and the components with their variances"),
    "05_the_linear_score_1",
)
plot.present(figure, "05_the_linear_score_2")

# %% [markdown]
# ## What it draws
#
# Put the linear denoiser into the flow $dy/ds = (y - \hat x_0)/s$. Along a component with variance $\lambda$,
# $y - \mu$ follows $dy/ds = y\,s/(\lambda + s^2)$, with the solution $y(s) \propto \sqrt{\lambda + s^2}$. Each
# component is multiplied by a number, so whatever normal law goes in, a normal law comes out. If the flow starts at
# the noisy law of the data, with variance $\lambda + s_T^2$, it ends with variance $\lambda$:
#
# $$\textbf{the samples are } N(\mu, S), \textbf{ whatever the data were.}$$
#
# Two moons go in as mean and covariance, an ellipse comes out. The cell draws points with the page's
# `scores.linear`, and compares them with the law. That is in the engine: `denoisers.Linear.fit(data)` gives the same
# answer as `scores.linear(data)` (the first line that is printed), and its `generated()` returns the law. And since the
# *shape* of the cloud is the shape of the noise that went in, uniform noise instead of normal noise comes out as a
# parallelogram.


# %%
data, schedule = toys.two_moons(300, np.random.default_rng(0)), ed.schedule.cosine()  # (N, 2)
linear, engine, count = ed.scores.linear(data), ed.denoisers.Linear.fit(data), 1000 if FAST else 10_000
times = schedule.times(100) ** 2
x = ed.reverse.start(schedule, (count, 2), streams(0, count))  # (B, 2)
drawn = ed.reverse.sample(linear, schedule, x, times, "heun")  # (B, 2)
apart = np.abs(linear(drawn, *schedule(0.5)) - engine(drawn, *schedule(0.5))).max()
print(f"scores.linear and denoisers.Linear differ by {apart:.1e}")
law = engine.generated(first=schedule(1.0))
print("covariance of the data   ", np.round(np.cov(data.T, bias=True), 4).tolist())
print("covariance of the law    ", np.round(law.covariance, 4).tolist())
print("covariance of the samples", np.round(np.cov(drawn.T, bias=True), 4).tolist())
apart = law.difference(drawn)
print(f"{count} samples are off the law by {apart.mean:.3f} in the mean and {apart.covariance:.3f} in the covariance")
few = engine.generated_by_ddim(levels(schedule.times(10)))
print(f"10 DDIM steps, exactly: variance {np.trace(few.covariance):.4f} of {np.trace(law.covariance):.4f}")
flat = schedule(1.0)[1] * np.random.default_rng(0).uniform(-(3**0.5), 3**0.5, (count, 2))  # (B, 2), variance 1
uniform = ed.reverse.sample(linear, schedule, flat, times, "heun")  # (B, 2)
plot.present(
    plot.clouds({f"{len(times) - 1} steps": {"data": data, "normal_start": drawn, "uniform_start": uniform}}),
    "05_the_linear_score_3",
)

# %% [markdown]
# In pictures: the linear denoiser draws clouds with the right brightness and the right waves, and no strokes. What
# makes a stroke is in the *phases* of the waves, and a covariance does not hold them. The last row is the ideal
# denoiser on the same noise.


# %%
images = shapes.strokes(100 if FAST else 1000, size=16, rng=np.random.default_rng(0))  # (N, H, W, C)
schedule = ed.schedule.cosine()
x = ed.reverse.start(schedule, (10, *images.shape[1:]), streams(0, 10))  # (B, H, W, C)
denoisers = {"linear": ed.scores.linear(images), "ideal": ed.scores.ideal(images)}
drawn, _ = ed.compare.draw(denoisers, schedule, x, schedule.times(20 if FAST else 100))
r = np.median(ed.compare.metrics.pearson_r(drawn["linear"], drawn["ideal"]))
print(f"correlation of the two, median: {r:.2f}")
plot.present(plot.rows({"training": images[:10], **drawn}), "05_the_linear_score_4")

# %% [markdown]
# ## Few pictures, many pixels
#
# With fewer training pictures than pixels most components have variance 0, and the gain along them is 0: the drawn
# pictures lie in the *affine hull* of the training set, mean plus combinations of differences. The distance to it is
# printed. A small penalty on $A$ (weight decay, a *ridge* $\eta$) changes the gain to
# $\alpha\lambda / (\alpha^2(\lambda + \eta) + \sigma^2)$. That looks harmless, and it is not. Near the end, where
# $\sigma$ is small, the gain stays below $1/\alpha$ at every step, so every step shrinks: with $\lambda = 1$ and
# $\eta = 0.1$, a flow that ends at $s = 0.001$ keeps less than a third of the variance. (Hull and ridge are the
# engine's: `generated().distance` and the last argument of `denoisers.Linear`.)


# %%
images = shapes.hands(10, size=14, rng=np.random.default_rng(0)).astype("float64")  # (N, H, W, C)
x = ed.reverse.start(schedule, (4, *images.shape[1:]), streams(0, 4))  # (B, H, W, C)
drawn = ed.reverse.sample(ed.scores.linear(images), schedule, x, schedule.times(20 if FAST else 50))  # (B, H, W, C)
distance = ed.denoisers.Linear.fit(images).generated().distance(drawn)  # (B,)
print(f"distance of drawn pictures to the hull of {len(images)} training pictures: {distance.max():.1e}")

# %%
for ridge in (0.0, 0.01, 0.1):
    law = ed.denoisers.Linear(np.zeros(1), np.eye(1), ridge).generated(last=(1.0, 1e-3))
    print(f"ridge {ridge:4}: variance of the samples {law.covariance[0, 0]:.3f}, of the data 1")

# %% [markdown]
# ## At high noise everything is linear
#
# Why learn about a denoiser that draws clouds? Because at high noise *every* good denoiser is this one. Expand the
# ideal denoiser for large $s$: the first term is the mean, the next uses the covariance, and so on. With
# $x = x_0 + s\,n$, the ideal denoiser differs from the mean by about $1/s$, and from the linear one by about $1/s^2$.
# The cell doubles `s` again and again: the differences must fall by 2 and by 4. Trained networks agree with the
# linear denoiser there as well (Wang & Vastola 2024).


# %%
data, rng = toys.two_moons(200, np.random.default_rng(0)) ** 2, np.random.default_rng(1)  # (N, 2), not symmetric
ideal, linear = ed.scores.ideal(data), ed.scores.linear(data)
noise = rng.standard_normal((200, 2))  # (B, 2)
sigmas, to_mean, to_linear = 2.0 ** np.arange(-2, 8), [], []
for s in sigmas:
    answer = ideal(data + s * noise, 1.0, s)  # (B, 2)
    to_mean.append(float(np.abs(answer - data.mean(axis=0)).mean()))
    to_linear.append(float(np.abs(answer - linear(data + s * noise, 1.0, s)).mean()))
print(f"doubling s: the mean gets {to_mean[-2] / to_mean[-1]:.2f} times nearer, ", end="")
print(f"the linear denoiser {to_linear[-2] / to_linear[-1]:.2f} times")
figure = plot.empty_figure(6, 3.5)
axis = figure.subplots()
axis.loglog(sigmas, to_mean, "o-", label="to the mean")
axis.loglog(sigmas, to_linear, "o-", label="to the linear denoiser")
axis.set(xlabel="noise level s", ylabel="distance of the ideal denoiser")
axis.legend(frameon=False)
plot.present(figure, "05_the_linear_score_5")

# %% [markdown]
# ## Questions
#
# 1. Turn every training picture upside down. How do mean, covariance and drawn pictures change?
# 2. Two data sets have the same mean and covariance. Can a linear model tell them apart? Can its samples?
# 3. Training pictures are moved by random amounts on a torus (every place equally likely). Which are then the
#    principal components, and what does the linear denoiser become?
# 4. In what sense does the linear denoiser "invent", and would you call it creative?
#
# <details><summary>Answers</summary>
#
# 1. Each is turned upside down as well: the formulas commute with every rotation and mirroring of the data.
# 2. No, and no: the denoiser is the same function. Whatever is drawn is drawn from $N(\mu, S)$ for both.
# 3. Sines and cosines: a covariance that does not change under shifts is diagonal in the Fourier basis. The denoiser is
#    a convolution, multiplication by $P/(P + s^2)$ of each frequency, $P$ the power spectrum.
# 4. It draws pictures that were never in the training set, from a law with far more variety than the set has. But the
#    rules of the pictures are lost. Creativity that is worth the name keeps some rules and breaks others; which ones
#    depends on what the denoiser may be. That is the subject of the next lessons.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Wang & Vastola 2024](https://arxiv.org/abs/2412.09726): the linear score, its flow in closed form, and trained
#   networks that agree with it at high noise.
