# %% [markdown]
# # 7. Looking through a window
#
# A convolutional network computes each pixel of its answer from a window around that pixel: its receptive field. It
# cannot see the rest. What is the best answer of somebody who looks through a window? The **local score**
# (Kamb & Ganguli 2024, eq. 7-8) is the first formula of this course that draws new pictures with the details right: it
# copies, but each pixel for itself.
#
# To write it yourself: assignment 6, `lessons/assignments/a6_local`.

# %%
import os
import sys

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.data import shapes
from edudiff.support.random import standard_normal, streams

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# ## The best answer through a window
#
# Let $\Omega_u$ be the window around pixel $u$, and $x_{\Omega_u}$ what is seen of `x` there. By the argument of lesson
# 2, the function of $x_{\Omega_u}$ with the least squared error for pixel $u$ is the conditional mean,
#
# $$\hat x_0(u) = E[x_0(u) \mid x_{\Omega_u}]
#   = \sum_n x_n(u)\,\operatorname{softmax}_n\Big(-\frac{|x_{\Omega_u} - \alpha\, x_{n,\Omega_u}|^2}{2\sigma^2}\Big).$$
#
# Noise is independent from pixel to pixel, so the windows follow the same rule as whole pictures did: compare, weigh,
# average. Only the distance is over the window, and only the center is answered. `edudiff.scores.local(images, window)`
# is this denoiser. A window that sticks out of the picture sees zeros there.
#
# Two ends are known. A window of one pixel treats each pixel as a world of its own. A window that always covers the
# picture is the ideal denoiser. The cell checks both. It also prints how far the page, `scores.local`, is from the
# engine, `denoisers.Patch(images, window, shifts=False)`: the engine has box sums, compiled loops and GPUs (lessons 15
# and 16), and gives the same answer.
#
# **Step through this.** Put a breakpoint in `local` (in `edudiff/scores.py`) and step into the `denoise` that it
# returns. In the loop over pixels, look at `noisy[:, i, j].shape` and `centers.shape`: what is compared with what? Stop
# at the corner pixel (i = j = 0): what is in its window outside the picture, and why does it not matter here?
#
# **Change this and see it fail.** In `_by_windows` (in `edudiff/scores.py`), change `windows(alpha * pixels, side,
# padding)` to `windows(pixels, side, padding)`, and run the cell again: noisy windows are compared with training
# windows that were not scaled by alpha. Which of the three checks notice? Then change it back.


# %%
rng = np.random.default_rng(0)
images, x = rng.uniform(-1, 1, (4, 5, 5, 1)), rng.standard_normal((2, 5, 5, 1))  # (N, H, W, C), (B, H, W, C)
alpha, sigma = 0.7, 0.6
answer = {window: ed.scores.local(images, window)(x, alpha, sigma) for window in (1, 3, 9)}  # (B, H, W, C) each
weights = np.exp(-((x[:, None] - alpha * images) ** 2) / (2 * sigma**2))  # (B, N, H, W, C), each pixel alone
pixelwise = (weights * images).sum(axis=1) / weights.sum(axis=1)  # (B, H, W, C)
checks = {
    "window 1 and the pixelwise mean": answer[1] - pixelwise,
    "window 9 = 2 * 5 - 1 and the ideal": answer[9] - ed.scores.ideal(images)(x, alpha, sigma),
    "window 3 and the engine's Patch": answer[3] - ed.denoisers.Patch(images, 3, shifts=False)(x, alpha, sigma),
}
for name, difference in checks.items():
    print(f"{name:34} differ by {np.abs(difference).max():.1e}")

# %% [markdown]
# ## Pictures drawn through windows
#
# The same noise, through windows of growing size. With 3 pixels, loose pieces of strokes. With 5 or 7, clean pieces
# that go together nearly everywhere; some digits are right, some are of a kind that nobody has ever written. With the
# covering window, copies. Creativity lies between too few pixels and too many.


# %%
def local(images, window):
    """The local score; with a window that always covers the picture it is the ideal score, which is quicker."""
    return ed.scores.local(images, window) if window < 2 * images.shape[1] - 1 else ed.scores.ideal(images)


# %%
training = shapes.strokes(60 if FAST else 400, size=14, rng=np.random.default_rng(0))  # (N, H, W, C)
schedule, count = ed.schedule.cosine(), 4 if FAST else 10
x = ed.reverse.start(schedule, (count, *training.shape[1:]), streams(1, count))  # (B, H, W, C)
denoisers = {window: local(training, window) for window in (3, 5, 7, 9, 27)}
by_window, seconds = ed.compare.draw(denoisers, schedule, x, schedule.times(10 if FAST else 20))
for window, batch in by_window.items():
    _, distance = ed.compare.metrics.nearest(batch, training.astype("float64"))
    print(f"window {window:2}: median distance to the nearest training picture {np.median(distance):.3f}", end="")
    print(f", {seconds[window]:.0f} s")
shown = {f"window {window}": batch for window, batch in by_window.items()}
plot.present(plot.rows(shown, title="each column is the same noise"), "07_looking_through_a_window_1")

# %% [markdown]
# ## Whose pixel is it?
#
# As the noise goes to zero, the softmax has one winner for each pixel: the training picture whose window there is
# nearest. So each drawn pixel *is* a pixel of a training picture, and neighboring pixels mostly, but not always, of the
# same one. Kamb & Ganguli call this a patch mosaic. The cell finds the winner of each pixel, says of how many it is the
# value, for a walk of 20 steps ends before all are decided, and shows it as a color: regions are pieces that come from
# one training picture. Along the seams the windows of both agree in what they share. (In the black background many
# windows tie, and the colors there say little.)


# %%
def whose_pixel(batch, images, window):
    """The training picture that each pixel comes from, by its window, (B, H, W); and how far it is from that pixel."""
    squares = ((batch[:, None] - images) ** 2).sum(axis=4)  # (B, N, H, W)
    (height, width), r = batch.shape[1:3], window // 2
    wide = np.pad(squares, ((0, 0), (0, 0), (r, r), (r, r)))  # (B, N, H + 2 r, W + 2 r)
    sums = sum(wide[:, :, i : i + height, j : j + width] for i in range(window) for j in range(window))  # (B, N, H, W)
    owner = sums.argmin(axis=1)  # (B, H, W)
    rows, columns = np.indices((height, width))
    return owner, np.abs(images[owner, rows, columns] - batch).max(axis=3)  # (B, H, W), (B, H, W)


# %%
window = 7
batch = by_window[window]
owner, miss = whose_pixel(batch, training.astype("float64"), window)
counts = [len(np.unique(o)) for o in owner]
print(f"window {window}: {(miss < 0.05).mean():.1%} of the drawn pixels are their owner's, to 0.05")
print(f"training pictures that one drawn picture is made of: {counts}")
figure = plot.empty_figure(1.3 * len(batch), 2.8)
axes = figure.subplots(2, len(batch))
for i in range(len(batch)):
    plot.show(axes[0, i], batch[i])
    _, names = np.unique(owner[i], return_inverse=True)
    axes[1, i].imshow(names.reshape(owner[i].shape), cmap="viridis", interpolation="nearest")
    axes[1, i].set(xticks=[], yticks=[])
    plot.seams(axes[1, i], owner[i])
plot.present(figure, "07_looking_through_a_window_2")

# %% [markdown]
# ## Seeing less is better, on pictures that you have not seen
#
# Give the denoiser a noisy *training* picture: the larger the window, the smaller the error. That is a theorem, for who
# sees more can ignore it. Now give it a noisy picture of the same kind that is *not* in the training set. The ideal
# denoiser answers with the nearest training picture, which is wrong everywhere. A local one can put together what it
# needs. So the window is not only a limit of the network. It is what lets it generalize.


# %%
alpha, sigma = ed.schedule.cosine()(0.3)
count, rng = 30 if FAST else 100, np.random.default_rng(1)
both = shapes.strokes(len(training) + count, size=14, rng=np.random.default_rng(0))  # (N + B, H, W, C)
sets = {"training pictures": training[rng.integers(len(training), size=count)], "new pictures": both[len(training) :]}
windows, table = [1, 3, 5, 7, 9, 13, 27], {}
for name, x0 in sets.items():
    noise = standard_normal(streams(2, count), x0.shape)  # (B, H, W, C)
    x = ed.forward.add_noise(x0.astype("float64"), alpha, sigma, noise)  # (B, H, W, C)
    table[name] = [float(((local(training, k)(x, alpha, sigma) - x0) ** 2).mean()) for k in windows]
    print(f"{name:17}: " + ", ".join(f"{k}: {e:.4f}" for k, e in zip(windows, table[name], strict=True)))
figure = plot.empty_figure(6, 3.5)
axis = figure.subplots()
for name, values in table.items():
    axis.plot(windows, values, "o-", label=name)
axis.set(xlabel="window (27 covers the picture)", ylabel="mean squared error", title=f"sigma = {sigma:.2f}")
axis.legend(frameon=False)
plot.present(figure, "07_looking_through_a_window_3")

# %% [markdown]
# ## A score that is the score of nothing
#
# The ideal score is a gradient, of $\log p$. So its Jacobian is symmetric: how pixel $i$ of the score changes with
# pixel $j$ of `x` is how $j$ changes with $i$. The local score is put together from a different density at each
# pixel. Its Jacobian $J$ is not symmetric. There is no density of which it is the score, and "what does it sample
# from?" has no answer better than "what comes out". The cell measures $|J - J^T| / |J|$.


# %%
rng = np.random.default_rng(0)
images, x = rng.uniform(-1, 1, (6, 4, 4, 1)), rng.standard_normal((1, 4, 4, 1))  # (N, H, W, C), (1, H, W, C)
alpha, sigma, step = 0.8, 0.5, 1e-5
for name, denoise in (("ideal", ed.scores.ideal(images)), ("local", ed.scores.local(images, 3))):
    rows = []
    for move in step * np.eye(16).reshape(16, 1, 4, 4, 1):
        ahead, behind = (
            ed.forward.score_from_x0(x + s * move, denoise(x + s * move, alpha, sigma), alpha, sigma).ravel()
            for s in (1, -1)
        )
        rows.append((ahead - behind) / (2 * step))
    jacobian = np.stack(rows)  # (16, 16)
    asymmetry = np.linalg.norm(jacobian - jacobian.T) / np.linalg.norm(jacobian)
    print(f"{name}: |J - J^T| / |J| = {asymmetry:.1e}")

# %% [markdown]
# ## Windows that the data choose
#
# Why a square? A pixel should look at those that help to guess it, and the covariance tells which these are:
# `Masked` (Lukoianov et al. 2025; the engine's alone) lets a pixel look at those that matter to it in the *linear*
# denoiser. At high noise that is, for these hands, a quarter of the picture, at low noise a few neighbors. Trained
# networks do the same: the window that they really use shrinks on the way down. Shown in white is what one pixel of a
# hand looks at.


# %%
images = shapes.hands(100 if FAST else 400, size=14, rng=np.random.default_rng(0))  # (N, H, W, C)
masked, times = ed.denoisers.Masked(images, tau=0.02), (0.95, 0.7, 0.4, 0.1)
masks = np.stack([masked.mask(*ed.schedule.cosine()(t)) for t in times])  # (T, H * W, H * W)
counts = masks.sum(axis=1).mean(axis=1)  # (T,)
print("a pixel looks at: " + ", ".join(f"{n:.0f} pixels at t = {t}" for n, t in zip(counts, times, strict=True)))
looks = 2 * masks[:, :, 4 * 14 + 5].reshape(len(times), 14, 14, 1) - 1  # (T, H, W, 1)
plot.present(plot.rows({"": looks}, {"": [f"t = {t}" for t in times]}), "07_looking_through_a_window_4")

# %% [markdown]
# ## Questions
#
# 1. How many pictures can a local score draw at most, if it draws every pixel from one of N training pictures? Why are
#    there far fewer?
# 2. The local score compares windows *at the same place*. All training pictures are moved by one pixel to the right.
#    What does it draw?
# 3. The error on new pictures has a minimum at a medium window. Where does it move if you have ten times as many
#    training pictures?
# 4. Does the local score need to know where the border is?
#
# <details><summary>Answers</summary>
#
# 1. $N^{H W}$. But neighboring windows overlap, and their owners must agree on what they share, so only mosaics
#    without visible seams survive.
# 2. The same pictures, moved by one pixel, from noise that is moved by one pixel (up to what happens at the border): it
#    knows places from the data, and only from there.
# 3. To larger windows: with more pictures, larger pieces of the new one are found in the set. With all pictures in the
#    world the ideal denoiser would be best.
# 4. No. Windows at the same place stick out alike, so the part outside adds the same to all logits, and cancels. That
#    changes in the next lesson.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Kamb & Ganguli 2024](https://arxiv.org/abs/2412.20292), eq. 7-8: the local score.
# - [Lukoianov et al. 2025](https://arxiv.org/abs/2509.09672): windows that the covariance of the data chooses.


# %%
def explore():
    """One noisy digit and the local answer, with sliders for the time and for the window."""
    new = shapes.strokes(len(training) + 1, size=14, rng=np.random.default_rng(0))[-1:]  # (1, H, W, C)
    noise = standard_normal(streams(0, 1), new.shape)  # (1, H, W, C)

    def draw(axis, t, radius):
        x = ed.forward.add_noise(new, *schedule(t), noise)  # (1, H, W, C)
        answer = local(training, 2 * round(radius) + 1)(x, *schedule(t))  # (1, H, W, C)
        plot.show(axis, np.concatenate([new, x, answer], axis=2)[0])
        axis.set_title(f"a new picture, the same with noise, the answer through {2 * round(radius) + 1} pixels")

    plot.explore(draw, t=(0.02, 0.98, 0.3), radius=(0, 6, 2))


# %%
explore()
