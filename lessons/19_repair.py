# %% [markdown]
# # 19. Repair
#
# Half of a picture is lost, or it is blurred, or small. A denoiser knows what pictures look like; it can be asked for
# pictures that agree with what is left. This is inpainting, deblurring and super-resolution, and there are many recipes
# for it. Which is right? For closed forms one can say: the law of $x_0$ given the measurement is known exactly. This
# lesson measures how far three recipes are from it.
#
# To write it yourself: assignment 13, `lessons/assignments/a13_repair`.

# %%
import os
import sys

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.sampling import Measurement, blurred, downsampled, masked, posterior_guided, replacement_steps
from edudiff.support.random import streams

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# ## A measurement is a matrix
#
# What is known of a picture is $y = A\,x_0 + \tau\,n$: a mask takes some rows of the identity, a blur and a smaller
# picture are means over pixels. `Measurement` holds $A$ and $\tau$.
#
# Three recipes:
#
# 1. **Replacement.** At each noise level, put the known pixels in their place, with fresh noise as large as it is there
#    (Song et al. 2021). **RePaint** does each step several times, going back up in between, so that the rest hears of
#    what was put in.
# 2. **Posterior guidance.** The score of $x_t$ given $y$ is $\nabla\log p(x_t) + \nabla\log p(y \mid x_t)$. The second
#    term needs the law of $x_0$ given $x_t$, of which the denoiser knows the mean $\hat x_0$. *Diffusion posterior
#    sampling* takes $\hat x_0$ for $x_0$: covariance $C = 0$. Others take a multiple of the identity.
# 3. The same with the right covariance. For a posterior mean it is known, because the denoiser's Jacobian has it:
#    $C = \operatorname{Cov}[x_0 \mid x_t] = \tfrac{\sigma^2}{\alpha}\,\partial \hat x_0 / \partial x_t$. With it the
#    guided answer is
#
# $$\hat x_0 + C A^T (A C A^T + \tau^2)^{-1} (y - A \hat x_0),$$
#
#    a Kalman update, and if $x_0$ is normal it is exactly $E[x_0 \mid x_t, y]$: nothing is approximate.
#
# ## Two numbers
#
# $x_0$ is a pair of normal numbers with variance 1 and correlation 0.8, and the first is measured to be 1, without
# noise. Then the second is $N(0.8, 0.36)$. Who draws that?
#
# **Step through this.** Put a breakpoint in `PosteriorGuided.__call__` (in `edudiff/sampling/repair.py`), and look at
# `spread`, the covariance of $x_0$ given $x_t$, in the first step and in the last.
#
# **Change this and see it fail.** In `PosteriorGuided.__call__` (in `edudiff/sampling/repair.py`), change
# `self.y - a(x0_hat)` to `self.y - a(x)`: compare with the noisy x instead of the answer. The mean hardly shows it, but
# the variance of the exact recipe comes out half as large again, and the check of this cell stops. Then change it back.


# %%
pair = ed.denoisers.Linear(np.zeros(2), np.array([[1.0, 0.8], [0.8, 1.0]]))
first, schedule = Measurement(np.array([[1.0, 0.0]])), ed.schedule.cosine()
exact = pair.generated().conditioned(first.matrix, np.array([1.0]))
print(f"exact:           mean {exact.mean[1]:.3f}, variance {exact.covariance[1, 1]:.3f}")
count, times = 300 if FAST else 1500, schedule.times(25 if FAST else 50)
x, y = ed.reverse.start(schedule, (count, 2), streams(0, count)), np.full((count, 1), 1.0)  # (B, 2), (B, 1)
seconds = {}
for repeats in (1, 3) if FAST else (1, 2, 4, 8):
    walk = replacement_steps(pair, schedule, x, times, first, y, np.random.default_rng(1), repeats)
    *_, last = walk
    seconds[f"replaced {repeats} times"] = last.x_next[:, 1]  # (B,)
for covariance in ("sphere", "jacobian"):
    guided = posterior_guided(pair, first, y, covariance)
    seconds[covariance] = ed.reverse.sample(guided, schedule, x, times, "heun")[:, 1]  # (B,)
for name, values in seconds.items():
    print(f"{name:16} mean {values.mean():.3f}, variance {values.var():.3f}")
error = 4 * 0.6 / np.sqrt(count)
assert abs(seconds["jacobian"].mean() - 0.8) < error + 0.01 and abs(seconds["jacobian"].var() - 0.36) < 0.1
figure = plot.empty_figure(7, 3.4)
axis = figure.subplots()
line = np.linspace(-2, 3, 301)
axis.plot(line, np.exp(-((line - 0.8) ** 2) / 0.72) / np.sqrt(0.72 * np.pi), "k", label="exact")
for name, values in seconds.items():
    axis.hist(values, 40, range=(-2, 3), density=True, histtype="step", label=name)
axis.legend(frameon=False, fontsize=8)
axis.set(xlabel="the second number, given the first", yticks=[])
plot.present(figure, "19_repair_1")

# %% [markdown]
# Replacement pulls too little: its mean lies between 0, what the second number is on its own, and 0.8. The known
# pixels come in with *fresh* noise at every level, so what the rest has learned from them in one step is gone in the
# next. Doing each step more often comes nearer, at the price of as many answers, and its variance comes out too small.
#
# ## Half a hand
#
# Now pictures, and the ideal denoiser. The law of a hand given its upper half is known too: each training picture gets
# the weight $e^{-|y - A x_n|^2 / 2\tau^2}$. With noise of 0.1 one picture of 160 fits so much better than the others
# that it has all the weight: a right recipe would draw it every time. How often does each draw it? And what else does
# it draw: another training picture, or one that is none? (At 0.1 away from the nearest one it is none.)


# %%
images = ed.data.shapes.hands(41 if FAST else 161, size=14, rng=np.random.default_rng(0)).astype("float64")
known = masked(np.indices((14, 14, 1))[0] < 6, noise=0.1)
target, images = images[:1], images[1:]  # (1, H, W, C), (N, H, W, C)
ideal = ed.denoisers.Ideal(images)
seen = known.observe(target, np.random.default_rng(3))  # (1, M)
right = ideal.generated().conditioned(known.matrix, seen[0], known.noise)
best = np.argsort(-right.weights)[:3]  # (3,)
print("exact: the three most likely training pictures have " + ", ".join(f"{w:.3f}" for w in right.weights[best]))

# %%
number = 6 if FAST else 24
x = ed.reverse.start(schedule, (number, 14, 14, 1), streams(2, number))  # (B, H, W, C)
ys = np.repeat(seen, number, 0)  # (B, M)
pictures = {"the hand": np.repeat(target, number, 0), "most likely": images[np.resize(best, number)]}
for repeats in (1, 4):
    *_, last = replacement_steps(ideal, schedule, x, schedule.times(20), known, ys, np.random.default_rng(1), repeats)
    pictures[f"replaced {repeats} times"] = last.x_next  # (B, H, W, C)
for covariance in ("point", "sphere"):
    guided = posterior_guided(ideal, known, ys, covariance, strength=0.3 if covariance == "point" else 1.0)
    pictures[covariance] = ed.reverse.sample(guided, schedule, x, schedule.times(40))  # (B, H, W, C)
for name in list(pictures)[2:]:
    index, distance = ed.compare.metrics.nearest(pictures[name], images)  # (B,), (B,)
    off = np.sqrt(np.mean((known(pictures[name]) - ys) ** 2))
    hits = np.mean(right.weights[index] * (distance < 0.1))
    print(f"{name:16} draws the right picture in {hits:.0%} of cases; known half off by {off:.2f}, ", end="")
    print(f"distance to the nearest training picture {np.median(distance):.2f}")
plot.present(plot.rows(pictures, title="given the upper half", columns=6), "19_repair_2")

# %% [markdown]
# Replacement agrees with the known half, because that is put there, and finishes it with the lower half of another
# hand: no picture of the training set, and not one that the law has. Posterior guidance moves the whole picture, and
# ends on training pictures, as the flow of the ideal denoiser must. How often on the right one, depends on the
# covariance and on a strength that has to be found by trying (0.3 for "point"). The right covariance has 196 x 196
# entries here, and needs no strength: that is what one would pay for.

# %% [markdown]
# ## What a picture tells of itself
#
# The exact answers alone, for three measurements and two denoisers. For `ideal` it is a mean over training pictures,
# each with its weight; for `linear` it is the mean of a normal law, which can be any picture. Which of them looks
# sharper, and which is nearer to the hand that was measured?


# %%
measurements = {
    "upper half": known,
    "a quarter of the pixels": downsampled((14, 14, 1), 2, noise=0.1),
    "blurred": blurred((14, 14, 1), 0.8, noise=0.1),
}
laws = {"ideal": ideal.generated(), "linear": ed.denoisers.Linear.fit(images).generated()}
answers = {"the hand": np.repeat(target, 3, 0)}
for law_name, law in laws.items():
    means = []
    for name, measurement in measurements.items():
        value = measurement.observe(target, np.random.default_rng(4))  # (1, M)
        mean = law.conditioned(measurement.matrix, value[0], measurement.noise).mean  # (H, W, C)
        means.append(mean)
        print(f"{law_name:7} {name:24} root mean square error {np.sqrt(np.mean((mean - target[0]) ** 2)):.3f}")
    answers[f"{law_name}, mean"] = np.stack(means)  # (3, H, W, C)
captions = {"linear, mean": list(measurements)}
plot.present(plot.rows(answers, captions, title="the mean of the exact law"), "19_repair_3")

# %% [markdown]
# ## Questions
#
# 1. Why does replacement with a single step per level hardly change the unknown pixels in the beginning?
# 2. Derive the Kalman update from the score: add $\sigma^2 / \alpha$ times $\nabla_x \log N(y; A\hat x_0, A C A^T +
#    \tau^2)$ to $\hat x_0$, with $C$ held fixed.
# 3. With $C = 0$ and no measurement noise the formula divides by 0. What do programs do instead?
# 4. For the ideal denoiser the exact law is a list of weights. Why is that not a solution for a large network?
#
# <details><summary>Answers</summary>
#
# 1. At a high noise level a known pixel is noise, and the next level brings other noise: the denoiser can learn little
#    from one, and what it learned is not carried on in the known pixels, only in what it changed in the rest.
# 2. $\nabla_x = J^T A^T (A C A^T + \tau^2)^{-1} (y - A \hat x_0)$ and $\tfrac{\sigma^2}{\alpha} J^T = C$, since $J$ is
#    symmetric.
# 3. They divide by the length of the difference instead, times a number that is tuned for each task.
# 4. Its law is not known: only its answers are. The weights are those of training pictures, and what a network draws
#    is none.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Song et al. 2021](https://arxiv.org/abs/2011.13456), appendix I: replacement; [Lugmayr et al.
#   2022](https://arxiv.org/abs/2201.09865): RePaint.
# - [Chung et al. 2023](https://arxiv.org/abs/2209.14687): diffusion posterior sampling; [Boys et al.
#   2023](https://arxiv.org/abs/2310.06721): with the covariance of the Jacobian.
# - The exact laws are Bayes' rule; `tests/sampling/test_repair.py` holds them to sums by brute force.
