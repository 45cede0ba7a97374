# %% [markdown]
# # 10. Training the denoiser
#
# A network, its gradients, a training set: what is missing is the loop. This lesson writes it by hand for a network
# that has a known best answer, then trains the convolutional denoiser of `edudiff/convnet.py` with its generator,
# watches pictures appear, and asks how far from the best possible it ended.

# %%
import math
import os
import sys
import time

import numpy as np

import edudiff as ed
from edudiff import convnet, plot
from edudiff.data import shapes, toys
from edudiff.support.random import streams

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# ## The loop, by hand
#
# Pick clean data, pick noise, mix them, ask the network, and take the squared error to the clean data. Its gradient in
# the answer is $2\,(\hat x_0 - x_0)$ over the number of values. `backward` turns that into gradients of all weights,
# and each weight takes a step against its own.
#
# Take the smallest network first: one dense layer and a single noise level, $\hat x_0$ an affine function of `x`.
# Lesson 2 says that training must lead to the best function *of this kind*, and lesson 5 says what that is: the Wiener
# filter. So here is training with a known end. It does not matter that no step ever sees the answer: the noise in the
# target averages out.
#
# **Adam** is the step that everybody takes: the gradient's running mean `m`, divided by the root of the running mean
# `v` of its square. So each weight moves by about `rate` a step, whatever its scale, slower where the gradient keeps
# changing sign. Both means begin at zero, which is too little; dividing by `bias1` and `bias2` mends that. In the
# paper `beta2` is .999, a memory of about 1,000 steps; here it is .99, about 100: our trainings are short.
#
# **Step through this.** Put a breakpoint in `adam` (in `edudiff/convnet.py`), in the line that returns, and look at
# `m["w"] / bias1` and `(v["w"] / bias2) ** 0.5` in the first step and in the hundredth. What is their ratio in the
# first, exactly?
#
# **Change this and see it fail.** In the cell below, change `2 * (x0_hat - x0) / x0.size` to `2 * (x0_hat - x) /
# x0.size`: the network is asked for what it sees. Run it again. The loss could go to zero now; where does the distance
# to the Wiener filter go? Then change it back.


# %%
data, (alpha, sigma) = toys.two_moons(300, np.random.default_rng(0)), ed.schedule.cosine()(0.4)  # (N, 2)
rng, steps = np.random.default_rng(1), 400 if FAST else 1500
probe, distances = rng.standard_normal((200, 2)), []  # (200, 2)
best = ed.scores.linear(data)(probe, alpha, sigma)  # (200, 2)
params = {"w": np.zeros((2, 2)), "b": np.zeros(2)}
m = v = {name: 0 * value for name, value in params.items()}
for step in range(steps):
    x0 = data[rng.integers(len(data), size=512)]  # (B, 2)
    x = ed.forward.add_noise(x0, alpha, sigma, rng.standard_normal(x0.shape))  # (B, 2)
    x0_hat, cache = convnet.dense(x, params["w"], params["b"])  # (B, 2)
    _, dw, db = convnet.dense_backward(2 * (x0_hat - x0) / x0.size, cache)  # (2, 2), (2,)
    rate = 0.03 * min(1, (step + 1) / 20) * math.cos(math.pi / 2 * step / steps) ** 2  # up in 20 steps, down to 0
    params, m, v = convnet.adam(params, {"w": dw, "b": db}, m, v, step + 1, rate)
    difference = probe @ params["w"] + params["b"] - best  # (200, 2)
    distances.append(float(np.sqrt((difference**2).mean())))
print(f"distance to the Wiener filter: {distances[0]:.3f} after one step, {distances[-1]:.4f} after {steps}")
figure = plot.empty_figure(6, 3.5)
axis = figure.subplots()
axis.loglog(np.arange(1, steps + 1), distances)
axis.set(xlabel="training step", ylabel="distance to the Wiener filter")
plot.present(figure, "10_training_the_denoiser_1")

# %% [markdown]
# ## One network for all noise levels
#
# The real network has to work at every noise level, so each picture of a batch gets a time of its own, and the network
# is told $c_{noise} = \log(\sigma/\alpha)$. Two choices matter more than the architecture:
#
# **What the layers answer.** At low noise $\hat x_0$ is nearly $x/\alpha$, and asking the layers for it would make them
# learn the identity. At high noise it is nearly the mean, and asking for the noise, and then dividing by a tiny
# $\alpha$, would blow up every error. So the answer is mixed, $\hat x_0 = c_{skip}\,x + c_{out}\,F(c_{in}\,x,
# c_{noise})$ with $F$ the layers, and with factors such that what $F$ reads and what it should answer have unit size at
# every level (Karras et al. 2022). This is called *preconditioning*.
#
# **How the levels are weighed.** The squared error of $\hat x_0$ is large at high noise, where nobody can do much, and
# tiny at low noise. Dividing it by $c_{out}^2$ makes it the squared error of $F$, and each level counts as much as the
# layers can do about it.
#
# The table shows the factors, and the sizes of what the layers read and of what they are asked for, measured: near 1
# everywhere.
#
# **Step through this.** Put a breakpoint in `preconditioning` (in `edudiff/convnet.py`), run the next cell, and look at
# `rms`, the size of `x`. Which part of it is picture and which noise, at the first level and at the last?


# %%
images = shapes.strokes(100 if FAST else 1000, size=14, rng=np.random.default_rng(0))  # (N, H, W, C)
sigma_data, rng = math.sqrt(float((images**2).mean())), np.random.default_rng(1)
print("   t   c_skip  c_out   c_in  c_noise   what F reads, what it should answer")
for t in (0.05, 0.25, 0.5, 0.75, 0.95):
    alpha, sigma = ed.schedule.cosine()(t)
    factors = convnet.preconditioning(np.array(alpha), np.array(sigma), sigma_data)
    c_skip, c_out, c_in, c_noise = (float(c) for c in factors)
    x = ed.forward.add_noise(images, alpha, sigma, rng.standard_normal(images.shape))  # (N, H, W, C)
    both = c_in * x, (images - c_skip * x) / c_out  # (N, H, W, C) each
    read, asked = (math.sqrt(float((a**2).mean())) for a in both)
    print(f"{t:5.2f} {c_skip:7.3f} {c_out:6.3f} {c_in:6.3f} {c_noise:7.2f}   {read:.3f} {asked:.3f}")

# %% [markdown]
# ## Training, watched
#
# `edudiff.convnet.train` is a generator: each `next` is one step of gradient descent, and yields a `State` with the
# loss, the network, and its `ema`, the network whose weights are a running *average*. The average forgets slowly, over
# a thousand steps at the end and faster at the start. The last weights still jump about with the noise of the batches;
# in the average the jumps cancel. Printed is the loss of both on one batch that stays the same: after some hundred
# steps the average is ahead, until the learning rate has fallen so low that the weights stand still.
#
# The loop below draws the same noise through the averaged network at a few moments. At first little but noise
# comes out, then dim pieces of strokes, then clean ones. The training takes about a minute.
#
# **Step through this.** Put a breakpoint in `denoising_loss` (in `edudiff/convnet.py`), in the line that returns, and
# look at `(error**2).mean(axis=(1, 2, 3))` and `weight[:, 0, 0, 0]`. Which pictures of the batch have the largest
# error, and which count most?
#
# **Step through this.** Put a breakpoint in `train` (in `edudiff/convnet.py`), in the line that computes `keep`, and
# look at it in the first step and in the hundredth. What is the average of the weights after the first step?


# %%
def a_batch(images, schedule, count=64):
    """What `denoising_loss` is of: images, alpha and sigma of each, noise; always the same."""
    rng = np.random.default_rng(3)
    alpha, sigma = (level.astype("float32") for level in schedule((np.arange(count) + 0.5) / count))  # (B,) each
    x0 = images[rng.integers(len(images), size=count)]  # (B, H, W, C)
    return x0, alpha, sigma, rng.standard_normal(x0.shape).astype("float32")


# %%

images = shapes.strokes(100 if FAST else 500, size=14, rng=np.random.default_rng(0))  # (N, H, W, C)
sigma_data = math.sqrt(float((images**2).mean()))
net = convnet.init(np.random.default_rng(1), channels=8 if FAST else 32, sigma_data=sigma_data)
print(net)
schedule, steps = ed.schedule.cosine(), 40 if FAST else 2400
moments, by_step, losses = {round(steps * share) for share in (0.02, 0.06, 0.2, 0.5, 1)}, {}, []
x = ed.reverse.start(schedule, (8, *images.shape[1:]), streams(0, 8), like=images)  # (B, H, W, C)
same = a_batch(images, schedule)
begun = time.perf_counter()
for state in convnet.train(net, images, schedule, rng=np.random.default_rng(2), steps=steps):
    losses.append(state.loss)
    if state.step in moments:
        by_step[state.step] = ed.reverse.sample(state.ema, schedule, x, schedule.times(20))  # (B, H, W, C)
        last, mean = (convnet.denoising_loss(n, *same)[0] for n in (state.net, state.ema))
        seconds = time.perf_counter() - begun
        print(f"step {state.step:5}: loss {last:.3f}, of the average {mean:.3f}, {seconds:.0f} s")
trained = state.ema
shown = {f"step {step}": batch for step, batch in by_step.items()}
plot.present(plot.rows(shown, title="each column is the same noise"), "10_training_the_denoiser_2")
plot.present(plot.losses(losses), "10_training_the_denoiser_3")

# %% [markdown]
# ## How good could it be?
#
# The loss does not go to zero, and should not: nobody can know what the noise has hidden. So what is a good loss? The
# closed forms tell. The network sees windows of nine pixels and does the same thing everywhere, so at no noise level
# can its error on the training set fall below that of ELS with window 9. The ideal denoiser is the floor for
# everybody.
#
# Read the table from left to right. At high noise the network is close to ELS, and even the *linear* denoiser beats
# both: it sees the whole picture and knows every place, and that is what counts there. At low noise the network beats
# the linear one and stays far above ELS: there the formula knows every training window by heart, and a network with
# some 36,000 weights, trained for a minute, does not. Longer training and more channels close the gap from above.


# %%
count, rng = 8 if FAST else 32, np.random.default_rng(5)
x0 = images[rng.integers(len(images), size=count)].astype("float64")  # (B, H, W, C)
noise = rng.standard_normal(x0.shape)  # (B, H, W, C)
window = 1 + 2 * (trained.depth + 2)
denoisers = {
    "linear": ed.scores.linear(images),
    "network": trained,
    f"ELS {window}": ed.scores.els(images, window),
    "ideal": ed.scores.ideal(images),
}
times = (0.8, 0.6, 0.4, 0.2)
print(f"{'':8}" + "".join(f"{f't = {t}':>10}" for t in times))
table = {}
for name, denoise in denoisers.items():
    table[name] = []
    for t in times:
        level = ed.schedule.cosine()(t)
        x0_hat = denoise(ed.forward.add_noise(x0, *level, noise), *level)  # (B, H, W, C)
        table[name].append(float(((x0_hat - x0) ** 2).mean()))
    print(f"{name:8}" + "".join(f"{e:10.4f}" for e in table[name]))

# %% [markdown]
# ## Questions
#
# 1. The target $x_0$ is noisy: the same `x` can come from many pictures. Why does training find the mean of them, and
#    what would it find with the absolute instead of the squared error?
# 2. The times of a batch are *stratified*: one in each of as many equal slices of [0, 1]. What is gained?
# 3. In the second half of the training the loss falls by less than a tenth. How would you find out whether the pictures
#    still get better?
# 4. Somebody changes the `weight` in `denoising_loss`, trains again, and says that the smaller loss is better. What do
#    you say?
# 5. On a training set of two pictures, what does the network draw after endless training?
#
# <details><summary>Answers</summary>
#
# 1. The mean is what minimizes a sum of squares. The absolute error finds the median, pixel by pixel; that is no
#    posterior mean, and Tweedie's formula does not hold for it.
# 2. Every batch has the whole range of noise levels, so its loss varies less for the same work.
# 3. Draw the same noise at both moments and compare, or measure the errors by noise level as above: the mean over all
#    levels hides that low noise still improves.
# 4. The two numbers are sums with different weights. Compare errors at fixed noise levels, or pictures.
# 5. If its windows are smaller than the picture, still mosaics of the two: the best that it can be is ELS, not the
#    ideal denoiser.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Karras et al. 2022](https://arxiv.org/abs/2206.00364), table 1: preconditioning; eq. 8: the loss.
# - [Kingma & Ba 2015](https://arxiv.org/abs/1412.6980), algorithm 1: Adam.
