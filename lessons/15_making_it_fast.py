# %% [markdown]
# # 15. Making it fast
#
# ELS compares every window of a noisy picture with every window of every training picture. For 1,000 pictures of 28 x
# 28 and a window of 9 that is $1000 \cdot 784^2 \cdot 81 = 5 \cdot 10^{10}$ multiplications, for one noisy picture
# and one noise level. This lesson brings it down in three ways: do less (an algorithm), do it in the right order
# (memory), do it compiled (Numba). And it shows the price of doing it carelessly: a wrong answer at small noise.

# %%
import math
import os
import sys
import time

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.bench import measure
from edudiff.data import shapes
from edudiff.support.backends import has_numba

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small
KERNELS = has_numba()
NUMBA = KERNELS or bool(os.environ.get("NUMBA_DISABLE_JIT"))  # then its functions are Python, to be stepped through

# %% [markdown]
# ## Measure first
#
# A single time means little: the machine does other things, the first call compiles and fills caches. So let the ways
# to do the same work *take turns*, leave out the first round, and report the median and the *ratio*.
# `edudiff.bench.measure.interleaved` does that.
#
# ## Do less: one difference, many windows
#
# Fix a displacement $s$ between a query pixel $u$ and a training pixel $u + s$. The squared distance of their windows
# is the sum of $|x(u') - \alpha x_n(u' + s)|^2$ over the window around $u$. Two neighbors $u$ have nearly the same
# window! So make the picture of squared differences once, and then take **box sums** of it for all pixels together.
# Here are three ways to take sums over k neighbors:
#
# - add up k shifted copies: k additions;
# - by halves: a sum of 8 is two sums of 4, and so on: $\log_2 k$ additions;
# - running: add what comes in, subtract what goes out: 2 additions. On paper this is the least. But each sum needs the
#   one before it, which leaves a processor's vector units idle (NumPy's `cumsum` uses none). And a subtraction of large
#   numbers leaves their rounding error behind; a softmax at small noise divides it by $\sigma^2$ and takes `exp` of it.
#
# **Step through this.** Put a breakpoint in `by_halves`, below, call it with `k` = 13, and follow how it calls itself.
# How many additions are made? The package does the same along rows and columns in `box_sums` (in
# `edudiff/denoisers/windows.py`).
#
# **Change this and see it fail.** In `by_halves`, below, change `total + a[:, k - 1 : k - 1 + count] if k % 2 else
# total` to `total`, and run both cells again: it forgets the entry that is left over when k is odd. Which numbers
# change, and would you have noticed from the times? Then change it back.


# %%
def shifted_copies(a, k):
    """Sums of k neighbors along axis 1, by k - 1 additions."""
    count = a.shape[1] - k + 1
    total = a[:, :count].copy()
    for i in range(1, k):
        total += a[:, i : i + count]
    return total


def by_halves(a, k):
    """Sums of k neighbors along axis 1: one of k // 2 beside another, and one entry more if k is odd."""
    if k == 1:
        return a
    count, sums = a.shape[1] - k + 1, by_halves(a, k // 2)
    total = sums[:, :count] + sums[:, k // 2 : k // 2 + count]
    return total + a[:, k - 1 : k - 1 + count] if k % 2 else total


def running(a, k):
    """Sums of k neighbors along axis 1, as differences of one running sum."""
    sums = np.pad(np.cumsum(a, axis=1), ((0, 0), (1, 0)) + ((0, 0),) * (a.ndim - 2))
    return sums[:, k:] - sums[:, :-k]


# %%
rng = np.random.default_rng(0)
a = rng.random((16, 64, 64 if FAST else 512)).astype(np.float32)  # (rows, columns, pictures)
a[:, :8] *= 1e4  # a few large values before small ones
ways = {"shifted copies": shifted_copies, "by halves": by_halves, "running": running}
sizes, seconds = (3, 7, 13, 25), {name: [] for name in ways}
for k in sizes:
    found = measure.interleaved({n: lambda way=way, k=k: way(a, k) for n, way in ways.items()}, 3 if FAST else 9)
    for name, value in found.items():
        seconds[name].append(1e3 * value)
exact = shifted_copies(a.astype(np.float64), 13)[:, 20:]  # sums in which no large value takes part
figure = plot.empty_figure(6, 3.5)
axis = figure.subplots()
for name, way in ways.items():
    error = float(np.abs(way(a, 13)[:, 20:] - exact).max())
    print(f"{name:15}" + " ".join(f"{v:7.2f} ms" for v in seconds[name]) + f"   error in float32 {error:.0e}")
    axis.plot(sizes, seconds[name], "o-", label=name)
axis.set(xlabel="window size", ylabel="milliseconds", ylim=(0, None))
axis.legend(frameon=False)
plot.present(figure, "15_making_it_fast_1")

# %% [markdown]
# ## Do it carefully: the square that cancels
#
# A well-known trick writes $|x - y|^2 = |x|^2 - 2 x \cdot y + |y|^2$, so that all distances of many pictures become one
# matrix product. The three terms are large, the result may be small, and the digits of the large ones are all that
# float32 has. The rounding error is then divided by $2\sigma^2$. At $\sigma = 0.01$ that is a factor of 5,000, in an
# exponent.
#
# The cell computes the logits of a noisy training picture both ways and prints the largest error. An error of 1 in
# a logit is a factor of 2.7 in a weight. `Ideal` therefore bounds this error, and where it could be seen, computes the
# few leading distances again, from differences.


# %%
images = shapes.strokes(50 if FAST else 400, size=16, rng=np.random.default_rng(0)).reshape(-1, 256)  # (N, D)
rng = np.random.default_rng(1)
for sigma in (1.0, 0.1, 0.01, 0.001):
    x = (images[:1] + sigma * rng.standard_normal((1, 256))).astype(np.float32)  # (1, D)
    exact = -((x.astype(np.float64) - images.astype(np.float64)) ** 2).sum(axis=1) / (2 * sigma**2)  # (N,)
    direct = -((x - images) ** 2).sum(axis=1) / (2 * sigma**2)  # (N,)
    squares = (x**2).sum(axis=1) - 2 * x @ images.T + (images**2).sum(axis=1)  # (1, N)
    near = exact > exact.max() - 50  # the others have no weight
    expanded = -squares[0] / (2 * sigma**2)  # (N,)
    worst = [np.abs(logits - exact)[near].max() for logits in (expanded, direct)]
    print(f"sigma {sigma:5}: error of a logit, expanded {worst[0]:.1e}, direct {worst[1]:.1e}")

# %% [markdown]
# ## Do not compute what is zero
#
# `exp` costs as much as a dozen additions. But a weight that lies 30 below the largest logit is $10^{-13}$ of it. How
# many are there? At high noise all matter. At low noise one in hundreds does, so a test before the `exp` saves nearly
# all of them.


# %%
images = shapes.strokes(20 if FAST else 100, size=14, rng=np.random.default_rng(0)).astype(np.float64)  # (N, H, W, C)
windows = np.lib.stride_tricks.sliding_window_view(images[..., 0], (5, 5), axis=(1, 2))  # (N, 10, 10, 5, 5)
windows = windows.reshape(-1, 25)  # (N * 100, 25)
rng = np.random.default_rng(1)
some = windows[rng.integers(len(windows), size=50)]  # (B, 25)
for t in (0.95, 0.6, 0.3, 0.05):
    alpha, sigma = ed.schedule.cosine()(t)
    x = alpha * some + sigma * rng.standard_normal(some.shape)  # (B, 25)
    squares = (x**2).sum(1)[:, None] - 2 * alpha * x @ windows.T + alpha**2 * (windows**2).sum(1)  # (B, N * 100)
    logits = -squares / (2 * sigma**2)  # (B, N * 100)
    share = (logits > logits.max(axis=1, keepdims=True) - 30).mean()
    print(f"t = {t:4}: {share:7.2%} of the windows have a weight that matters")

# %% [markdown]
# ## Compile it
#
# NumPy runs each operation over the whole array and writes the result to memory, to read it again for the next one. A
# compiled loop keeps the value in a register and does all that is to be done with it. Numba compiles a Python function
# the first time that it is called. Write the plainest loop there is; do not be clever.
#
# The kernel below takes, for one displacement, squared differences and 3 x 3 sums in one go. It is compared with its
# NumPy definition: that is the rule of `edudiff.fast`. Each kernel has a definition that it must equal, and a test that
# holds the two together.
#
# **Step through this.** A compiled function has no lines to stop at. Set `NUMBA_DISABLE_JIT=1` in the environment, and
# put a breakpoint in `loop`: the same code, as Python.


# %%
def definition(x, y, alpha):
    """Window sums (3 x 3) of |x - alpha y|^2: pictures (H, W) and (N, H, W) to (N, H - 2, W - 2)."""
    squares = (x - alpha * y) ** 2  # (N, H, W)
    rows = squares[:, :-2] + squares[:, 1:-1] + squares[:, 2:]  # (N, H - 2, W)
    return rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]


def loop(x, y, alpha):
    """The same, as plain loops."""
    count, height, width = y.shape
    out = np.zeros((count, height - 2, width - 2), y.dtype)
    for n in range(count):
        for i in range(height - 2):
            for j in range(width - 2):
                total = 0.0
                for p in range(3):
                    for q in range(3):
                        difference = x[i + p, j + q] - alpha * y[n, i + p, j + q]
                        total += difference * difference
                out[n, i, j] = total
    return out


# %%
rng = np.random.default_rng(0)
x, y = rng.standard_normal((28, 28)), rng.standard_normal((50 if FAST else 1000, 28, 28))  # (H, W), (N, H, W)
begun = time.perf_counter()
slow = loop(x, y[:2], 0.7)  # (2, H - 2, W - 2)
seconds = (time.perf_counter() - begun) / 2
print(f"Python loop: {1e6 * seconds:9.0f} microseconds a training picture")
print(f"loop and definition differ by {np.abs(slow - definition(x, y[:2], 0.7)).max():.1e}")
ways = {"NumPy": lambda: definition(x, y, 0.7)}
if NUMBA:
    import numba

    compiled = numba.njit(loop)
    ways["compiled"] = lambda: compiled(x, y, 0.7)
else:
    print("Numba is not installed: pip install 'edudiff[fast]' to see the compiled loop")
found = measure.interleaved(ways, 3 if FAST else 9)
for name, value in found.items():
    apart = np.abs(ways[name]() - definition(x, y, 0.7)).max()
    times = found["NumPy"] / value
    print(
        f"{name:11}: {1e6 * value / len(y):9.1f} microseconds, {times:.1f} times as fast as NumPy; off by {apart:.1e}"
    )

# %% [markdown]
# ## The formula, compiled as it stands
#
# Do the same with the whole of ELS. Read `edudiff/fast/plain.py` first: compiled functions, with a loop for each sum of
# the formula and the running softmax of lesson 4. It is the formula and nothing else: no box sums, no vectors, one
# core.
#
# The cell times it beside the page, `scores.els`, which makes the same comparisons in arrays. Compiled as they are,
# the loops are no faster than the arrays: they take one pair of numbers at a time, while NumPy's operations work on
# whole vectors of numbers that lie side by side.
#
# Then read what the kernels add that are really used, `edudiff/fast/patch.py` and `edudiff/fast/pruned.py`: the box
# sums, so that no square is added up twice; many training pictures side by side in the last axis, so that each
# instruction works on a whole vector of them; all cores; and no `exp` of what has no weight. Each of these takes the
# loops a step further away from the formula. That is the price, and why every kernel has a definition that it must
# equal.
#
# **Step through this.** Set `NUMBA_DISABLE_JIT=1` in the environment, put a breakpoint in `average` (in
# `edudiff/fast/plain.py`), in the line that computes `fade`, and run the next cell with `FAST = True`. How often is a
# new `top` found for one pixel, and why so rarely?


# %%
images = shapes.strokes(5 if FAST else 50, size=14, rng=np.random.default_rng(0)).astype("float64")  # (N, H, W, C)
x = np.random.default_rng(1).standard_normal((1, 14, 14, 1))  # (B, H, W, C)
page, patch = ed.scores.els(images, 5), ed.denoisers.Patch(images, 5)
calls = {"page, arrays": lambda: page(x, 0.7, 0.7)}
if NUMBA:
    from edudiff.fast import plain

    calls["plain loops, compiled"] = lambda: plain.els(x, images, 0.7, 0.7, 5)
    calls["the kernels that are used"] = lambda: patch(x, 0.7, 0.7)
found = measure.interleaved(calls, 1 if FAST else 5)
for name, value in found.items():
    print(f"{name:25}: {1e3 * value:7.1f} ms")
apart = float(np.ptp(np.stack([call() for call in calls.values()]), axis=0).max())
print(f"their answers differ by {apart:.1e}")

# %% [markdown]
# ## All of it together
#
# `Patch(..., backend="numpy")` is the algorithm in arrays; `backend="numba"` the same with compiled kernels, on all
# cores. The answers are equal to rounding, and that is tested. The figure shows seconds for one call over the size of
# the window: with box sums, 13 x 13 pixels, 19 times as many as 3 x 3, take a few times as long, and not 19 times.
# (With zero padding, large windows have fewer displacements, so they are even cheaper.)


# %%
images = shapes.strokes(16 if FAST else 100, size=14, rng=np.random.default_rng(0))  # (N, H, W, C)
x = np.random.default_rng(1).standard_normal((2, 14, 14, 1)).astype(np.float32)  # (B, H, W, C)
sizes, backends = ((3, 9) if FAST else (3, 5, 9, 13)), ["numpy", *["numba"] * KERNELS]
seconds = {name: [] for name in backends}
for size in sizes:
    calls = {b: ed.denoisers.Patch(images, size, padding="circular", backend=b) for b in backends}
    found = measure.interleaved({b: lambda p=p: p(x, 0.7, 0.7) for b, p in calls.items()}, 1 if FAST else 3)
    answers = [patch(x, 0.7, 0.7) for patch in calls.values()]
    times = ", ".join(f"{b} {1e3 * s:.0f} ms" for b, s in found.items())
    print(f"window {size:2}: {times}; the answers differ by {np.ptp(np.stack(answers), axis=0).max():.0e}")
    for backend, value in found.items():
        seconds[backend].append(value)
figure = plot.empty_figure(6, 3.5)
axis = figure.subplots()
for backend, values in seconds.items():
    axis.semilogy(sizes, values, "o-", label=backend)
pairs = len(x) * len(images) * 14**4
axis.set(xlabel="window size", ylabel="seconds", title=f"{pairs / 1e6:.0f} million pairs of windows")
axis.legend(frameon=False)
print(f"without box sums, window 13 would cost {13 * 13 / (2 * math.log2(13)):.0f} times as many additions")
plot.present(figure, "15_making_it_fast_2")

# %% [markdown]
# ## Questions
#
# 1. The box sum makes the cost nearly independent of the window. What is the cost of *all* window sizes together, as in
#    the calibration of lesson 11?
# 2. Give two reasons why the package does not use the running sum, which needs the fewest additions.
# 3. A compiled loop over `y[n, i, j]` with `n` innermost is slow if `y` is stored as (N, H, W). Why, and what does
#    `edudiff.fast` do?
# 4. Two threads add their parts of a sum in whichever order they finish. What goes wrong, and how can it be avoided?
# 5. You want a 2 times faster ELS. Which of the tricks would you try on a machine with 64 cores, and which with one?
#
# <details><summary>Answers</summary>
#
# 1. The difference pictures are shared; each further size adds only its box sums and its softmax: `Patch.sweep`.
# 2. The rounding error of large values stays in the sum for all that follow; see the last column of the first table.
#    And the fewest additions are not the least time, if they must wait for each other.
# 3. Neighbors in `n` lie H * W numbers apart, so each one fetches a cache line of its own. It lays the training
#    pictures side by side, in the last axis.
# 4. Floating-point sums depend on their order, so the same seed gives another picture in every run. Give each thread
#    fixed pieces, and add the pieces in a fixed order.
# 5. With 64 cores: share out the training pictures; (top, num, den) merges exactly. With one: skip what has no weight.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Kamb & Ganguli 2024](https://arxiv.org/abs/2412.20292), eq. 9-10: the formula that is made fast. How is ours.
