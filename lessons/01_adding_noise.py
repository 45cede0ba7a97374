# %% [markdown]
# # 1. Adding noise
#
# A diffusion model learns to undo one thing: the adding of noise. This lesson looks at the noise itself.
#
# A clean picture `x0` and standard normal `noise` of the same shape are mixed:
#
# $$x = \alpha\, x_0 + \sigma\, \text{noise}$$
#
# `alpha` says how much of the picture is left, `sigma` how much noise there is. A *schedule* turns a time `t` between
# 0 (the picture) and 1 (noise) into these two numbers.
#
# Run this file as a program, cell by cell in an editor that knows `# %%`, or as a notebook
# (`jupytext --to notebook 01_adding_noise.py`). Every cell leaves its arrays behind, to look at and to go on with. If
# your computer is slow, set `FAST = True`.
#
# To write it yourself: assignment 1, `lessons/assignments/a1_noise`.

# %%
import os
import sys
from itertools import pairwise

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.data import shapes
from edudiff.support.random import standard_normal, streams

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# ## One picture, more and more noise
#
# Here are cartoon hands, drawn by code; you will meet them again. In each row the noise is the *same*, only its share
# grows. Find the place where you can no longer count the fingers, and look at its `t`.


# %%
images = shapes.hands(2 if FAST else 4, size=20, rng=np.random.default_rng(0))  # (B, H, W, C) in [-1, 1]
schedule, times = ed.schedule.cosine(), np.linspace(0, 1, 6 if FAST else 11)
noise = standard_normal(streams(0, len(images)), images.shape, like=images)  # (B, H, W, C)
rows = {}
for i in range(len(images)):
    x0, e = images[i : i + 1], noise[i : i + 1]  # (1, H, W, C)
    rows[f"hand {i}"] = np.concatenate([ed.forward.add_noise(x0, *schedule(t), e) for t in times])
captions = {f"hand {len(images) - 1}": [f"t = {t:.2f}" for t in times]}
plot.present(plot.rows(rows, captions, columns=len(times), title=f"{schedule.name} schedule"), "01_adding_noise_1")

# %% [markdown]
# ## Four schedules
#
# All of them begin at the picture and end at noise, but not in the same way:
#
# - `cosine` and `ddpm_linear` keep $\alpha^2 + \sigma^2 = 1$, so that `x` keeps its size (*variance preserving*);
# - `log_linear` never shrinks the picture and drowns it in noise instead (*variance exploding*);
# - `flow` walks on the straight line from the picture to the noise.
#
# Divide `x` by any number that you know, and you have lost nothing. So what a denoiser can know depends on the *ratio*
# $\alpha / \sigma$ alone. We compare the logarithm of $\alpha^2 / \sigma^2$, the signal-to-noise ratio. Every schedule
# visits the same noise levels; it only decides how much time it spends at each.
#
# Not all end at pure noise: `cosine`, with its default stretch of 1.008, leaves `alpha = 0.0125` of the picture at
# t = 1. Read it off the table.


# %%
made = (ed.schedule.cosine(), ed.schedule.ddpm_linear(), ed.schedule.log_linear(), ed.schedule.flow())
times = (0.0, 0.25, 0.5, 0.75, 1.0)
print(f"{'':12}" + "".join(f"{f't = {t:.2f}':^24}" for t in times))
for schedule in made:
    cells = [(*schedule(t), schedule.log_snr(t)) for t in times]
    print(f"{schedule.name:12}" + "".join(f"{a:6.3f} {s:7.3f} {snr:8.2f} " for a, s, snr in cells))
figure = plot.empty_figure(6, 3.5)
axis = figure.subplots()
fine = np.linspace(0.01, 0.99, 50 if FAST else 200)  # (T,)
for schedule in made:
    axis.plot(fine, schedule.log_snr(fine), label=schedule.name)
axis.axhline(0, color="0.8", linewidth=0.8)
axis.set(xlabel="t", ylabel="log SNR", title="above 0 there is more signal than noise")
axis.legend(frameon=False)
plot.present(figure, "01_adding_noise_2")

# %% [markdown]
# ## A check that can fail
#
# If a pixel of `x0` has variance `v`, then a pixel of `x` has variance $\alpha^2 v + \sigma^2$. Picture and noise are
# independent, and independent variances add. The cell measures it on many pictures.
#
# **Change this and see it fail.** In `add_noise` (in `edudiff/forward.py`), change `return alpha * x0 + sigma * noise`
# to `return alpha * x0 + sigma**2 * noise`, run the lesson again, and look at the cell's three lines: which of them
# notices, and why do the others not? Then change it back.
#
# **Step through this.** Put a breakpoint on the line of `add_noise` (in `edudiff/forward.py`) that returns, and look at
# the shapes of `alpha` and `x0`. Call it with `alpha=np.full(len(x0), 0.7)`: why is `alpha` now (B, 1, 1, 1)?


# %%
schedule, rng = ed.schedule.cosine(), np.random.default_rng(0)
x0 = rng.uniform(-1, 1, (200 if FAST else 2000, 8, 8, 1))  # (B, H, W, C), variance 1/3
noise = standard_normal(rng, x0.shape)  # (B, H, W, C)
for t in (0.0, 0.5, 1.0):
    alpha, sigma = schedule(t)
    measured, expected = ed.forward.add_noise(x0, alpha, sigma, noise).var(), alpha**2 / 3 + sigma**2
    print(f"t = {t}: variance of x is {measured:.4f}, alpha**2 / 3 + sigma**2 is {expected:.4f}")

# %% [markdown]
# ## A little noise, many times
#
# Papers often add the noise in many small steps. From level $(\alpha, \sigma)$ to a noisier one $(\alpha', \sigma')$:
#
# $$x' = c\,x + \sqrt{\sigma'^2 - c^2 \sigma^2}\;\text{fresh noise}, \qquad c = \alpha' / \alpha$$
#
# Why this root? After the step the signal is $c\,\alpha\,x_0 = \alpha' x_0$, as it should be. The old noise has
# variance $c^2\sigma^2$; the fresh noise must bring the rest up to $\sigma'^2$. So the chain of small steps and the one
# big step have the same law, and nobody needs to walk: training jumps to any `t` at once.
#
# The cell keeps the books exactly: it walks fifty steps with the pair (signal factor, noise variance), and compares the
# end with `schedule(1.0)`.
#
# And if the steps get ever smaller? From `t` to `t + dt`, $c$ is nearly $1 + f\,dt$ and the fresh noise has a variance
# of nearly $g^2 dt$, with $f = \alpha' / \alpha$ and $g^2 = (\sigma^2)' - 2 f \sigma^2$, the primes now being slopes in
# time. This limit is the forward process as a *stochastic differential equation*, $dx = f x\,dt + g\,dw$. Lesson 3
# walks it backwards. `edudiff.forward.sde` returns $f$ and $g^2$; the second cell compares them with a small step.


# %%
steps, schedule = 50, ed.schedule.cosine()
levels = [schedule(t) for t in reversed(schedule.times(steps).tolist())]  # from the picture to noise
signal, variance = 1.0, 0.0
for (alpha, sigma), (alpha_next, sigma_next) in pairwise(levels):
    c = alpha_next / alpha
    fresh = sigma_next**2 - c**2 * sigma**2
    signal, variance = c * signal, c**2 * variance + fresh
alpha, sigma = schedule(1.0)
print(f"{steps} steps: signal {signal:.6f}, noise variance {variance:.6f}")
print(f" one step: signal {alpha:.6f}, noise variance {sigma**2:.6f}")

# %%
t, schedule = 0.5, ed.schedule.cosine()
(alpha, sigma), (f, g2) = schedule(t), ed.forward.sde(schedule, t)
for dt in (0.1, 0.01, 0.001):
    alpha_next, sigma_next = schedule(t + dt)
    c = alpha_next / alpha
    drift, diffusion = (c - 1) / dt, (sigma_next**2 - c**2 * sigma**2) / dt
    print(f"dt = {dt:5}: (c - 1) / dt is {drift:.4f}, fresh variance / dt is {diffusion:.4f}")
print(f"    exactly: f            is {f:.4f}, g^2                 is {g2:.4f}")

# %% [markdown]
# ## Questions
#
# 1. At which `t` can *you* no longer count the fingers? Is it the same for every hand?
# 2. `flow` has `alpha = 0` at t = 1. What can the best denoiser answer there?
# 3. Why is the noise drawn from one random stream for each picture, and not from one for the whole batch?
# 4. In the small step, what would go wrong if somebody wrote $\sqrt{\sigma'^2 - \sigma^2}$, without the $c^2$?
#
# <details><summary>Answers</summary>
#
# 1. Near t = 0.5 for the cosine schedule, where signal and noise are equal; it varies, for the eye averages over pixels
#    just as a denoiser does.
# 2. `x` says nothing about `x0`, so the best answer is the mean of all training pictures.
# 3. So that picture 7 is the same in a batch of 8 and in a batch of 64: `edudiff.support.random.streams`.
# 4. The old noise shrinks by `c` in the step, so too little fresh noise would be added, and the variance would stay
#    below $\sigma'^2$. Where $\alpha$ is 1 throughout (`log_linear`), the two are the same, and the mistake hides.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Kamb & Ganguli 2024](https://arxiv.org/abs/2412.20292), eq. 18-22: the forward process.
# - [Nichol & Dhariwal 2021](https://arxiv.org/abs/2102.09672): the cosine schedule; [Ho et al.
#   2020](https://arxiv.org/abs/2006.11239): the one that is linear in the noise's variance; [Lipman et al.
#   2023](https://arxiv.org/abs/2210.02747): the straight line.
# - [Song et al. 2021](https://arxiv.org/abs/2011.13456): variance preserving and variance exploding, and the forward
#   process as a stochastic differential equation.


# %%
def explore():
    """One noisy hand with a slider for t."""
    images = shapes.hands(1, size=20, rng=np.random.default_rng(0))  # (1, H, W, C)
    noise = standard_normal(streams(0, 1), images.shape, like=images)  # (1, H, W, C)
    schedule = ed.schedule.cosine()

    def draw(axis, t):
        plot.show(axis, ed.forward.add_noise(images, *schedule(t), noise)[0])
        axis.set_title("alpha = {:.2f}, sigma = {:.2f}".format(*schedule(t)))

    plot.explore(draw, t=(0.0, 1.0, 0.3))


# %%
explore()
