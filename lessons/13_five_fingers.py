# %% [markdown]
# # 13. Five fingers
#
# The best known mistake of picture generators is a hand with six fingers. Now you can explain it, and more: you can
# predict, before any network is trained, which noise will become a hand with how many. All training hands of this
# lesson have five fingers. The ideal score draws five. ELS draws four, six, seven, and so does the network.

# %%
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np

import edudiff as ed
from edudiff import plot
from edudiff.compare import count_fingers_all
from edudiff.data import shapes
from edudiff.support.random import streams

FAST = bool(os.environ.get("EDUDIFF_FAST"))  # or True: everything small, for a quick look

# %% [markdown]
# ## Counting fingers by a rule
#
# "How many fingers?" needs a rule that does not depend on who looks. Ours: lay a disc on a point of the hand, and ask
# how much of the disc is hand. In the middle of a finger about half, since the finger goes on in both directions; at
# the *tip* about a quarter. Each connected piece of tip points is one finger. A palm is not needed, and two fingers
# that have grown together count once.
#
# A rule must be tested where the answer is known: hands drawn with 1 to 7 fingers.
#
# **Step through this.** Put a breakpoint in `finger_tips` (in `edudiff/compare/fingers.py`), and show the returned mask
# with `plot.show`. Which points of a finger are tip?
#
# **Change this and see it fail.** In `edudiff/compare/fingers.py`, change `SHARE = 0.36` to `SHARE = 0.45`, run the
# cell again, and see which hands are still counted right. Look at the mask once more: what is tip now? Then change it
# back.


# %%
for fingers in range(1, 8):
    known = shapes.hands(
        10 if FAST else 60, size=20, rng=np.random.default_rng(fingers), fingers=fingers
    )  # (N, H, W, C)
    print(f"{fingers} fingers: {(count_fingers_all(known) == fingers).mean():4.0%} counted right")

# %% [markdown]
# ## One window, one number of fingers?
#
# Draw hands through ELS with different windows, from the same noise, and count. Small windows know what a finger is,
# its width, its round end, and nothing of how many there are. They draw starfish. As the window grows, it holds two
# fingers and the gap between, then three; but five are right more often than not only when it holds most of the hand.
# Under each hand is its number of fingers.


# %%

hands = shapes.hands(40 if FAST else 128, size=14, rng=np.random.default_rng(0))  # (N, H, W, C), five fingers each
schedule, count = ed.schedule.cosine(), 4 if FAST else 24
x = ed.reverse.start(schedule, (count, *hands.shape[1:]), streams(0, count))  # (B, H, W, C)
sizes = (5, 9) if FAST else (3, 5, 7, 9, 13)
denoisers = {f"window {size}": ed.denoisers.Patch(hands, size) for size in sizes}
denoisers["ideal"] = ed.denoisers.Ideal(hands)
drawn, _ = ed.compare.draw(denoisers, schedule, x, schedule.times(10 if FAST else 20))
counts = {name: count_fingers_all(batch) for name, batch in drawn.items()}
figure = plot.empty_figure(6, 3.2)
axis = figure.subplots()
for name, numbers in counts.items():
    table = ", ".join(f"{k}: {n}" for k, n in sorted(Counter(numbers.tolist()).items()))
    print(f"{name:9} {(numbers == 5).mean():4.0%} have five fingers   ({table})")
axis.plot(range(len(counts)), [(numbers == 5).mean() for numbers in counts.values()], "o-")
axis.set_xticks(range(len(counts)), list(counts))
axis.set(ylabel="share with five fingers", ylim=(0, 1.05))
captions = {name: [str(n) for n in numbers] for name, numbers in counts.items()}
plot.present(plot.rows(drawn, captions, columns=12, title="each column is the same noise"), "13_five_fingers_1")
plot.present(figure, "13_five_fingers_2")

# %% [markdown]
# ## When is the number decided?
#
# Follow the denoiser's belief, `x0_hat`, on the way down, and count *its* fingers. For the ideal score there is a
# moment at which one training hand is chosen, and with it the number five. For ELS each part of the palm's rim
# decides for itself whether a finger grows there, and the number settles later, part by part. The curve shows on how
# many of the noises the belief has its final number of fingers already.
#
# This is the calculation that a window cannot do. To know that there are five, you must count, and counting needs to
# see all of them at once, at the time when they are decided.


# %%
schedule, count = ed.schedule.cosine(), 4 if FAST else 16
x = ed.reverse.start(schedule, (count, *hands.shape[1:]), streams(0, count))  # (B, H, W, C)
figure = plot.empty_figure(6, 3.5)
axis = figure.subplots()
for name, denoise in (("ELS, window 7", ed.denoisers.Patch(hands, 7)), ("ideal", ed.denoisers.Ideal(hands))):
    steps = list(ed.reverse.steps(denoise, schedule, x, schedule.times(10 if FAST else 20)))
    final = count_fingers_all(steps[-1].x_next)  # (B,)
    settled = [float((count_fingers_all(step.x0_hat) == final).mean()) for step in steps]
    axis.plot([step.t for step in steps], settled, "o-", markersize=3, label=name)
    half = next(step.t for step, share in zip(steps, settled, strict=True) if share >= 0.5)
    print(f"{name:13}: half of the noises have their number of fingers at t = {half:.2f}")
axis.set(xlabel="t (time runs to the left)", ylabel="share with the final number")
axis.invert_xaxis()
axis.legend(frameon=False)
plot.present(figure, "13_five_fingers_3")

# %% [markdown]
# ## And the network
#
# `edudiff demo` trained a network on 512 hands of 16 pixels, calibrated ELS on it (lesson 11), and drew 64 noises
# through both. Its results are kept in `figures/results/hands.json`; here they are. The network's histogram is as
# broad as that of ELS, and noise by noise the two agree more often than they would if the noises were shuffled.


# %%
results = Path(ed.__file__).parents[1] / "figures" / "results"  # beside the package in a checkout
if not (results / "hands.json").exists():
    print("no recorded results beside this package; make them with: edudiff demo")
else:
    recorded = json.loads((results / "hands.json").read_text())["fingers"]
    same = recorded.pop("same_count")
    figure = plot.empty_figure(7, 3.2)
    axis = figure.subplots()
    for i, name in enumerate(("network", "els", "local", "ideal")):
        total = sum(recorded[name].values())
        shares = {int(k): n / total for k, n in recorded[name].items()}
        axis.bar([k + 0.2 * i - 0.3 for k in shares], list(shares.values()), width=0.2, label=name)
        print(f"{name:8} {shares.get(5, 0):4.0%} of {total} hands have five fingers")
    network, els = recorded["network"], recorded["els"]
    chance = sum(n * els.get(k, 0) for k, n in network.items()) / sum(network.values()) / sum(els.values())
    print(f"same number of fingers from the same noise: {same:.0%}; if the noises were shuffled: {chance:.0%}")
    axis.set(xlabel="fingers", ylabel="share of the drawn hands")
    axis.legend(frameon=False)
    plot.present(figure, "13_five_fingers_4")

# %% [markdown]
# ## What would help?
#
# - **More noise levels, more steps**: hardly. The window decides, not the walk.
# - **A larger window at all levels**: yes, up to copying. Between "starfish" and "copies" lies a narrow range, and
#   where it is depends on the number of training pictures.
# - **Knowing the place**: a little. The local score has fewer windows to choose from, so it draws more right hands,
#   and is less inventive.
# - **Seeing everything, when needed**: attention. The next lesson.
#
# ## Questions
#
# 1. A window of 7 pixels on hands of 14 shows about two fingers and the gap between. Which mistakes can it not make?
# 2. The hands are turned at random. What would change if all of them pointed up?
# 3. Real generators are large, see everything, and still draw six fingers. Which part of this lesson's explanation
#    carries over, and which does not?
# 4. Why must the rule be tested on hands with *seven* fingers, if all training hands have five?
#
# <details><summary>Answers</summary>
#
# 1. Fingers of a wrong width or without an end, two fingers that touch: a window of a training hand never shows these.
# 2. Each direction would have its place. With the border to tell the place, ELS could use it, and the number of fingers
#    would be right far more often.
# 3. That the number is decided in a range of noise levels, by what the network *uses* at these levels, carries over.
#    That it cannot see further does not: it could, but what it has learned there is mostly local.
# 4. Because drawn hands have seven. A rule that is only right for five would say "five" of anything like a hand.
#
# </details>

# %% [markdown]
# ## Sources
#
# - [Kamb & Ganguli 2024](https://arxiv.org/abs/2412.20292), figure 5c: shirts with three arms and trousers with three
#   legs, drawn by network and formula alike.
