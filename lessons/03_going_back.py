# %% [markdown]
# # 3. Going back
#
# A denoiser answers one question: given this noisy `x`, what is `x0` on average? Drawing a picture means asking it
# again and again, at less and less noise. This lesson derives the ways to ask: DDIM, the ODE behind it, a better solver
# for the ODE, and the walks that add fresh noise (DDPM, SDE). And it measures how wrong each is for a given number of
# steps, on data for which the right answer is known.
#
# To write it yourself: assignment 3, `lessons/assignments/a3_steps`.

# %%
import math
import os
import sys
from itertools import pairwise

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.data import shapes, toys
from edudiff.support.random import standard_normal, streams

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# ## One step of DDIM
#
# At level $(\alpha, \sigma)$ the denoiser answers $\hat x_0$. Then it also says how much of `x` is noise:
#
# $$x = \alpha\, \hat x_0 + \sigma\, \hat n \quad\Rightarrow\quad \hat n = (x - \alpha\, \hat x_0) / \sigma.$$
#
# Now believe it, but only for a short while. Keep both guesses, and mix them again at the next, less noisy level:
#
# $$x' = \alpha'\, \hat x_0 + \sigma'\, \hat n.$$
#
# That is the whole method (Song et al. 2021). `edudiff.reverse.steps` is a generator that yields each step, so a `for`
# loop is the stepper, the progress bar and the plot.
#
# **Step through this.** Put a breakpoint in `ddim` (in `edudiff/reverse.py`), run this cell in the debugger, and look
# at `now`, `then` and `x0_hat.std(axis=0).max()`. In the first steps `x0_hat` is nearly the same for every picture of
# the batch. Why?


# %%
images = shapes.hands(40 if FAST else 200, size=16, rng=np.random.default_rng(0))  # (N, H, W, C)
denoise, schedule = ed.scores.ideal(images), ed.schedule.cosine()
x = ed.reverse.start(schedule, (3, *images.shape[1:]), streams(3, 3), like=images)  # (3, H, W, C)
noisy, clean, captions = [], [], []
for step in ed.reverse.steps(denoise, schedule, x, schedule.times(20)):
    if step.i % 2 == 0:
        noisy.append(step.x[:1])
        clean.append(step.x0_hat[:1])
        captions.append(f"t = {step.t:.2f}")
rows = {"x": np.concatenate(noisy), "x0_hat": np.concatenate(clean)}
plot.present(
    plot.rows(rows, {"x0_hat": captions}, title="every second of 20 DDIM steps, through the ideal denoiser"),
    "03_going_back_1",
)

# %% [markdown]
# ## The ODE behind it
#
# Divide everything by $\alpha$: let $y = x / \alpha$ and $s = \sigma / \alpha$. Then $y = x_0 + s\,n$, so $s$ is the
# noise level of $y$, and a DDIM step reads
#
# $$y' = \hat x_0 + s'\,\hat n = (y - s\,\hat n) + s'\,\hat n = y + (s' - s)\,\hat n.$$
#
# That is one Euler step of the differential equation
#
# $$\frac{dy}{ds} = \hat n(y, s) = \frac{y - \hat x_0}{s},$$
#
# the **probability-flow ODE** (Song et al. 2021; Karras et al. 2022). It moves each point so that at every noise level
# the cloud of all points has exactly the noisy law. So: schedules differ only in the grid of `s` at which they stop,
# and DDIM is Euler's method. The cell runs both and prints the difference.


# %%
data = toys.two_moons(50 if FAST else 200, np.random.default_rng(0))  # (N, 2)
denoise, schedule = ed.scores.ideal(data), ed.schedule.cosine()
x = ed.reverse.start(schedule, (30, 2), streams(0, 30))  # (B, 2)
y, worst = None, 0.0
for step in ed.reverse.steps(denoise, schedule, x, schedule.times(20)):
    s, alpha_next, sigma_next = step.sigma / step.alpha, *schedule(step.t_next)
    y = step.x / step.alpha if y is None else y  # (B, 2)
    slope = (y - denoise(step.alpha * y, step.alpha, step.sigma)) / s  # (B, 2)
    y = y + (sigma_next / alpha_next - s) * slope  # (B, 2)
    worst = max(worst, float(np.abs(y - step.x_next / alpha_next).max()))
print(f"DDIM and Euler differ by {worst:.1e} at most, in 20 steps")

# %% [markdown]
# ## How wrong is it? Order of convergence
#
# For normal data with mean 0 and variance $\lambda$ everything is known. The best denoiser is
# $\hat x_0 = \lambda\, y / (\lambda + s^2)$ (lesson 5 derives it), the ODE is $dy/ds = s\,y / (\lambda + s^2)$, and its
# solution is
#
# $$y(s) = y(s_T)\,\sqrt{\frac{\lambda + s^2}{\lambda + s_T^2}}.$$
#
# Differentiate it to check. So we can measure the error of a solver against the truth. That denoiser is
# `edudiff.scores.linear` of the two points $-\sqrt\lambda$ and $\sqrt\lambda$: mean and variance are all that it asks
# of its data. An Euler step of length $h$ errs by about $h^2$, there are $1/h$ of them, so the total error is of order
# $h$: halve the steps, halve the error.
#
# **Heun's method** takes the Euler step as a trial, looks at the slope where it ended, and goes back to take the step
# with the mean of both slopes. Its error is of order $h^2$. But it asks the denoiser twice a step, so a fair picture
# counts questions, not steps.
#
# **Change this and see it fail.** In `heun` (in `edudiff/reverse.py`), change `denoise(x_next, then.alpha, then.sigma)`
# to `denoise(x_next, then.alpha, now.sigma)`: the second question is asked with the old noise level. Run the cell
# again, and look at the order. Then change it back.


# %%
variance = 0.25  # of the data, lambda
denoise = ed.scores.linear(math.sqrt(variance) * np.array([[-1.0], [1.0]]))
schedule, counts = ed.schedule.cosine(), (8, 16, 32, 64) if FAST else (8, 16, 32, 64, 128, 256, 512)
first, last = 0.95, 0.05
(alpha, sigma), (alpha_end, sigma_end) = schedule(first), schedule(last)
x = np.array([[1.0]])  # (1, 1)
shrink = math.sqrt((variance + (sigma_end / alpha_end) ** 2) / (variance + (sigma / alpha) ** 2))
truth = alpha_end * shrink / alpha  # of a flow that is linear in x
figure = plot.empty_figure(6, 4)
axis = figure.subplots()
for method, calls in (("ddim", 1), ("heun", 2)):
    drawn = [ed.reverse.sample(denoise, schedule, x, np.linspace(first, last, n + 1), method) for n in counts]
    errors = [abs(float(d[0, 0]) - truth) / truth for d in drawn]
    order = float(np.log2(errors[-2] / errors[-1]))
    axis.loglog([calls * n for n in counts], errors, "o-", label=f"{method}, order {order:.2f}")
    print(f"{method}: relative error " + ", ".join(f"{e:.1e}" for e in errors) + f"; order {order:.3f}")
axis.set(xlabel="times that the denoiser is asked", ylabel="relative error")
axis.legend(frameon=False)
plot.present(figure, "03_going_back_2")

# %% [markdown]
# ## DDIM always shrinks
#
# One more exact result. For normal data a DDIM step multiplies `x` by a number. With $u = (\alpha\sqrt\lambda, \sigma)$
# as a vector, that number is
#
# $$f = \frac{\alpha\alpha'\lambda + \sigma\sigma'}{\alpha^2\lambda + \sigma^2} = \frac{u \cdot u'}{u \cdot u}
#   = \frac{|u'|}{|u|}\,\cos(\text{angle between } u \text{ and } u').$$
#
# The exact flow multiplies by $|u'| / |u|$. So every DDIM step loses the factor of a cosine, in every direction of the
# data: too little variance, always. For unit variance and the pure cosine schedule all angles are $\pi / 2N$, and the
# variance after N steps is $\cos(\pi/2N)^{2N}$ instead of 1: 0.88 for the usual 20 steps. Pictures drawn in few steps
# are a little too flat, and this is why.
#
# **Ancestral sampling** (DDPM) replaces part of $\hat n$ by fresh noise: it draws $x'$ from the law of $x'$ given $x$
# and $x_0 = \hat x_0$. The fresh noise has variance
# $\tilde\sigma^2 = \sigma'^2\,(1 - (\alpha\sigma' / \alpha'\sigma)^2)$. It shrinks too, even more: when it draws $x'$
# it takes $\hat x_0$ for $x_0$, as if the denoiser could not be wrong.


# %%
def variance_of_ddpm(schedule, times):
    """Variance of DDPM's draws for unit normal data: v' = A^2 v + fresh^2, where x' = A x + fresh noise."""
    levels = [ed.reverse.Level(*schedule(t), t) for t in times.tolist()]
    v = levels[0].sigma ** 2
    for now, then in pairwise(levels):
        total = now.alpha**2 + now.sigma**2
        fresh = ed.reverse.posterior_sigma(now, then)
        kept = math.sqrt(then.sigma**2 - fresh**2)
        a = then.alpha * now.alpha / total + kept * now.sigma / total
        v = a**2 * v + fresh**2
    return v


# %%
schedule, denoise = ed.schedule.cosine(stretch=1), ed.scores.linear(np.array([[-1.0], [1.0]]))
count = 2_000 if FAST else 20_000
x = standard_normal(np.random.default_rng(0), (count, 1))  # (B, 1)
for n in (10, 20, 50):
    times = schedule.times(n)
    factor = ed.reverse.sample(denoise, schedule, np.ones((1, 1)), times)[0, 0] / schedule(1.0)[1]
    formula = math.cos(math.pi / (2 * n)) ** (2 * n)
    drawn = ed.reverse.sample(denoise, schedule, x, times, "ddpm", rng=np.random.default_rng(1))  # (B, 1)
    ancestral = variance_of_ddpm(schedule, times)
    print(f"{n:3} steps: DDIM {factor**2:.4f}, formula {formula:.4f}; ", end="")
    print(f"DDPM {drawn.var():.4f} in {count} draws, formula {ancestral:.4f}")

# %% [markdown]
# ## Four walks from the same start
#
# The ODE is deterministic: the same noise is always the same picture, with any number of steps that is large enough.
# That makes this whole course possible, because two denoisers can be compared on the same noise. The SDE
# $dx = (f x - g^2 \nabla\log p)\,dt + g\,dw$, with the $f$ and $g^2$ of lesson 1, has the same law at every time and
# forgets its start. DDPM is a way to walk it, and `euler_maruyama` is the plain one. Look at where the same three
# starting points go.


# %%
data = toys.two_moons(100 if FAST else 300, np.random.default_rng(0))  # (N, 2)
denoise, schedule = ed.scores.ideal(data), ed.schedule.cosine()
times = schedule.times(30 if FAST else 100) ** 1.5  # smaller steps where there is little noise
count = 60 if FAST else 200
x = ed.reverse.start(schedule, (count, 2), streams(0, count))  # (B, 2)
figure = plot.empty_figure(12, 3.4)
for axis, method in zip(figure.subplots(1, 4), ed.reverse.METHODS, strict=True):
    steps = list(ed.reverse.steps(denoise, schedule, x, times, method, rng=np.random.default_rng(1)))
    ends = steps[-1].x_next  # (B, 2)
    _, distance = ed.compare.metrics.nearest(ends, data)
    axis.plot(*ends.T, ".", color="0.6", markersize=3)
    for i in range(3):
        path = np.stack([s.x[i] for s in steps] + [ends[i]])  # (steps + 1, 2)
        axis.plot(*path.T, color=plot.COLORS[i], linewidth=1)
        axis.plot(*path[0], plot.MARKERS[i], color=plot.COLORS[i], markersize=4)
    axis.set(title=method, xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal", xticks=[], yticks=[])
    print(f"{method:15} median distance of the ends to the training points: {np.median(distance):.1e}")
plot.present(figure, "03_going_back_3")

# %% [markdown]
# ## Questions
#
# 1. The training set has a single picture `m`. Show that DDIM draws it exactly, with one step or a hundred.
# 2. Heun's second question is asked at `x_next`, at the next level. What goes wrong if it is asked with the *old*
#    `sigma`?
# 3. Why are the last step to sigma = 0 and a first step from alpha = 0 plain DDIM steps in `heun`?
# 4. DDIM shrinks the variance of 1 to 0.88 in 20 steps. Why does a training set of atoms (the ideal denoiser) not show
#    this?
# 5. Two people draw "the same seed" with 20 steps, and one starts at t = 1, the other at t = 0.95. What do they see?
#
# <details><summary>Answers</summary>
#
# 1. The denoiser always answers `m`, so $\hat n = (x - \alpha m) / \sigma$, and after a step $(x' - \alpha' m) /
#    \sigma'$ is the same $\hat n$. It never changes, and at $\sigma = 0$, x is m.
# 2. The slope belongs to another place of the field. The order falls back to 1, the pictures still look fine, and
#    nothing but a convergence test tells you.
# 3. At sigma = 0 there is no noise left to look at, the slope $(y - \hat x_0)/s$ is 0/0; at alpha = 0, y = x / alpha
#    is infinite.
# 4. The flow of atoms ends *on* an atom whatever the small errors before; the shrinking happens within a hill, which
#    has no width at the end. But the shares of the atoms can come out a little wrong.
# 5. Different pictures, or the same pictures a little off: the same numbers mean another point of another flow. It is
#    a mistake that published code makes.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Song, Meng & Ermon 2021](https://arxiv.org/abs/2010.02502), eq. 12: the step of DDIM; [Ho et al.
#   2020](https://arxiv.org/abs/2006.11239), eq. 7: the variance of the fresh noise.
# - [Song et al. 2021](https://arxiv.org/abs/2011.13456): the probability-flow ODE and the reverse SDE; [Kamb & Ganguli
#   2024](https://arxiv.org/abs/2412.20292), eq. 1: the same ODE in their notation.
# - [Karras et al. 2022](https://arxiv.org/abs/2206.00364), algorithm 1: Heun's method for it.
