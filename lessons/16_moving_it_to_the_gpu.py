# %% [markdown]
# # 16. Moving it to the GPU
#
# Nothing in the formulas says where the numbers are. The package is written so that the arrays decide: NumPy arrays are
# computed on the host, CuPy arrays on the GPU, by the same lines. This lesson shows how that works, what it asks of the
# code, and what makes a GPU fast or slow. It runs without a GPU as well; it then says what it would do.

# %%
import os
import sys
import time

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.data import shapes
from edudiff.support.arrays import array_namespace, to_numpy
from edudiff.support.backends import has_gpu
from edudiff.support.random import standard_normal, streams

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# ## The arrays decide
#
# CuPy has the functions of NumPy under the same names. So a function asks its arguments which library they come from,
# and uses that:
#
#     xp = array_namespace(x)          # numpy, or cupy
#     weights = xp.exp(logits - logits.max(1, keepdims=True))
#
# No formula imports CuPy. A CuPy array can only exist if its owner has imported CuPy, so a look into `sys.modules` is
# enough, and whoever has no GPU pays nothing.
#
# Four rules keep such code right. Each is a mistake waiting to happen:
#
# 1. **Python numbers for coefficients.** `np.sqrt(2)` is a float64 *array scalar*; times a float32 array on the GPU it
#    may change its type, or fail. `math.sqrt(2)` is a plain number.
# 2. **No hidden copies.** `np.mean(x)` of a GPU array would copy it to the host, so CuPy refuses. Convert in one place,
#    at the plot: `to_numpy`.
# 3. **Noise comes from the host**, in float64, and is cast and moved. So the same seed is the same picture everywhere.
# 4. **Ask for few answers.** Each `float(x.max())` makes the host wait for everything before it.
#
# **Step through this.** Put a breakpoint in `array_namespace` (in `edudiff/support/arrays.py`), and look at `on_device`
# when you call `ed.denoisers.Ideal(images)(x, 0.6, 0.8)`.


# %%
library = np
if has_gpu():
    import cupy as library

    print(f"GPU: {library.cuda.runtime.getDeviceProperties(0)['name'].decode()}")
else:
    print("no GPU here: the same lines run on NumPy, and the lesson says what they would do on a GPU")

# %%
images = shapes.strokes(50, size=12, rng=np.random.default_rng(0))  # (N, H, W, C), on the host
x = standard_normal(streams(0, 3), (3, 12, 12, 1))  # (B, H, W, C), on the host
there, moved = library.asarray(images), library.asarray(x)  # the only two copies to the device
for name, make in (
    ("Ideal", ed.denoisers.Ideal),
    ("Linear", ed.denoisers.Linear.fit),
    ("Patch", lambda pictures: ed.denoisers.Patch(pictures, 5)),
):
    answer = make(there)(moved, 0.6, 0.8)  # (B, H, W, C), on the device
    difference = float(np.abs(to_numpy(answer) - make(images)(x, 0.6, 0.8)).max())
    print(f"{name:7} computed by {array_namespace(answer).__name__}, differs from the host by {difference:.1e}")

# %% [markdown]
# ## The same seed, the same picture
#
# Draw a picture in float64 and in float32 from the same seed, on the device. The noise is the same, drawn once and
# cast; so what differs is rounding, and the ideal denoiser's walk is stable enough to end at the same training
# picture. With random numbers made *on* the GPU it would be another picture altogether.
#
# **Change this and see it fail.** In the cell below, change `streams(7, 4)` to `streams(len(drawn), 4)`: each dtype
# gets a seed of its own, as each device would if it drew for itself. Run it again. Then change it back.


# %%
images = shapes.hands(60, size=14, rng=np.random.default_rng(0))  # (N, H, W, C)
schedule, drawn = ed.schedule.cosine(), []
for dtype in (np.float64, np.float32):
    there = library.asarray(images.astype(dtype))
    x = ed.reverse.start(schedule, (4, *images.shape[1:]), streams(7, 4), like=there)  # (B, H, W, C)
    drawn.append(to_numpy(ed.reverse.sample(ed.denoisers.Ideal(there), schedule, x, schedule.times(20))))
difference = float(np.abs(drawn[0] - drawn[1]).max())
print(f"float64 and float32 pictures of one seed differ by {difference:.1e}")

# %% [markdown]
# ## Counting before running
#
# Will a job be fast on a GPU? Two numbers of the job decide: how many operations it needs, and how many bytes it has to
# move. Their ratio, operations per byte, is compared with that of the machine. A GPU with 60 teraflops in float32 and 3
# terabytes a second can do 20 operations in the time that it takes to move one byte, 80 for each float32 number. A step
# with fewer waits for its memory.
#
# - **Adding noise**: 3 operations for each number read and written. It waits for memory, always.
# - **The ideal denoiser as matrix products**, of the batch with the training set and of the weights with it: $4 B N D$
#   operations, about $8 (BD + ND + BN)$ bytes. For one noisy picture that is half an operation a byte: all training
#   pictures are read for two operations each. For a batch of 512 it is three hundred times better, because every
#   training picture that was read serves all. *Batch, or do not bother.*
# - **ELS with box sums**: some ten operations for each pair of pixels. In NumPy's manner every operation writes an
#   array to memory and the next reads it back. A fused kernel keeps them in registers.
#
# The cell computes these numbers, and the least time on such a machine.


# %%
operations, bandwidth = 60e12, 3e12  # a second, of the machine; bytes a second, to and from its memory
count, size = 60_000, 28 * 28
jobs = {"adding noise, 512 pictures": (3 * 512 * size, 3 * 4 * 512 * size)}
for batch in (1, 512):
    work, moved = 4 * batch * count * size, 8 * (batch * size + count * size + batch * count)
    jobs[f"ideal, {count} pictures, batch {batch}"] = (work, moved)
pairs = 16 * 1000 * size**2
jobs["ELS, 1000 pictures, batch 16, arrays"] = (10 * pairs, 10 * 8 * pairs)
jobs["ELS, 1000 pictures, batch 16, fused"] = (10 * pairs, 4 * (1000 + 16) * size)
print(f"{'':38} operations     bytes   ratio   least time   waits for")
for name, (work, moved) in jobs.items():
    seconds = max(work / operations, moved / bandwidth)
    waits = "memory" if moved / bandwidth > work / operations else "arithmetic"
    print(f"{name:38} {work:10.1e}  {moved:8.1e} {work / moved:7.1f} {1e3 * seconds:9.3f} ms   {waits}")

# %% [markdown]
# ## Timing without fooling yourself
#
# A GPU works behind your back: a call returns as soon as the work is *queued*. A clock around it measures the queueing.
# So wait for the device before you read the clock: `cupy.cuda.Device().synchronize()`. On the host there is nothing to
# wait for. The first call is slow (kernels are compiled or loaded), so it does not count.
#
# The figure shows pictures per second over the batch size for the ideal denoiser. On a GPU the curve rises with the
# batch for long, as the counting says; on the host it levels off soon.


# %%
def timed(xp, call, rounds):
    """The median seconds of `call()`, waiting for the device each time."""
    wait = xp.cuda.Device().synchronize if xp is not np else lambda: None
    found = []
    for _ in range(rounds + 1):
        wait()
        begun = time.perf_counter()
        call()
        wait()
        found.append(time.perf_counter() - begun)
    return float(np.median(found[1:]))


# %%
images = library.asarray(shapes.strokes(200 if FAST else 4000, size=16, rng=np.random.default_rng(0)))  # (N, H, W, C)
ideal, sizes, rates = ed.denoisers.Ideal(images), (1, 4, 16, 64) if FAST else (1, 4, 16, 64, 256), []
for size in sizes:
    x = library.asarray(np.random.default_rng(1).standard_normal((size, 16, 16, 1)).astype(np.float32))  # (B, H, W, C)
    rates.append(size / timed(library, lambda x=x: ideal(x, 0.6, 0.8), 2 if FAST else 5))
    print(f"batch {size:3}: {rates[-1]:10.0f} pictures a second")
figure = plot.empty_figure(6, 3.5)
axis = figure.subplots()
axis.loglog(sizes, rates, "o-")
axis.set(
    xlabel="batch", ylabel="pictures a second", title=f"ideal denoiser, {len(images)} pictures, {library.__name__}"
)
plot.present(figure, "16_moving_it_to_the_gpu_1")

# %% [markdown]
# ## The network, too
#
# `net.to(like)` moves a network to where an array lives; `ed.nn.train` then trains there, with the same random numbers.
# A step of training on the device does the same arithmetic as on the host, so the losses agree to rounding.


# %%
images = shapes.strokes(20, size=12, rng=np.random.default_rng(0))  # (N, H, W, C)
for place in (np, library):
    there = place.asarray(images)
    net = ed.nn.ResNet(8, 1, rng=np.random.default_rng(1), backend=None).to(there)
    steps = 3 if FAST else 10
    *_, state = ed.nn.train(net, there, ed.schedule.cosine(), np.random.default_rng(2), steps, batch=8)
    print(f"{place.__name__:6}: losses " + " ".join(f"{v:.4f}" for v in state.losses[:5]))

# %% [markdown]
# ## Questions
#
# 1. `alpha = np.float64(0.6)`, `x` is float32. What is the dtype of `alpha * x` in NumPy 1.26, and in NumPy 2?
# 2. Why does `reverse.steps` check every answer for NaN, although this makes the host wait?
# 3. You copy the training set to the GPU in every call. Estimate the cost for 60,000 pictures of 28 x 28 at 20 GB a
#    second, and compare with the least time of the ideal denoiser above.
# 4. Your GPU has 8 GB. The array version of ELS needs differences of (batch, H, W, pictures) numbers for one
#    displacement. How does the package keep this from growing with the training set?
#
# <details><summary>Answers</summary>
#
# 1. 1.26: float32, for a 0-d value did not count. 2: float64. That is why the package turns levels into Python floats.
# 2. A NaN found at step 3 names its cause. A NaN found in the picture names nothing. One small answer a step is cheap;
#    one in every inner loop would not be.
# 3. 188 MB: about 9 ms, more than the denoiser needs for a batch of 512. Copy once, and keep it there.
# 4. It takes the training pictures in chunks, with the running softmax of lesson 4: (top, num, den) is all that is
#    kept.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Kamb & Ganguli 2024](https://arxiv.org/abs/2412.20292), eq. 3 and 9: the formulas that are counted. The counting is
#   ours.
