# %% [markdown]
# # 18. There and back again
#
# The probability flow is a differential equation, and it can be followed both ways. Backwards in noise it draws
# pictures. Forwards it takes a picture to *its* noise: the noise that would have drawn it. This lesson inverts
# pictures, measures what a round trip loses, and walks from one picture to another between their noises.
#
# To write it yourself: assignment 12, `lessons/assignments/a12_inversion`.

# %%
import os
import sys

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.sampling import invert, lerp, reconstruct, slerp
from edudiff.support.random import streams

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# ## The same step, upwards
#
# A DDIM step carries `x` from one level to another: $x' = \alpha' \hat x_0 + \sigma' \hat n$. Nothing in it says that
# the second level has to be the less noisy one. So inversion is the same step on times that rise. It cannot begin at
# t = 0: there is no noise in the picture, and $\hat n = (x - \alpha\hat x_0) / \sigma$ is 0 / 0. It begins a little
# above, and takes the picture for one with that little noise.
#
# Where is the loss? The way up asks the denoiser at the *start* of each step, which is the *end* of the same step on
# the way down. The two answers differ by the length of the step, so that the way back misses by the first power of it.
# With Heun's steps, which ask at both ends, it misses by a higher power. With a single training point the answer is
# always that point, the noise in `x` never changes, and there is no loss at all.
#
# For normal data of variance $\lambda$ everything is known, as in lesson 3. With $u = (\alpha\sqrt\lambda, \sigma)$ a
# step from $u$ to $u'$ multiplies by $u\cdot u' / u\cdot u$, the step back by $u\cdot u' / u'\cdot u'$. So each pair
# multiplies by
#
# $$\frac{(u \cdot u')^2}{|u|^2\,|u'|^2} = \cos^2(\text{angle between } u \text{ and } u'),$$
#
# and the exact flow carries the picture to the same quantile of the noise, by $|u_T| / |u_0|$.
#
# **Step through this.** Put a breakpoint in `invert` (in `edudiff/sampling/inversion.py`) and look at `now` and `then`:
# which of them is noisier? Then step into `ddim`: it is the page's.
#
# **Change this and see it fail.** In `invert` (in `edudiff/sampling/inversion.py`), change
# `denoise(x, now.alpha, now.sigma)` to `denoise(x, then.alpha, then.sigma)`: ask about the level that x has not reached
# yet. The error of the cell no longer agrees with the formula. Then change it back.


# %%
variance, schedule = 0.25, ed.schedule.cosine()
denoise = ed.scores.linear(np.sqrt(variance) * np.array([[-1.0], [1.0]]))
x0, first, last = np.array([[0.7]]), 0.02, 0.95
counts = (4, 8, 16, 32) if FAST else (4, 8, 16, 32, 64, 128, 256)
exact = np.hypot(np.sqrt(variance) * schedule(last)[0], schedule(last)[1])
exact = 0.7 * schedule(first)[0] * exact / np.hypot(np.sqrt(variance) * schedule(first)[0], schedule(first)[1])
figure = plot.empty_figure(6, 4)
axis = figure.subplots()
for method in ("ddim", "heun"):
    grids = [np.linspace(first, last, n + 1) for n in counts]
    there = [abs(invert(denoise, schedule, x0, grid, method)[0, 0] - exact) for grid in grids]
    back = [abs(reconstruct(denoise, schedule, x0, grid, method)[0, 0] - 0.7) for grid in grids]
    axis.loglog(counts, there, "o-", label=f"{method}: distance of the noise from the exact one")
    axis.loglog(counts, back, "s--", label=f"{method}: loss of the round trip")
    order = np.log2(there[-2] / there[-1]), np.log2(back[-2] / back[-1])
    print(f"{method}: {counts[-1]} steps miss the noise by {there[-1]:.1e}, the picture by {back[-1]:.1e}; ", end="")
    print(f"order {order[0]:.2f} there, {order[1]:.2f} there and back")
    if method == "ddim":
        u = np.array([(np.sqrt(variance) * a, s) for a, s in map(schedule, grids[1].tolist())])  # (9, 2)
        cosines = (u[1:] * u[:-1]).sum(1) / np.linalg.norm(u[1:], axis=1) / np.linalg.norm(u[:-1], axis=1)  # (8,)
        formula = 0.7 * (1 - np.prod(cosines**2))
        print(f"8 steps lose {back[1]:.6f}, the cosines say {formula:.6f}")
        assert abs(back[1] - formula) < 1e-9
axis.set(xlabel="steps", ylabel="error")
axis.legend(frameon=False, fontsize=8)
plot.present(figure, "18_there_and_back_again_1")

# %% [markdown]
# ## Pictures
#
# Invert two hands that are *not* in the training set, through the ideal, the linear and the ELS denoiser, and draw from
# what was found. A denoiser whose flow has this picture gives it back. The ideal one does not: its flow leads to
# training pictures and nowhere else. Where it has no mass, a picture can only come from noise that is hardly ever
# drawn. How near does each get, and what does the noise look like? Noise of the right law has the standard deviation 1
# in every pixel, and no picture in it; the numbers below say how far from it each of the three is.


# %%
size = 14
hands = ed.data.shapes.hands(18 if FAST else 122, size=size, rng=np.random.default_rng(0)).astype("float64")
images, new = hands[2:], hands[:2]  # (N, H, W, C), (2, H, W, C)
makers = {
    "ideal": ed.denoisers.Ideal(images),
    "linear": ed.denoisers.Linear.fit(images),
    "els": ed.denoisers.Patch(images, 5),
}
up = np.linspace(0.02, 1, 9 if FAST else 41)
pictures, noises = {"picture": new}, {}
for name, denoise in makers.items():
    noises[name] = invert(denoise, schedule, new, up)  # (2, H, W, C)
    down = ed.reverse.sample(denoise, schedule, noises[name], up[::-1]) / schedule(up[0])[0]  # (2, H, W, C)
    pictures[f"{name}: noise"], pictures[f"{name}: back"] = noises[name] / 2, down
    off = np.sqrt(np.mean((down - new) ** 2))
    print(f"{name:7} root mean square loss {off:.3f}; its noise has standard deviation {noises[name].std():.2f}")
plot.present(plot.rows(pictures, title="a picture, its noise, and what that noise draws"), "18_there_and_back_again_2")

# %% [markdown]
# ## Between two noises
#
# What lies between two pictures? Halfway between them, pixel by pixel, lies a double exposure. Halfway between their
# *noises* lies another noise, which draws a picture of its own. But which halfway? On the straight line the middle of
# two independent noises has the variance $(1/2)^2 + (1/2)^2 = 1/2$, and in many dimensions noise with half of the
# variance is practically never drawn. On the arc, *slerp*, the squares of the factors add up to one for orthogonal
# vectors, and the variance stays.
#
# For the linear denoiser the flow is affine. So the straight line of noises is drawn as the straight line of pictures:
# exactly the double exposure.


# %%
a, b = (ed.reverse.start(schedule, (1, size, size, 1), streams(seed, 1)) for seed in (4, 9))  # (1, H, W, C) each
shares = np.linspace(0, 1, 7)
lines = {"lerp": [lerp(a, b, s) for s in shares], "slerp": [slerp(a, b, s) for s in shares]}
drawn = {}
for way, between in lines.items():
    batch = np.concatenate(between)  # (7, H, W, C)
    print(f"{way}: standard deviation of the noise " + ", ".join(f"{one.std():.2f}" for one in batch))
    for name, denoise in makers.items():
        drawn[f"{name}, {way}"] = ed.reverse.sample(
            denoise, schedule, batch, schedule.times(8 if FAST else 20)
        )  # (7, ...)

# %%
straight = drawn["linear, lerp"]  # (7, H, W, C)
exposure = lerp(straight[:1], straight[-1:], 0.5)  # (1, H, W, C)
gap = np.abs(straight[3] - exposure[0]).max()
print(f"linear, lerp: the picture of the middle is the middle of the pictures, up to {gap:.1e}")
assert gap < 1e-9
plot.present(plot.rows(drawn, title="from one noise to another"), "18_there_and_back_again_3")

# %% [markdown]
# ## Questions
#
# 1. Why can inversion not begin at t = 0?
# 2. A training set has one picture. Which pictures come back from a round trip of two steps?
# 3. An editing program inverts a photograph with guidance, weight 7, and draws it again with guidance. Why does it come
#    back badly, although the noise is that of the photograph?
# 4. Halfway on the straight line a sample looks flat and gray. Which property of the noise is wrong, and which two
#    denoisers of the cell show it least?
#
# <details><summary>Answers</summary>
#
# 1. The slope of the flow is $(y - \hat x_0) / s$; at $s = 0$, $y = x_0$ and the denoiser answers with $x_0$ itself: 0
#    /
#    0. In a step the noise is unknown, because there is none.
# 2. All of them, exactly. The denoiser answers with its one picture everywhere, the noise $(x - \alpha m) / \sigma$ is
#    the same at every level.
# 3. The denoiser changes fast along the path, so the answer at the start of a step is far from that at its end: the
#    loss is the product of the step and of how fast the answer changes, and guidance multiplies that by the weight.
# 4. Its variance, 1/2 instead of 1. The ideal denoiser ends on training pictures whatever the noise; ELS on pictures
#    whose pixels are all of training windows. Look at the rows, and judge for yourself.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Song, Meng & Ermon 2021](https://arxiv.org/abs/2010.02502), section 5.3 and 5.4: DDIM upwards, and interpolation.
# - [Mokady et al. 2023](https://arxiv.org/abs/2211.09794): what guidance does to inversion.
# - The factor of a round trip is P20 twice; `tests/sampling/test_inversion.py` holds the package to it.
