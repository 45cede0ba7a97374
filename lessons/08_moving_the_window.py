# %% [markdown]
# # 8. Moving the window: ELS, padding and mosaics
#
# A convolution does not only look through a window, it does *the same thing* at every place. So a network cannot have
# learned "what is usual here"; it can only have learned "what is usual anywhere". The best denoiser with both
# restrictions is the **equivariant local score**, ELS (Kamb & Ganguli 2024, eq. 9-10). It predicts what small
# convolutional networks draw, picture by picture.
#
# To write it yourself: assignment 7, `lessons/assignments/a7_els`.

# %%
import itertools
import math
import os
import sys

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.data import shapes
from edudiff.support.random import standard_normal, streams

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# ## One function for all places
#
# Call the function $f$: the answer at $u$ is $\hat x_0(u) = f(x_{\Omega_u})$, the *same* $f$ for every $u$. Training
# minimizes the error summed over all places,
#
# $$\sum_u E\,\big|x_0(u) - f(x_{\Omega_u})\big|^2 .$$
#
# That is the error for a place picked at random. So we may as well say: somebody picked a training picture *and a
# place* $v$, cut out the window there, and added noise. Which window was it? Bayes again, now over all windows of all
# pictures:
#
# $$f(\phi) = \sum_{n, v} x_n(v)\,\operatorname{softmax}_{n, v}
#   \Big(-\frac{|\phi - \alpha\, x_{n,\Omega_v}|^2}{2\sigma^2}\Big).$$
#
# This is `edudiff.scores.els(images, window, padding)`. On a torus (`padding="circular"`), where windows wrap around,
# the formula is all. Three checks: moving `x` moves the answer; ELS on the training set equals the *local* score of
# lesson 7 on the training set moved to all places; and with a window as large as the picture it equals
# `scores.equivariant`, the ideal score of the training set moved to all places. The last line compares the page with
# the engine, `denoisers.Patch`: the same answer.
#
# **Step through this.** Put a breakpoint in `els` (in `edudiff/scores.py`) and step into the `denoise` that it returns.
# Look at `down`, `right` and `centers.shape` in the loop over pixels. On a torus, with how many windows is each pixel
# compared? Call `ed.scores.els(images, 3)(x, 0.7, 0.6)` with the same images, on zero padding: with how many is an
# inner pixel, one at an edge, one in a corner?
#
# **Change this and see it fail.** In `windows` (in `edudiff/scores.py`), change `else "wrap"` to `else "constant"`, and
# run the cell again: the torus gets a border of zeros. None of the four lines agrees any longer. Why not even the
# first, though the function is the same at every place? Then change it back.


# %%
rng = np.random.default_rng(0)
images, x = rng.uniform(-1, 1, (3, 5, 5, 1)), rng.standard_normal((2, 5, 5, 1))  # (N, H, W, C), (B, H, W, C)
alpha, sigma = 0.7, 0.6
els = ed.scores.els(images, 3, "circular")
answer = els(x, alpha, sigma)  # (B, H, W, C)
moved = els(np.roll(x, (1, 2), axis=(1, 2)), alpha, sigma)  # (B, H, W, C)
orbit = np.concatenate([np.roll(images, s, axis=(1, 2)) for s in itertools.product(range(5), repeat=2)])
local = ed.scores.local(orbit, 3, "circular")(x, alpha, sigma)  # (B, H, W, C)
whole, equivariant = ed.scores.els(images, 5, "circular"), ed.scores.equivariant(images)
checks = {
    "move, then denoise; denoise, then move": np.roll(answer, (1, 2), axis=(1, 2)) - moved,
    "ELS; local score of the moved pictures": answer - local,
    "window 5 of 5; equivariant score": whole(x, alpha, sigma) - equivariant(x, alpha, sigma),
    "scores.els, the page; denoisers.Patch, the engine": answer
    - ed.denoisers.Patch(images, 3, padding="circular")(x, alpha, sigma),
}
for name, difference in checks.items():
    print(f"{name:50} differ by {np.abs(difference).max():.1e}")

# %% [markdown]
# ## Black or white: two training pictures, and how many drawn?
#
# The smallest example has two training pictures: all black (-1) and all white (1). All windows of a picture are alike,
# so ELS compares the window with "all black" and "all white", and as in lesson 4 the answer is
# $\tanh(\alpha\,S_u / \sigma^2)$, with $S_u$ the sum of the window. The ideal denoiser draws black or white. What does
# ELS draw? As $\sigma \to 0$, tanh becomes the sign: each pixel follows the majority in its window. So the drawn
# pictures are those in which **each pixel already agrees with the majority of its window**.
#
# The cell draws some, and counts pixels that disagree. There are always a few left: the walk has to go to
# *tiny* noise before the last of them has made up its mind, and each flip can cause the next. More steps do not help,
# smaller noise does.


# %%
def window_sum(x):
    """The sum of the 3 x 3 window of each pixel on a torus: (B, H, W, C)."""
    return sum(np.roll(x, (i, j), axis=(1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1))


# %%
images = np.ones((2, 12, 12, 1)) * np.array([-1, 1]).reshape(2, 1, 1, 1)  # (N, H, W, C)
els, count = ed.scores.els(images, 3, "circular"), 10 if FAST else 40
x = standard_normal(streams(0, count), (count, 12, 12, 1))  # (B, H, W, C)
formula = np.tanh(0.6 * window_sum(x) / 0.8**2)  # (B, H, W, C)
print(f"ELS and tanh(alpha * window sum / sigma^2) differ by {np.abs(els(x, 0.6, 0.8) - formula).max():.1e}")
for smallest in (1e-1, 1e-3, 1e-6):
    schedule = ed.schedule.log_linear(smallest, 20.0)
    start = ed.reverse.start(schedule, x.shape, streams(0, count))  # (B, H, W, C)
    drawn = ed.reverse.sample(els, schedule, start, schedule.times(60 if FAST else 100))  # (B, H, W, C)
    against = float((np.sign(drawn) != np.sign(window_sum(np.sign(drawn)))).mean())
    print(f"walk down to sigma = {smallest:.0e}: {against:.2%} of the pixels are against their majority")
different = len(np.unique(np.sign(drawn).reshape(count, -1), axis=0))
print(f"two training pictures, {different} different pictures in {count} draws")
plot.present(plot.rows({"drawn": drawn}), "08_moving_the_window_1")

# %% [markdown]
# ## How many pictures? Exponentially many
#
# On a ring of n pixels with windows of three we can count. Each pixel must agree with the majority of itself and its
# two neighbors, so no pixel may differ from both. The runs of equal color have length 2 or more. Their number is
# $L_n + 2\cos(n\pi/3)$ with the Lucas numbers 1, 3, 4, 7, 11, 18, ...: it grows like $1.618^n$. From two training
# pictures. That is a number for "creativity": exponential in the size of the picture, because every piece decides for
# itself.


# %%
for n in range(3, 10 if FAST else 15):
    rings = np.array(list(itertools.product((-1, 1), repeat=n)))  # (2**n, n)
    majority = np.sign(rings + np.roll(rings, 1, axis=1) + np.roll(rings, -1, axis=1))  # (2**n, n)
    counted = int((rings == majority).all(axis=1).sum())
    lucas = round(((1 + math.sqrt(5)) / 2) ** n + ((1 - math.sqrt(5)) / 2) ** n)
    formula = lucas + round(2 * math.cos(n * math.pi / 3))
    print(f"{n:2} pixels: {counted:4} of {2**n:5} colorings, formula {formula:4}")

# %% [markdown]
# ## The border
#
# A picture is no torus. A network that pads with zeros sees, near the border, windows that are partly nothing, and it
# can tell: in a noisy picture, exact zeros are no accident. So with zero padding the network *does* know where it is,
# near the border. The candidates for a window that sticks out by two rows at the top are the training windows that
# stick out in just the same way: those along the same edge. In a corner, only that corner. In the middle, all that do
# not stick out (Kamb & Ganguli 2024, appendix B.2). On the page the rule is one line, `scores.alike`, for rows and for
# columns: pixel `i` is compared with all inner places if its window does not stick out, and with `i` alone if it does.
#
# **Step through this.** Put a breakpoint in `alike` (in `edudiff/scores.py`), run the next cell in the debugger, and
# look at what it returns for i = 0, 1 and 7 with each `radius`. At which `i` does it change?
#
# The picture shows how many places are candidates for each pixel of a 14 x 14 picture, for three window sizes. For the
# large window hardly anything moves any more: the larger the window, the more of the picture knows its place.


# %%
size = 14
figure = plot.empty_figure(9, 3)
for axis, window in zip(figure.subplots(1, 3), (3, 7, 13), strict=True):
    lines = [len(range(size)[ed.scores.alike(i, size, window // 2)]) for i in range(size)]  # of rows, or columns
    places = np.outer(lines, lines)  # (H, W)
    image = axis.imshow(places, cmap="viridis", norm="log")
    figure.colorbar(image, ax=axis, shrink=0.8)
    axis.set(title=f"window {window}: 1 to {places.max()} places", xticks=[], yticks=[])
plot.present(figure, "08_moving_the_window_2")

# %% [markdown]
# ## Mosaics
#
# Now digits. The same noise, drawn by ELS on a torus, by ELS with zero padding, by the local score and by the ideal
# one. On the torus nothing says where a digit begins, and strokes wander about. The border anchors them: along it,
# windows come from the border of training digits, which is empty, and the rest has to fit.
#
# A real network uses a large window when there is much noise and a small one at the end. So `window` may also be a
# function from the noise level to the window; lesson 11 measures it on a network. Here is a plain guess.
#
# On the torus every pixel is compared with 39,200 windows, for which the page would take minutes. There the engine,
# `denoisers.Patch`, stands in for `scores.els`; it gives the same answer.


# %%
def shrinking_window(alpha, sigma):
    """A window for each noise level: wide at first, for the layout, narrow at the end, for the details."""
    ratio = sigma / max(alpha, 1e-9)
    return 9 if ratio > 1 else 5 if ratio > 0.3 else 3


# %%
images = shapes.strokes(40 if FAST else 200, size=12 if FAST else 14, rng=np.random.default_rng(0))  # (N, H, W, C)
schedule, count = ed.schedule.cosine(), 3 if FAST else 8
x = ed.reverse.start(schedule, (count, *images.shape[1:]), streams(1, count))  # (B, H, W, C)
denoisers = {
    "ELS, circular": ed.denoisers.Patch(images, shrinking_window, padding="circular"),
    "ELS, zero": ed.scores.els(images, shrinking_window),
    "local": ed.scores.local(images, shrinking_window),
    "ideal": ed.scores.ideal(images),
}
drawn, seconds = ed.compare.draw(denoisers, schedule, x, schedule.times(10 if FAST else 20))
for name, batch in drawn.items():
    _, distance = ed.compare.metrics.nearest(batch, images.astype("float64"))
    print(f"{name:13} {seconds[name]:5.1f} s, median distance to the training set {np.median(distance):.3f}")
plot.present(
    plot.rows({"training": images[:count], **drawn}, title="below the first row, each column is the same noise"),
    "08_moving_the_window_3",
)

# %% [markdown]
# ## The law of the drawn pictures: locally consistent points
#
# What is a drawn picture, exactly? Theorem 4.1 of Kamb & Ganguli: if the walk comes to rest as $\sigma \to 0$, then
# each pixel equals the *center of the training window that is nearest to its own window*. The reason is short. The
# slope of the flow is $(y - \hat x_0)/s$; if it stays finite while $s \to 0$, then $\hat x_0 \to y$: the picture is
# its own denoised version. And at $s \to 0$ the softmax is the nearest window.
#
# So measure how far a drawn picture is from its own denoised version, at ever smaller final noise.


# %%
images = shapes.strokes(8 if FAST else 20, size=10, rng=np.random.default_rng(0)).astype("float64")  # (N, H, W, C)
els = ed.scores.els(images, 3)
for smallest in (0.3, 0.1, 0.01, 0.001):
    schedule = ed.schedule.log_linear(smallest, 20.0)
    x = ed.reverse.start(schedule, (4, 10, 10, 1), streams(0, 4))  # (B, H, W, C)
    drawn = ed.reverse.sample(els, schedule, x, schedule.times(30 if FAST else 100))  # (B, H, W, C)
    apart = np.abs(drawn - els(drawn, 1.0, smallest)).mean()
    print(f"walk down to sigma = {smallest:5}: mean |x - denoise(x)| = {apart:.5f}")

# %% [markdown]
# ## Questions
#
# 1. With window 1, do "zero" and "circular" padding differ? Does the ELS of window 1 know anything of strokes?
# 2. `scores.equivariant`, or ELS on a torus with a window as large as the picture, is not local. What does it draw?
# 3. Zero padding, window 7, picture 14 x 14. Which pixels have a single candidate place, and is ELS the same as the
#    local score there?
# 4. Why can't the all-black/all-white example be drawn with wrong *gray* values?
# 5. The published code lets the query wrap around on the torus, but takes only training windows that do not wrap. What
#    is lost?
#
# <details><summary>Answers</summary>
#
# 1. A window of one pixel never sticks out, so no. It knows which gray values occur, and nothing else.
# 2. Training pictures, each moved as a whole: the ideal denoiser of the training set in all positions.
# 3. Those within 3 pixels of two borders: the four corner blocks of 3 x 3. There, with one place left, the two are the
#    same formula.
# 4. At the end each pixel is the center of a training window, and these are -1 or 1.
# 5. The windows across the seam are never answered, so the candidates are not the whole orbit; with a covering window
#    it is no longer the ideal denoiser of the moved pictures.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Kamb & Ganguli 2024](https://arxiv.org/abs/2412.20292), eq. 9-10, derived there as eq. 39-40: ELS; eq. 5-6: the
#   equivariant score; appendix B.2, eq. 41: zero padding; figure 3: black and white; theorem 4.1: locally consistent
#   points. The count of the rings is ours.
