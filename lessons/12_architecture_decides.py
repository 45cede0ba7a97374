# %% [markdown]
# # 12. Architecture decides
#
# Same data, same loss, same noise, different networks: different inventions. This lesson puts the closed forms and the
# trained networks side by side, in the plane where they can be seen, and then looks at what the parts of a real
# architecture (depth, pooling, scales, attention) do to what it sees and to what it may express.

# %%
import os
import sys

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.compare.distances import sliced_wasserstein
from edudiff.compare.metrics import nearest
from edudiff.data import toys
from edudiff.support.random import streams

FAST = bool(os.environ.get("EDUDIFF_FAST")) or sys.platform == "emscripten"  # or True: everything small

# %% [markdown]
# ## The plane
#
# Six denoisers learn the same 400 points on a ring, and draw from the same noise. How do we judge a drawn cloud? Two
# numbers that pull in opposite directions:
#
# - **novelty**: the median distance of a drawn point to the nearest *training* point, over the same for *new* points of
#   the ring. 0 is a copy, 1 is as new as new data.
# - **distance to the law**: how far the drawn cloud is from a fresh sample of the ring (sliced Wasserstein distance).
#   Small is good, but a sample of the ring is not at 0 either; "data" is what a perfect model would get.
#
# A model is worth something if it is new *and* close. The ideal denoiser is close and not new, the linear one new and
# not close.


# %%
def mlp(data, width, depth, steps):
    """A multilayer perceptron trained on points (N, 2): its averaged weights."""
    scale = float(np.sqrt((data**2).mean()))
    net = ed.nn.MLP(2, width, depth, sigma_data=scale, rng=np.random.default_rng(1))
    rng, points = np.random.default_rng(2), data.astype(np.float32)  # (N, 2)
    *_, state = ed.nn.train(net, points, ed.schedule.cosine(), rng, steps, batch=128, rate=3e-3)
    return state.ema


def judge(points, data, fresh):
    """(novelty, distance to the law) of drawn points, (B, 2)."""
    own = np.median(nearest(fresh, data)[1])
    return float(np.median(nearest(points, data)[1]) / own), sliced_wasserstein(points, fresh)


def draw(denoisers, count):
    """Points from the same noise: {name: (B, 2)}. The times fall as squares, to end with small steps."""
    schedule = ed.schedule.cosine()
    x = ed.reverse.start(schedule, (count, 2), streams(0, count))  # (B, 2)
    drawn, _ = ed.compare.draw(denoisers, schedule, x, schedule.times(40) ** 2, "heun")
    return drawn


# %%
rng, count, steps = np.random.default_rng(0), 100 if FAST else 400, 60 if FAST else 1500
data, fresh, other = (toys.ring(count, rng) for _ in range(3))  # (N, 2) each
denoisers = {
    "ideal": ed.denoisers.Ideal(data),
    "linear": ed.denoisers.Linear.fit(data),
    "degree_3": ed.denoisers.Polynomial.fit(data, 3, stop=10),
    "bottleneck_1": ed.denoisers.Bottleneck.fit(data, 1),
    "mlp_8": mlp(data, 8, 1, steps),
    "mlp_128": mlp(data, 128, 2, steps),
}
drawn = draw(denoisers, count)
for name, points in {"data": other, **drawn}.items():
    new, far = judge(points, data, fresh)
    print(f"{name:13} novelty {new:5.2f}, distance to the law {far:.3f}")
plot.present(plot.clouds({"ring": {"data": data, **drawn}}), "12_architecture_decides_1")

# %% [markdown]
# The small network draws a blurred ring, no better than the best cubic does. The large one draws points that are
# about as new as new data, and as close to the ring. It did not find the ideal denoiser: a function as smooth as this
# network can make it has no 400 spikes. Make it easier.
#
# ## When does a network copy?
#
# Give the same networks only twelve training points. The ideal denoiser needs twelve spikes now. A network that is
# large enough can make them. Watch the novelty fall towards zero as the width grows: nothing but capacity has
# changed.


# %%
rng, steps = np.random.default_rng(3), 60 if FAST else 2500
data, fresh = toys.ring(12, rng), toys.ring(400, rng)  # (N, 2) each
widths = (4, 64) if FAST else (4, 16, 128)
drawn = draw({f"width_{width}": mlp(data, width, 2, steps) for width in widths}, 100 if FAST else 300)
for name, points in drawn.items():
    print(f"{name:10} novelty {judge(points, data, fresh)[0]:.3f}")
plot.present(plot.clouds({"twelve points": {"data": data, **drawn}}), "12_architecture_decides_2")

# %% [markdown]
# So it is with pictures. `figures/results/width.png` has dense networks with 4, 16, 64 and 256 values in a layer that
# have learned 10, 100 and 1,000 small faces for the same number of steps (`python figures/width.py`; each was trained
# once and drew 128 faces). Of ten faces, width 4 copies 2 in 100 times and blends them otherwise, width 16 copies 95,
# the wider ones always. Of a hundred, width 64 copies 5 times in 100, width 256 every second time (41 to 59 in 100).
# Of a thousand none does, and what they draw is new: by width 2.4, 1.5, 1.2 and 1.1 times as far from the law as unseen
# faces are, where only the last step is within what chance does.
#
# Width is not all: a network that can copy does so only if it is trained for long enough, and the more pictures there
# are, the longer it takes. `python figures/clocks.py` trains one UNet on 4, 16 and 64 faces and looks at what it draws
# as it learns (`figures/results/clocks.png`). With 4 and with 16, half of its faces are copies *before* half keep the
# rules of a face: it has learned the pictures, not the rules. With 64 the rules come first, at about step 2,700, and
# by step 6,400 three in ten are copies. Between the two there is a window in which what is drawn is right and new.
#
# ## What a network for pictures sees
#
# For pictures the architecture decides with two other means: *how far* a pixel sees (the window of lesson 7), and *what
# is treated alike* (the shifts of lesson 8). The first can be measured on any network, by backprop: on how large a
# square does the middle pixel depend? A convolution of 3 adds one pixel on each side. A pooling by 2 doubles what all
# deeper layers add. Attention sees everything at once.
#
# **Step through this.** Put a breakpoint in `receptive_field` (in `edudiff/nn/checking.py`) after the loop, and look
# at `seen.astype(int)`. Is it a square?


# %%
make = {"rng": np.random.default_rng(0)}
nets = {
    "ResNet, depth 0": ed.nn.ResNet(4, 0, **make),
    "ResNet, depth 2": ed.nn.ResNet(4, 2, **make),
    "UNet, 1 scale": ed.nn.UNet((4,), 1, **make),
    "UNet, 2 scales, no pooling": ed.nn.UNet((4, 4), 1, pooling="none", **make),
    "UNet, 2 scales, pooling": ed.nn.UNet((4, 4), 1, **make),
    "UNet, 3 scales, pooling": ed.nn.UNet((4, 4, 4), 1, **make),
}
sides = {name: ed.nn.receptive_field(net, size=29) for name, net in nets.items()}
for name, side in sides.items():
    print(f"{name:28} sees {side:2} pixels")

# %% [markdown]
# ## What a network treats alike
#
# Wrapping convolutions commute with every shift. Put one 2 x 2 pooling in between, and the network commutes with
# shifts by an even number of pixels only: the four pixels of a tile go together, and which four they are depends on
# the place. So a network with three poolings has 8 x 8 = 64 different kinds of place. It has left ELS, and moved a
# step towards the local score, which has a kind of its own for every place. The cell shifts pictures by 1, 2, 3 and 4
# pixels.
#
# **Change this and see it fail.** In the cell below, change `padding="circular"` to `padding="zero"`, and run it again.
# The network without pooling commutes with no shift any longer. By which pixels can it tell? Then change it back.


# %%
for name, channels in (("no pooling", (6,)), ("one pooling", (6, 6)), ("two poolings", (6, 6, 6))):
    rng = np.random.default_rng(0)
    net = ed.nn.UNet(channels, 1, padding="circular", padding_channel=False, rng=rng, dtype=np.float64, backend="numpy")
    net = net.with_parameters({n: v + 0.2 * rng.standard_normal(v.shape) for n, v in net.parameters.items()})
    x = rng.standard_normal((2, 16, 16, 1))  # (B, H, W, C)
    answer = net(x, 0.6, 0.8)  # (B, H, W, C)
    apart = []
    for shift in (1, 2, 3, 4):
        moved = net(np.roll(x, shift, axis=2), 0.6, 0.8)  # (B, H, W, C)
        apart.append(float(np.abs(moved - np.roll(answer, shift, axis=2)).max()))
    print(f"{name:13} shifted by 1 to 4: " + "  ".join(f"{d:.0e}" for d in apart))

# %% [markdown]
# ## From architecture to formula
#
# | the network ... | so the best that it can be is ... | and it draws |
# |---|---|---|
# | is linear | `Linear`: mean and covariance | a normal cloud |
# | is a polynomial | `Polynomial`: the first moments | a bent cloud |
# | has a bottleneck of k values | `Bottleneck`: k components | points on a plane |
# | sees a window | `Patch(shifts=False)`: local | mosaics that know their place |
# | sees a window, everywhere the same | `Patch`: ELS | mosaics |
# | is the same everywhere, sees all | `Patch`, covering | moved copies |
# | can be anything | `Ideal` | copies |
#
# A real network is several of these at once, and not all of it is in the table: no formula is known for a network whose
# width limits it *and* whose windows do. To measure what the parts of a UNet do to its pictures, run
# `edudiff architecture faces`; it trains eleven variants that differ in one thing each, and counts broken rules.
# `figures/results/architecture.md` has them in one table with closed forms, dense networks and a ResNet that draw from
# the same noise (`python figures/architecture.py`). No closed form and none of the eleven UNets is new and breaks each
# rule in at most 20 % of its faces: the widest of them breaks some rule in 42 %, the formulas in 88 % and more, the
# ResNet, which sees 11 pixels of 32, in all, and the ideal denoiser, which breaks none, only copies. Training counts as
# well: three times as long, the UNet with attention is new and that right, and the base, without attention, nearly so
# (eyes are wrong in 18 and in 20 % of 256 faces, where once as long they are in 25 and 35).
#
# How much of this is chance? The base was trained three times, from other weights and with its pictures in another
# order: eyes are wrong in 35, 45 and 33 % of 256 faces, skins in 26, 14 and 20 %, something in 64, 61 and 59 %. The
# other UNets were trained once, so a difference says something of the architecture only if it is larger than these
# (`figures/results/architecture_unets.png`). It is for UNets without skip connections or without pooling and for those
# with one, two or three scales instead of five in nearly every rule, and for half the channels in mouth and skin. It is
# not, in any single rule, for the way of pooling, a second block at each scale, attention, or twice the channels; of
# these only pooling by the maximum (77 %) and twice the channels (42 %) differ in how many faces break some rule. Three
# trainings are few: among shares that differ by chance alone, one in eight would be called larger.
#
# New and that right is a dense network too, trained three times as long, if it is made to answer x0 itself. If what it
# answers is added to a share of its input, as with the UNets, the same network draws noise: its last layer has 128
# values for 3,072 numbers, and in all other directions the share of the input is all there is. A UNet without skip
# connections, whose lowest scale has 256 values, draws such noise too. What a network is asked for is a part of its
# architecture.
#
# No architecture is good in itself. `figures/results/alignment.png` shows four networks that were trained alike on
# faces, on the same faces with their pixels shuffled, and on strokes (`python figures/alignment.py`). To the dense ones
# the shuffle is nothing, since they know no neighbors: the one that answers x0 draws both kinds of faces 1.3 times as
# far from the law as new ones are, the one that adds to its input both 5 times. The UNet, which looks at neighbors
# first, draws faces at 1.6, and shuffled ones at 2.8. The ResNet sees 11 pixels of 24: of strokes it makes other
# strokes, of faces a patchwork, of shuffled faces nothing at all. As denoisers of new pictures they divide the targets:
# the UNet has the smaller error on faces (1.11 of that of the best linear denoiser, the dense one 1.32) and on strokes
# (0.51 and 1.17), the dense one on shuffled faces (1.30 and 2.92).
#
# The last picture is a map: each denoiser of the first cell at its novelty and its distance.


# %%
rng, count = np.random.default_rng(0), 100 if FAST else 400
data, fresh, other = (toys.two_moons(count, rng) for _ in range(3))  # (N, 2) each
denoisers = {"ideal": ed.denoisers.Ideal(data), "linear": ed.denoisers.Linear.fit(data)}
denoisers |= {f"degree {d}": ed.denoisers.Polynomial.fit(data, d, stop=10) for d in (3, 5)}
denoisers["rank 1"] = ed.denoisers.Bottleneck.fit(data, 1)
for spread in (0.05, 0.2):
    denoisers[f"smoothed {spread}"] = ed.denoisers.Smoothed(data, spread, copies=8, rng=np.random.default_rng(0))
figure = plot.empty_figure(6, 4.5)
axis = figure.subplots()
for name, points in {"new data": other, **draw(denoisers, count)}.items():
    new, far = judge(points, data, fresh)
    axis.plot(new, far, "*" if name == "new data" else "o", color=plot.COLORS[name == "new data"])
    axis.annotate(name, (new, far), xytext=(5, 4), textcoords="offset points", fontsize=8)
axis.set(xlabel="novelty (0: a copy, 1: as new as new data)", ylabel="distance to the law")
plot.present(figure, "12_architecture_decides_3")

# %% [markdown]
# ## Questions
#
# 1. Novelty 14 of the linear denoiser: is it good to be newer than new data?
# 2. Which line of the table would describe a network of 1 x 1 convolutions, and what would it draw?
# 3. A UNet sees the whole picture. Why may it still draw hands with six fingers?
# 4. You want a model of centered faces, and one of satellite pictures. Which should have poolings and zero padding, and
#    which circular padding?
#
# <details><summary>Answers</summary>
#
# 1. No: it means that the points are far from every training point because they are far from the ring.
# 2. `Patch` with window 1: pixels with the gray values of the training set, each for itself. Noise.
# 3. At low noise it hardly uses the far pixels: the window that it really uses shrinks on the way down, and by the time
#    that fingers are decided, it may be smaller than the hand.
# 4. Faces have places: eyes are up, so let it know where it is. A satellite picture looks alike everywhere: the more
#    shifts are treated alike, the more training windows each answer can use.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Levine & Weiss 2026](https://arxiv.org/abs/2605.16415): small changes of a UNet, and what becomes of its pictures.
# - [Kamb & Ganguli 2024](https://arxiv.org/abs/2412.20292), section 5.4: a network that can see its place is nearer to
#   the local score.
# - [Scarvelis et al. 2023](https://arxiv.org/abs/2310.12395): the smoothed denoiser.
# - [Wang, Finn & Liu 2026](https://arxiv.org/abs/2605.10019): two clocks, of rules and of copies.
