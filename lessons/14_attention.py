# %% [markdown]
# # 14. Attention
#
# A window cannot count to five, and it cannot know what color the other side of the picture has. Self-attention can:
# in one layer every pixel asks all others. This lesson derives its forward and backward pass, finds out what it does
# not know, and shows the smallest case in which it turns mosaics into whole pictures.
#
# To write it yourself: assignment 9, `lessons/assignments/a9_attention`.

# %%
import math
import os
import sys

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.nn import layers
from edudiff.support.random import streams

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# ## Forward: a softmax over pixels
#
# Each pixel $i$ has a vector $x_i$. Three matrices make of it a *question* $q_i$, a *key* $k_i$ and a *value* $v_i$.
# How well key $j$ answers question $i$ is their product. A softmax over $j$ turns the products into weights, and the
# pixel gets the weighted mean of all values:
#
# $$p_{ij} = \operatorname{softmax}_j\big(q_i \cdot k_j / \sqrt d\big), \qquad o_i = \sum_j p_{ij}\, v_j .$$
#
# You have seen this before. The ideal denoiser is a softmax over training pictures by distance, ELS one over training
# windows; this is one over the pixels of the *same* picture, by a distance that is learned.
#
# Why $\sqrt d$? With `d` independent entries of unit size, $q \cdot k$ has variance $d$. Without the division the
# softmax of a wide layer has a single winner from the start, and hardly any gradient.
#
# ## Backward, in three steps
#
# Let $d a$ be the gradient of the loss in $a$, as in lesson 9.
#
# 1. $o = p\,v$ is a matrix product: $\;dv = p^T do$, $\;dp = do\,v^T$.
# 2. The softmax. Its derivative is $\partial p_j / \partial s_l = p_j\,(\delta_{jl} - p_l)$, so
#    $\;ds_j = p_j\,\big(dp_j - \sum_l p_l\,dp_l\big)$. The subtracted mean says: weights that sum to one cannot all
#    grow.
# 3. $s = q\,k^T / \sqrt d$: $\;dq = ds\,k / \sqrt d$, $\;dk = ds^T q / \sqrt d$.
#
# **Step through this.** Put a breakpoint in `attention_backward` (in `edudiff/nn/layers/self_attention.py`) after step
# 2, and look at `dscores.sum(axis=3)`. What is it, and why?
#
# **Change this and see it fail.** In `attention_backward` (in `edudiff/nn/layers/self_attention.py`), change `weights *
# (dweights - (weights * dweights).sum(axis=3, keepdims=True))` to `weights * dweights`, and run the cell again: without
# the mean, the weights of step 2 could all grow. `check_gradients` stops, and says that the gradient in `x` is wrong.
# Which of the five gradients does the missing mean not touch? Then change it back.


# %%
def attention_loops(q, k, v):
    """The sum as it is written, for one picture and one head: (T, d) each, to (T, d) and the weights (T, T)."""
    count, size = q.shape
    out, weights = np.zeros_like(v), np.zeros((count, count))
    for i in range(count):
        scores = [float(q[i] @ k[j]) / math.sqrt(size) for j in range(count)]
        exponentials = [math.exp(s - max(scores)) for s in scores]
        for j in range(count):
            weights[i, j] = exponentials[j] / sum(exponentials)
            out[i] += weights[i, j] * v[j]
    return out, weights


# %%
rng = np.random.default_rng(0)
x = rng.standard_normal((1, 3, 4, 4))  # (B, H, W, C)
w_in, b_in = rng.standard_normal((4, 12)), rng.standard_normal(12)
out, _ = layers.attention(x, w_in, b_in, np.eye(4), np.zeros(4))  # (1, H, W, C), mixed by nothing
q, k, v = np.split(x.reshape(12, 4) @ w_in + b_in, 3, axis=1)  # (T, d) each
mine, weights = attention_loops(q, k, v)
worst = float(np.abs(mine - out.reshape(12, 4)).max())
print(f"loops and layer differ by {worst:.1e}; the weights sum to 1 up to {abs(weights.sum(1) - 1).max():.0e}")
inputs = x, w_in, b_in, rng.standard_normal((4, 4)), rng.standard_normal(4)
for heads in (1, 2):
    error = ed.nn.check_gradients(layers.attention, layers.attention_backward, *inputs, heads)
    print(f"{heads} head(s): gradients right to {error:.0e}")

# %% [markdown]
# ## It does not know where anything is
#
# Shuffle the pixels, and the answers are shuffled in the same way: nothing in the formula says which pixel is next to
# which. A convolution knows neighbors and nothing far, attention knows everything and no neighbors. That is why they
# are used together: convolutions first make each pixel's vector say what is *around* it.


# %%
rng = np.random.default_rng(0)
x, order = rng.standard_normal((1, 4, 4, 4)), rng.permutation(16)  # (B, H, W, C), (T,)
arrays = rng.standard_normal((4, 12)), rng.standard_normal(12), rng.standard_normal((4, 4)), rng.standard_normal(4)
w = rng.standard_normal((3, 3, 4, 4))


def shuffle(a):
    return a.reshape(1, 16, 4)[:, order].reshape(1, 4, 4, 4)  # (B, H, W, C)


for name, layer in (
    ("attention", lambda a: layers.attention(a, *arrays)[0]),
    ("convolution", lambda a: layers.conv(a, w, np.zeros(4), "circular")[0]),
):
    apart = np.abs(layer(shuffle(x)) - shuffle(layer(x))).max()
    print(f"{name:11}: shuffle-then-layer and layer-then-shuffle differ by {apart:.1e}")

# %% [markdown]
# ## Black or white, again
#
# Two training pictures: all black, all white (lesson 8). A network that sees a window of 7 pixels should draw mosaics
# of black and white, as ELS does. The same network with one attention layer can ask the whole picture, "are we black
# or white today?" Both are trained alike, and draw the same noise. The first and the last row are the formulas for a
# window of 7 and for all of the picture. (The small network blurs: it has eight channels, and was trained for seconds.)


# %%
def train(attention, images, steps):
    """A small network, with or without attention, trained on the two pictures: its averaged weights."""
    settings = {"padding": "circular", "padding_channel": False, "sigma_data": 1.0}
    net = ed.nn.ResNet(8, 1, attention=attention, rng=np.random.default_rng(1), **settings)
    rng = np.random.default_rng(2)
    *_, state = ed.nn.train(net, images, ed.schedule.cosine(), rng, steps, batch=16, rate=4e-3)
    return state.ema


# %%
side, steps, schedule = 10 if FAST else 16, 40 if FAST else 800, ed.schedule.cosine()
images = np.ones((2, side, side, 1), np.float32) * np.array([-1, 1], np.float32).reshape(2, 1, 1, 1)  # (N, H, W, C)
blind, asker = train((), images, steps), train((0,), images, steps)
denoisers = {
    "ELS, window 7": ed.denoisers.Patch(images, 7, padding="circular"),
    "network, window 7": blind,
    "network, attention": asker,
    "ideal": ed.denoisers.Ideal(images),
}
count = 8 if FAST else 40
x = ed.reverse.start(schedule, (count, side, side, 1), streams(0, count), like=images)  # (B, H, W, C)
drawn, _ = ed.compare.draw(denoisers, schedule, x, schedule.times(10 if FAST else 30))
for name, batch in drawn.items():
    share = np.abs(np.sign(batch).mean(axis=(1, 2, 3)))  # (B,) 1 where all pixels have one color
    print(f"{name:18} {np.mean(share > 0.99):4.0%} of the pictures have one color")
plot.present(plot.rows(drawn, title="each column is the same noise"), "14_attention_1")

# %% [markdown]
# ## Whom does a pixel ask?
#
# The weights can be looked at. Here the network gets a noisy picture at three noise levels, and the middle pixel
# shows how much it listens to each other pixel. Every pixel knows as much as any other about the one question that
# matters, so it could listen to all. It need not: the mean of a few dozen is as good as certain. How even the weights
# are is printed as an effective number of pixels, the exponential of their entropy.


# %%
side, rng = 16, np.random.default_rng(0)
figure = plot.empty_figure(8, 2.8)
for axis, t in zip(figure.subplots(1, 3), (0.95, 0.8, 0.5), strict=True):
    alpha, sigma = ed.schedule.cosine()(t)
    x = ed.forward.add_noise(np.ones((1, side, side, 1)), alpha, sigma, rng.standard_normal((1, side, side, 1)))
    _, (*_, cache) = asker.forward(x, alpha, sigma)
    _, _, _, _, weights, _ = cache["attention0"]  # (1, heads, T, T)
    listens = weights[0, 0, (side // 2) * side + side // 2]  # (T,)
    effective = math.exp(-float((listens * np.log(np.maximum(listens, 1e-30))).sum()))
    axis.imshow(listens.reshape(side, side), cmap="viridis")
    axis.set(title=f"t = {t}: {effective:.0f} of {side * side}", xticks=[], yticks=[])
    print(f"t = {t}: the middle pixel listens to {effective:.0f} of {side * side} pixels")
parameters = {name: value for name, value in asker.parameters.items() if name.startswith("attention")}
print(f"the layer has {sum(value.size for value in parameters.values())} parameters")
plot.present(figure, "14_attention_2")

# %% [markdown]
# ## Questions
#
# 1. A picture of 32 x 32 pixels has how many attention weights? One of 256 x 256? Where is attention put, therefore?
# 2. With `w_out` zero at the start, which gradients of the layer are zero in the first step of training?
# 3. Is a network with wrapping convolutions and attention still equivariant? Which formula is then its best case?
# 4. In large trained UNets with attention, ELS still predicts r = 0.77 (Kamb & Ganguli 2024). What does that tell you,
#    and what not?
#
# <details><summary>Answers</summary>
#
# 1. 1024² = one million; 65,536² = four billion. At the coarse scales of a UNet, where there are few pixels.
# 2. All but those of `w_out` and `b_out`, for everything before is multiplied by `w_out`. As in lesson 9 it wakes up
#    after one step.
# 3. Yes: shuffling all pixels by a shift is a shuffling. It is equivariant and sees everything: `Patch` with shifts
#    and a covering window, which draws moved copies.
# 4. That most of what it draws is decided locally, though it could look further. Not that the rest does not matter: the
#    number of fingers is in the rest.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Vaswani et al. 2017](https://arxiv.org/abs/1706.03762): attention.
# - [Kamb & Ganguli 2024](https://arxiv.org/abs/2412.20292): ELS and a UNet with attention. [Finn et al.
#   2025](https://arxiv.org/abs/2506.17324): one layer of attention makes mosaics consistent.
