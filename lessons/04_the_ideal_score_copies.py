# %% [markdown]
# # 4. The ideal score copies
#
# Suppose training went perfectly: the network found *the* function with the least error. Which function is it, and what
# does it draw? Both answers are short. The function is a softmax over the training set, and it draws the training set.
# So a diffusion model that invents anything must have failed to learn, and this course is about how it fails.
#
# To write it yourself: assignment 4, `lessons/assignments/a4_ideal`.

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
# ## The formula
#
# Somebody picked one of N training pictures, all equally likely, and added noise. You see `x`. Which one was it? By
# Bayes' rule, the probability of picture $x_n$ is proportional to how likely the noise $x - \alpha x_n$ is:
#
# $$w_n = \frac{\exp\big(-|x - \alpha x_n|^2 / 2\sigma^2\big)}{\sum_m \exp\big(-|x - \alpha x_m|^2 / 2\sigma^2\big)},
#   \qquad E[x_0 \mid x] = \sum_n w_n x_n .$$
#
# A softmax of squared distances: look at all training pictures, and answer their mean, weighted by how well each
# explains what you see (Kamb & Ganguli 2024, eq. 3).
#
# Two training pictures, $m$ and $-m$, make it familiar. The common factors of the two exponentials cancel and the
# weighted mean is $m\,\tanh(\alpha\, m \cdot x / \sigma^2)$. The cell checks this.
#
# **Step through this.** Put a breakpoint in `posterior_mean` (in `edudiff/scores.py`), in the line that returns, call
# `edudiff.scores.ideal(images)(x, 0.5, 0.8)` with a few images and an `x` of your own, and look at `likelihoods`: the
# weights, as multiples of the largest. How large is the second largest at `sigma = 0.8`, and at `sigma = 0.08`?


# %%
rng = np.random.default_rng(0)
m, x = rng.standard_normal(3), rng.standard_normal((5, 3))  # (D,), (B, D)
alpha, sigma = 0.6, 0.8
answer = ed.scores.ideal(np.stack([m, -m]))(x, alpha, sigma)  # (B, D)
formula = np.tanh(alpha * x @ m / sigma**2)[:, None] * m  # (B, D)
difference = float(np.abs(answer - formula).max())
print(f"softmax over {{m, -m}} and m tanh(...) differ by {difference:.1e}")

# %% [markdown]
# ## It copies
#
# Follow the flow of lesson 3 with this denoiser. At high noise all weights are alike and `x0_hat` is the mean
# picture. On the way down, one weight after the other dies. In the end one is left, `x0_hat` is that training
# picture, and DDIM's last step answers `x0_hat`. The bottom row is the nearest training picture. Its distance to the
# drawn one is printed.


# %%
def posterior(x, images, alpha, sigma):
    """The weights w_n of every training picture: (B, N)."""
    logits = -((x[:, None] - alpha * images) ** 2).reshape(len(x), len(images), -1).sum(axis=2) / (2 * sigma**2)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))  # (B, N)
    return weights / weights.sum(axis=1, keepdims=True)


# %%
images = shapes.hands(60 if FAST else 500, size=16, rng=np.random.default_rng(0))  # (N, H, W, C)
denoise, schedule = ed.scores.ideal(images), ed.schedule.cosine()
x = ed.reverse.start(schedule, (8, *images.shape[1:]), streams(0, 8))  # (B, H, W, C)
images64 = images.astype("float64")  # (N, H, W, C)
times, alive = [], []
for step in ed.reverse.steps(denoise, schedule, x, schedule.times(20 if FAST else 50)):
    weights = posterior(step.x, images64, step.alpha, step.sigma)  # (B, N)
    entropy = -(weights * np.log(np.maximum(weights, 1e-300))).sum(axis=1)  # (B,)
    times.append(step.t)
    alive.append(np.exp(entropy))  # (B,)
index, distance = ed.compare.metrics.nearest(step.x_next, images64)
print(f"distance of the drawn pictures to the nearest of {len(images)} training pictures: {distance.max():.1e}")
figure = plot.empty_figure(6, 3.5)
axis = figure.subplots()
axis.semilogy(times, np.stack(alive), color=plot.COLORS[0], linewidth=0.8)
axis.set(xlabel="t (time runs to the left)", ylabel="training pictures still in play")
axis.invert_xaxis()
plot.present(plot.rows({"drawn": step.x_next, "nearest": images[index]}), "04_the_ideal_score_copies_1")
plot.present(figure, "04_the_ideal_score_copies_2")

# %% [markdown]
# The curve of "pictures still in play" is the exponential of the entropy of the weights: 500 if all are alike, 1 if one
# is certain. Look how short the decision is: there is a window of times in which the training picture is chosen. Before
# it, nothing is decided; after it, nothing can change.
#
# ## Where each noise goes: the quantile map
#
# In one dimension the flow can be written down. Points on a line that follow an ODE cannot overtake each other, so
# whoever is the 37th percentile of the noise is the 37th percentile of the data. With N training points on a line, the
# noise is cut into N slices of equal probability, and slice `k` goes to the k-th smallest point. Every point gets the
# same share, as it should: the ideal model draws *exactly* the uniform law on its training set.


# %%
def normal_cdf(z):
    """P(standard normal < z), by summing the density on a fine grid: any shape."""
    grid = np.linspace(-9, 9, 20_001)  # (G,)
    density = np.exp(-(grid**2) / 2)  # (G,)
    return np.interp(z, grid, np.cumsum(density) / density.sum())


# %%
atoms = np.array([[-0.9], [-0.2], [0.1], [0.4], [1.0]])  # (N, 1)
denoise, schedule = ed.scores.ideal(atoms), ed.schedule.cosine()
begin, end = 0.9, 0.005
times = np.geomspace(begin, end, 100 if FAST else 400)
alpha, sigma = schedule(begin)
rng = np.random.default_rng(0)
x = alpha * atoms[rng.integers(5, size=300)] + sigma * rng.standard_normal((300, 1))  # (B, 1), the noisy law
share = normal_cdf((x - alpha * atoms[:, 0]) / sigma).mean(axis=1)  # (B,) its distribution function
predicted = atoms[np.minimum((5 * share).astype(int), 4)]  # (B, 1)
path = [x[:, 0]]
for step in ed.reverse.steps(denoise, schedule, x, times, "heun"):
    path.append(step.x_next[:, 0])
reached = atoms[np.abs(step.x_next - atoms[:, 0]).argmin(axis=1)]  # (B, 1)
agree = float((reached == predicted).mean())
print(f"the flow ends where the quantile map says for {agree:.1%} of the starts")
figure = plot.empty_figure(6, 3.5)
axis = figure.subplots()
axis.plot(times, np.stack(path)[:, ::4], color="0.5", linewidth=0.5)
axis.plot(np.full(5, end), atoms, "o", color=plot.COLORS[1])
axis.set(xlabel="t (time runs to the left)", ylabel="x")
axis.invert_xaxis()
plot.present(figure, "04_the_ideal_score_copies_3")

# %% [markdown]
# ## A softmax that does not overflow, underflow, or care how you cut it
#
# At $\sigma = 0.01$ a picture of 256 pixels has logits near $-|x|^2/2\sigma^2 \approx -10^6$. `exp` of that is 0, for
# all training pictures, and 0 / 0 is NaN. So subtract the largest logit first; that changes nothing, for it cancels.
# `posterior_mean` does it: its `squares.min` belongs to the largest logit.
#
# With a million training pictures the weights do not fit in memory. So walk through the set in chunks and keep three
# running numbers: `top`, the largest logit so far; `num`, the sum of $e^{l_n - top} x_n$; `den`, the sum of
# $e^{l_n - top}$. When a chunk brings a larger top, multiply the old sums by $e^{old - new}$. The result does not
# depend on the chunks at all. A softmax *per chunk*, then averaged, does, and published code does it.
#
# `edudiff.scores` is the page of this package, to be read, and takes all training pictures at once.
# `edudiff.denoisers` is its engine, to be used: `Ideal(images)` walks through them in chunks, and gives the same
# answer. The second cell shows how far the two are apart.
#
# **Step through this.** Put a breakpoint in `add`, below, and look at `keep`: when is it 1, and when is it less? What
# is it for the first chunk?
#
# **Change this and see it fail.** In `add`, below, change `keep * num + weights @ values` to `num + weights @ values`,
# and run the cell again: the old sum keeps the scale of the old top, and the answers depend on how the set is cut.
# Which lines are still right, and where must the largest logit lie for that? Then change it back.


# %%
def add(total, logits, values):
    """The running (top, num, den) with one more chunk in it: `logits` (n,) and `values` (n,)."""
    old, num, den = total
    top = max(old, logits.max())
    keep, weights = math.exp(old - top), np.exp(logits - top)  # a number, (n,)
    return top, keep * num + weights @ values, keep * den + weights.sum()


# %%
rng = np.random.default_rng(0)
values = rng.standard_normal(240)  # (N,)
logits = -40 * rng.random(240) ** 2 - 1e6  # (N,)
with np.errstate(invalid="ignore"):
    naive = np.exp(logits) @ values / np.exp(logits).sum()
print(f"without taking the top out: {naive}")
answers = []
for size in (240, 60, 7, 1):
    total, each = (-math.inf, 0.0, 0.0), []
    for i in range(0, 240, size):
        chunk = logits[i : i + size], values[i : i + size]  # (n,) each
        total = add(total, *chunk)
        _, num, den = add((-math.inf, 0.0, 0.0), *chunk)
        each.append(num / den)
    answers.append(total[1] / total[2])
    print(f"chunks of {size:3}: running softmax {answers[-1]:.12f}, mean of the chunks' own {np.mean(each):+.6f}")

# %%
images, rng = shapes.hands(60, size=16, rng=np.random.default_rng(0)).astype("float64"), np.random.default_rng(1)
page, engine, worst = ed.scores.ideal(images), ed.denoisers.Ideal(images), 0.0
for t in (0.9, 0.5, 0.1):
    level = ed.schedule.cosine()(t)
    x = ed.forward.add_noise(images[:8], *level, rng.standard_normal((8, 16, 16, 1)))  # (B, H, W, C)
    worst = max(worst, float(np.abs(page(x, *level) - engine(x, *level)).max()))
print(f"scores.ideal, the page, and denoisers.Ideal, the engine, differ by {worst:.1e}")

# %% [markdown]
# ## What is missing
#
# Trained networks draw pictures that are in no training set. So they did not find this function, and not for lack of
# training: it is not among the functions that they can be. The rest of the course takes the restrictions one by one and
# finds the best function *of each kind*: linear (lesson 5), polynomial or narrow (6), local (7), local and the same
# everywhere (8). The picture shows the first step of that road: 2-D points, drawn by the ideal denoiser and by one
# that may only be linear.


# %%
data = toys.two_moons(100 if FAST else 500, np.random.default_rng(0))  # (N, 2)
schedule = ed.schedule.cosine()
x = ed.reverse.start(schedule, data.shape, streams(0, len(data)))  # (B, 2)
drawn = {"data": data}
for name, denoise in (("ideal", ed.scores.ideal(data)), ("linear", ed.scores.linear(data))):
    drawn[name] = ed.reverse.sample(denoise, schedule, x, schedule.times(50) ** 2, "heun")  # (B, 2)
    _, distance = ed.compare.metrics.nearest(drawn[name], data)
    print(f"{name:6}: median distance to the nearest training point {np.median(distance):.4f}")
plot.present(plot.clouds({"two moons": drawn}), "04_the_ideal_score_copies_4")

# %% [markdown]
# ## Questions
#
# 1. Is every training picture drawn equally often? Where does the proof use that `x` starts from the noisy law?
# 2. Two training pictures are identical but for one pixel. Until which noise level are they "still in play" together?
# 3. The ideal denoiser of 500 hands never draws a sixth finger. But its `x0_hat` on the way may show one. Why?
# 4. You add 10 copies of one hand to the training set. What changes, and is it what you would want of a model?
#
# <details><summary>Answers</summary>
#
# 1. Yes: the flow carries the noisy law at each level into the noisy law at the next, and at the end that is the
#    uniform law on the training set. If you start from pure noise instead, while `alpha(1)` is not 0, the start is off
#    by a little, and so are the shares.
# 2. Their logits differ by about $\alpha^2 d^2 / 2\sigma^2$, $d$ being the difference of the one pixel. So until
#    $\sigma / \alpha$ has fallen to about $d / 2$.
# 3. It is a weighted mean of several hands, and a mean of hands is no hand.
# 4. That hand is drawn 11 times as often as any other. A model that has seen one picture many times copies it: this is
#    where memorized pictures of real models come from.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Kamb & Ganguli 2024](https://arxiv.org/abs/2412.20292), eq. 3-4: the ideal score, and why it copies.
