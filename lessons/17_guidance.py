# %% [markdown]
# # 17. Guidance
#
# You ask for class 5 and get something that could be class 5, or 4, or 7. *Guidance* asks louder: it goes beyond what
# the denoiser of the class answers, away from what a denoiser without the class answers. Every large image model is
# drawn from this way. Three questions come up again and again: is it w or 1 + w? From which law does it draw? And why
# do guided samples look alike? For formulas all three have an exact answer.
#
# To write it yourself: assignment 11, `lessons/assignments/a11_guidance`.

# %%
import os
import sys

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.data import toys
from edudiff.sampling import guided, guided_law, tilted_law, within
from edudiff.support.random import streams

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# ## A tree of classes
#
# The toy has a trunk that forks three times. Each of its eight classes is the way from the root to one of the twigs,
# so all classes share the trunk, two share all but the last twig. `Ideal` of a class answers with points of the class,
# `Ideal` of all points with the others too. Guidance takes both:
#
# $$\hat x_0 = \hat x_0^{\text{all}} + w\,\big(\hat x_0^{\text{class}} - \hat x_0^{\text{all}}\big).$$
#
# Here `weight` = $w$, and 1 means *none*. Ho & Salimans, who invented it, write $(1 + w)\,\hat n^{\text{class}} -
# w\,\hat n^{\text{all}}$, and 0 means none. Most code that you meet has the first convention and most papers the
# second: what is called 7.5 in one is 6.5 in the other. For noise, score, velocity or $\hat x_0$ it is the same
# formula, because each is affine in $\hat x_0$, and the factors add up to one.
#
# **Step through this.** Put a breakpoint in `Guided.__call__` (in `edudiff/sampling/guidance.py`), run this cell, and
# compare `without` with what the class's denoiser answers. In the first steps they are nearly the same: why?


# %%
points, labels = toys.tree(400 if FAST else 2000, np.random.default_rng(0))  # (N, 2), (N,)
label, schedule, ALONE = 5, ed.schedule.cosine(), 0.05  # the last: a distance to all other classes
of_all = ed.denoisers.Ideal(points, labels)
of_class = of_all.conditional(label)
count, times = 100 if FAST else 400, schedule.times(30 if FAST else 60)
x = ed.reverse.start(schedule, (count, 2), streams(0, count))  # (B, 2)
own, others = points[labels == label], points[labels != label]  # (n, 2), (N - n, 2)
figure = plot.empty_figure(12, 3.4)
for axis, weight in zip(figure.subplots(1, 4), (0.0, 1.0, 2.0, 4.0), strict=True):
    drawn = ed.reverse.sample(guided(of_class, of_all, weight), schedule, x, times)  # (B, 2)
    _, to_others = ed.compare.metrics.nearest(drawn, others)  # (B,)
    _, to_own = ed.compare.metrics.nearest(drawn, own)  # (B,)
    print(f"weight {weight:g}: median distance to the class {np.median(to_own):.3f}; ", end="")
    print(f"{np.mean(to_others > ALONE):.0%} lie where no other class is; standard deviation {drawn.std(0).mean():.2f}")
    axis.scatter(*points.T, c="0.85", s=2)
    axis.scatter(*own.T, c=plot.COLORS[1], s=2)
    axis.plot(*drawn.T, "k.", markersize=3)
    axis.set(title=f"weight {weight:g}", aspect="equal", xticks=[], yticks=[], xlim=(-1.2, 1.2), ylim=(-1.1, 1.2))
plot.present(figure, "17_guidance_1")

# %% [markdown]
# With weight 0 the points lie on the whole tree, with 1 on the class, most of them on what it shares with others. With
# more they leave that: guidance moves away from where other classes are, and more of the points lie on the end of the
# twig, which no other class has. It is no longer the law of the class that is drawn.
#
# ## It is not the tilted density
#
# The guided score is $w\,\nabla\log p_t(x \mid c) + (1 - w)\,\nabla\log p_t(x)$, the score of
# $p_t(x \mid c)^w\,p_t(x)^{1-w}$ at each noise level. So it is often said that guidance draws from
# $p(x \mid c)^w\,p(x)^{1-w}$, a *tilted* density. It does not. The tilted densities of two noise levels are not noisy
# and less noisy versions of one law, so the flow that follows their scores does not lead from one to the other.
#
# On Gaussians one can see it in numbers. Let class and all be normal, along one axis $N(m_1, v_1)$ and $N(m_0, v_0)$.
# With $y = x / \alpha$ and $s = \sigma / \alpha$ each denoiser answers with $y - \hat x_0 = s^2 (y - m) / (v + s^2)$,
# so the guided flow is
#
# $$\frac{dy}{ds} = s\left(w\,\frac{y - m_1}{v_1 + s^2} + (1 - w)\,\frac{y - m_0}{v_0 + s^2}\right).$$
#
# It is linear in $y$. Its homogeneous solution is $(v_1 + s^2)^{w/2}\,(v_0 + s^2)^{(1-w)/2}$, which for large $s$ is
# $s$ itself. So pure noise of standard deviation $s$ ends with the variance
#
# $$v_1^{\,w}\; v_0^{\,1-w},$$
#
# a geometric mean; the tilted density has the variance $1 / (w / v_1 + (1 - w) / v_0)$, a harmonic one. Variation of
# constants gives the mean, an integral that `guided_law` computes; for $w = 3$ it is
# $m_0 + (m_1 - m_0)(1 + 2 v_1 / v_0)$. Where the variances are equal the two laws are the same, which may be why the
# mistake lives on.
#
# **Change this and see it fail.** In `guided_law` (in `edudiff/sampling/guidance.py`), change
# `v1**weight * v0 ** (1 - weight)` to `1 / (weight / v1 + (1 - weight) / v0)`, the variance of the tilted density, and
# run the cell: what is drawn does not follow. Then change it back.


# %%
(m1, v1), (m0, v0) = (0.5, 0.15), (-0.2, 0.5)
one, both = (ed.scores.linear(m + np.sqrt(v) * np.array([[-1.0], [1.0]])) for m, v in ((m1, v1), (m0, v0)))
pure = ed.schedule.cosine(stretch=1)  # no signal at t = 1
grid = pure.times(300 if FAST else 1000) ** 1.5
weights, found = (1.0, 1.5, 2.0, 3.0, 5.0), []
for weight in weights:
    # The flow is affine: where it takes 0 and 1 says where it takes all noise.
    ends = ed.reverse.sample(guided(one, both, weight), pure, np.array([[0.0], [1.0]]), grid, "heun")  # (2, 1)
    drawn = ends[0, 0], (ends[1, 0] - ends[0, 0]) ** 2
    exact, tilted = guided_law(m1, v1, m0, v0, weight), tilted_law(m1, v1, m0, v0, weight)
    found.append([drawn, exact, tilted])
    numbers = "; ".join(
        f"{what} {mean:.4f}, {variance:.4f}"
        for what, (mean, variance) in (("drawn", drawn), ("formula", exact), ("tilted", tilted))
    )
    print(f"weight {weight:g}: mean and variance {numbers}")
laws = np.array(found)  # (W, 3, 2)
worst = np.abs(laws[:, 0] - laws[:, 1]).max()
print(
    f"the flow is {worst:.1e} from the formula at most, and {np.abs(laws[:, 0] - laws[:, 2]).max():.2f} from the tilted"
)
assert worst < 1e-2
figure = plot.empty_figure(8, 3.2)
for axis, column, what in zip(figure.subplots(1, 2), (0, 1), ("mean", "variance"), strict=True):
    for row, name, style in ((0, "drawn", "o"), (1, "formula", "-"), (2, "tilted density", "--")):
        axis.plot(weights, laws[:, row, column], style, label=name)
    axis.set(xlabel="weight", ylabel=what)
    axis.legend(frameon=False)
plot.present(figure, "17_guidance_2")

# %% [markdown]
# ## Only in the middle
#
# Kynkäänniemi et al. guide large models on an interval of noise levels alone: at high noise, they find, guidance makes
# samples alike, at low noise it is not needed. `weight` may be a function of the noise level, and `within` makes this
# one. On the tree, what does each part of the way do? (The full interval has the numbers of weight 4 above.)


# %%
for low, high in ((0.0, np.inf), (0.1, 1.0), (0.02, 0.3)):
    drawn = ed.reverse.sample(guided(of_class, of_all, within(4.0, low, high)), schedule, x, times)  # (B, 2)
    _, to_own = ed.compare.metrics.nearest(drawn, own)  # (B,)
    _, to_others = ed.compare.metrics.nearest(drawn, others)  # (B,)
    print(f"sigma / alpha in ({low:g}, {high:g}]: to the class {np.median(to_own):.3f}; ", end="")
    print(f"{np.mean(to_others > ALONE):.0%} lie where no other class is; standard deviation {drawn.std(0).mean():.2f}")

# %% [markdown]
# ## Guided by a bad version of itself
#
# Nothing says that the second denoiser has to be one of all classes. *Autoguidance* (Karras et al. 2024) takes a worse
# version of the first: trained for a shorter time, with fewer parameters. What both get wrong, the worse one gets more
# wrong; going away from it should go the right way. Here a worse version is easy to have: ELS with a smaller window.
# Does the guided one come nearer to the training pictures than the larger window alone? Read the distances: with these
# hands it does not, while the contrast grows, and pixels leave [-1, 1]. A recipe that works for large networks need not
# work for every pair of denoisers, and this is how to find out.


# %%
images = ed.data.shapes.hands(12 if FAST else 80, size=14, rng=np.random.default_rng(0))  # (N, H, W, C)
good, bad = ed.denoisers.Patch(images, 9), ed.denoisers.Patch(images, 3)
noise = ed.reverse.start(schedule, (2 if FAST else 6, 14, 14, 1), streams(1, 2 if FAST else 6), like=images)
grid = schedule.times(8 if FAST else 20)
pictures = {"window 3": ed.reverse.sample(bad, schedule, noise, grid)}  # (B, H, W, C)
for weight in (1.0, 1.5, 2.0):
    drawn = ed.reverse.sample(guided(good, bad, weight), schedule, noise, grid)  # (B, H, W, C)
    pictures["window 9" if weight == 1 else f"guided, {weight:g}"] = drawn
for name, drawn in pictures.items():
    _, distance = ed.compare.metrics.nearest(drawn, images)  # (B,)
    print(f"{name:12} distance to the nearest training picture {np.median(distance):.2f}; ", end="")
    print(f"pixels beyond [-1.05, 1.05]: {np.mean(np.abs(drawn) > 1.05):.1%}")
plot.present(plot.rows(pictures, title="ELS, guided by ELS with a smaller window"), "17_guidance_3")

# %% [markdown]
# ## Questions
#
# 1. A paper writes `w = 3`, a program has `guidance_scale = 3`. Which one guides more?
# 2. Show that guiding $\hat x_0$ and guiding $\hat n$ is the same.
# 3. Two classes are normal with the same variance $v$ and means $\pm m$; *all* is taken for normal too, with its mean 0
#    and its variance $v + m^2$. What happens to the variance of the guided law as $w$ grows? And if *all* is the true
#    mixture?
# 4. At which noise level does guidance do nothing, whatever the weight, and why?
#
# <details><summary>Answers</summary>
#
# 1. The paper: its factor of the class is 1 + 3 = 4, the program's is 3.
# 2. $\hat n = (x - \alpha \hat x_0) / \sigma$. In $\hat n^{\text{all}} + w (\hat n^{\text{class}} - \hat
#    n^{\text{all}})$ the terms in $x$ are $(1 - w + w)\,x / \sigma$: what is left is $\hat n$ of the guided $\hat x_0$.
# 3. $v_1 / v_0 = v / (v + m^2) < 1$, so $v_1^w v_0^{1-w}$ goes to 0 exponentially: guided samples become alike. With
#    the true mixture the denoiser of all agrees with that of the class once the noise is small against $m$, and
#    guidance ends there: the variance stays above 0.
# 4. Where both denoisers agree: in the limit of pure noise both answer with their means, which differ by a constant; in
#    little noise, on a point of the class that is far from all others, both answer with that point. There it is 0.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Ho & Salimans 2022](https://arxiv.org/abs/2207.12598), eq. 6: classifier-free guidance.
# - [Kynkäänniemi et al. 2024](https://arxiv.org/abs/2404.07724): on an interval; [Karras et al.
#   2024](https://arxiv.org/abs/2406.02507): autoguidance, and a tree like ours.
# - The law of the guided flow on Gaussians is derived here; `tests/sampling/test_guidance.py` holds the package to it.
